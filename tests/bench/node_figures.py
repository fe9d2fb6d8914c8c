"""Dev on a real node: how long it takes to be there, and what its pods use beside what they ask for.

Run with `make bench-node` (about 6 minutes; Linux, root). Memory is the working set, which decides about eviction.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from support.node.flows import between_pods
from support.node.machine import Node, node
from support.node.platform import AGENTS, SETTINGS, Platform, Usage, eventually, planned_dev

from stacks.environments import ENVIRONMENTS, EnvName

_EVERY_S = 5.0
_IDLE_S = 30.0
_TASKS_PER_S = (5, 20)
_LOAD_S = 60
_CONSOLE = Console()


def figure(what: str, value: str) -> None:
    _CONSOLE.print(f"{what:<58} {value:>18}", highlight=False)


def main() -> int:
    """Start everything, measure, and take it down again."""
    with tempfile.TemporaryDirectory(prefix="agentobs-bench-") as folder, node(Path(folder) / "node") as made:
        figure("node up: API server, kubelet, names resolve", f"{made.took['node up']:.0f} s")
        platform = _brought_up(made, Path(folder) / "home")
        _flows(platform)
        seen = {"idle": _peak(platform, lambda began: time.monotonic() - began > _IDLE_S)}
        for rate in _TASKS_PER_S:
            seen[f"{rate} tasks/s"] = _under_load(platform, rate)
        _rolling(platform)
        _CONSOLE.print(_table(seen))
    return 0


def _brought_up(made: Node, home: Path) -> Platform:
    home.mkdir()
    platform = Platform(name=EnvName.DEV, home=home, plane=made, checkpoints=True)
    platform.set_all(SETTINGS)
    platform.up()
    figure("pulumi up -s dev, until every pod is ready", f"{platform.took['up']:.0f} s")
    pods = platform.pods()
    ready = sum(all(each["ready"] for each in pod["status"]["containerStatuses"]) for pod in pods)
    figure("pods ready", f"{ready} of {len(pods)}")
    platform.allow_agents()
    began = time.monotonic()
    platform.start_demo("first", scenario="healthy", tasks=20, rate=5)
    eventually(lambda: platform.counted("agentic_task_calls_total", "first"), bool, 90)
    figure("first KPI after the first agent pod was made", f"{time.monotonic() - began:.0f} s")
    platform.truth("first")
    return platform


def _flows(platform: Platform) -> None:
    matrix = between_pods(platform.by_workload(), planned_dev().workloads)
    allowed, refused = matrix.open & matrix.wanted, matrix.tried - matrix.wanted - matrix.open
    figure("flows allowed as the plan says", f"{len(allowed)} of {len(matrix.wanted)}")
    figure("flows refused as the plan says", f"{len(refused)} of {len(matrix.tried - matrix.wanted)}")


def _rolling(platform: Platform) -> None:
    platform.start_demo("rolling", scenario="healthy", tasks=240, rate=4)
    eventually(lambda: platform.counted("agentic_task_calls_total", "rolling"), bool, 60)
    platform.restart("collector", "tempo", "prometheus")
    totals = platform.truth("rolling")["totals"]
    for series in ("agentic_task_calls_total", "agentic_llm_calls_total", "agentic_tool_calls_total"):
        wanted = totals[series]
        got = eventually(lambda s=series: platform.counted(s, "rolling"), lambda value, w=wanted: value >= w)
        figure(f"{series}: counted of sent in a rolling update", f"{got:.0f} of {wanted:.0f}")


def _under_load(platform: Platform, rate: int) -> dict[str, Usage]:
    name = f"load-{rate}"
    platform.start_demo(name, scenario="healthy", tasks=rate * _LOAD_S, rate=rate, workers=2)
    path = f"/api/v1/namespaces/{AGENTS}/pods/{name}"
    ended = lambda _: platform.node.api("GET", path)["status"]["phase"] in {"Succeeded", "Failed"}  # noqa: E731
    used = _peak(platform, ended)
    truth = platform.truth(name)
    wanted = truth["totals"]["agentic_task_calls_total"]
    got = eventually(lambda: platform.counted("agentic_task_calls_total", name), lambda value: value >= wanted)
    took = truth["ended_at"] - truth["started_at"]
    figure(f"tasks counted of sent, at {wanted / took:.1f} tasks/s", f"{got:.0f} of {wanted:.0f}")
    return used


def _peak(platform: Platform, done: Callable[[float], bool]) -> dict[str, Usage]:
    """The most that each pod used until it is `done`."""
    began, most = time.monotonic(), dict[str, Usage]()
    while not done(began):
        for name, now in platform.usage().items():
            before = most.get(name, Usage(0, 0))
            most[name] = Usage(max(before.memory_mib, now.memory_mib), max(before.cpu, now.cpu))
        time.sleep(_EVERY_S)
    return most


def _table(seen: dict[str, dict[str, Usage]]) -> Table:
    cluster = ENVIRONMENTS[EnvName.DEV].cluster
    assert cluster
    table = Table("workload", *(f"{when}: MiB, mCPU" for when in seen), "request", "limit", title="Most used")
    for name in sorted(seen["idle"]):
        size = cluster.sizes[name]
        used = [f"{each[name].memory_mib:.0f}, {each[name].cpu:.0f}" for each in seen.values()]
        limits = f"{size.memory_mib * size.memory_burst:.0f}, {size.cpu * size.cpu_burst:.0f}"
        table.add_row(name, *used, f"{size.memory_mib}, {size.cpu}", limits)
    return table


if __name__ == "__main__":
    sys.exit(main())
