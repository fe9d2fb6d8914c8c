"""What rules and boards cost as agent versions grow: a real Prometheus, filled with the series of so many versions.

Run with `make bench-rules` while the local stack runs: its demo's series are the pattern. Every agent version (an
agent's prompt version) has all series that the demo's executor has; ten versions make an agent. All of them have
traffic, which is the worst case. Samples lie 60 s apart in the last ten minutes and 300 s before, back to 75 minutes.

    rules    seconds that one round of all groups takes, per second of their intervals: below 1 they keep up
    boards   per board, one point of each panel: samples read and seconds, recorded series beside the same questions
             of raw metrics (raw_questions.py); questions without a raw equal are counted on neither side
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import requests
from raw_questions import NotComparableError, RawQuestions
from support.prometheus import Prometheus, prometheus_at

import toolchain
from alerts import rules
from collector.document import to_yaml
from dashboards.boards import BOARDS
from dashboards.lib.model import Board, Prom
from dashboards.report import choices
from dashboards.report.sources import Period

_AGENT: Final = "executor"
_PER_AGENT: Final = 10
_PAST_S: Final = (*range(4500, 600, -300), *range(600, -1, -60))
_ROUND_S: Final = 135  # the slowest groups run every two minutes
_TIMEOUT_S: Final = 110

Labels = dict[str, str]


def template(url: str) -> list[tuple[Labels, float]]:
    """Raw KPI series of the demo's executor with one of its prompt versions, and those that name no agent."""
    asked = '{__name__=~"agentic_.+"}'
    answer = requests.get(f"{url}/api/v1/query", params={"query": asked}, timeout=60).json()["data"]["result"]
    found = [(dict(each["metric"]), float(each["value"][1])) for each in answer]
    if not found:
        raise SystemExit(f"{url} holds no KPI series. Fix: make up, then run this again")
    environment = found[0][0].get("environment", "")
    found = [each for each in found if each[0].get("environment", "") == environment]
    versions = [s["prompt_version"] for s, _ in found if s.get("agent_name") == _AGENT and s.get("prompt_version")]
    version = max(set(versions), key=versions.count)
    return [
        (series, value)
        for series, value in found
        if series.get("agent_name", _AGENT) == _AGENT and series.get("prompt_version", version) in (version, "", "none")
    ]


def clones(series: Labels, versions: int) -> Iterator[Labels]:
    """The series once per version, per agent, or once, as its labels say."""
    if "agent_name" not in series:
        yield series
    elif series.get("prompt_version", "none") in ("", "none"):
        yield from ({**series, "agent_name": f"agent-{n}"} for n in range(-(-versions // _PER_AGENT)))
    else:
        for n in range(versions):
            yield {**series, "agent_name": f"agent-{n // _PER_AGENT}", "prompt_version": f"v{n % _PER_AGENT}"}


def written(path: Path, pattern: Sequence[tuple[Labels, float]], versions: int, end: float) -> int:
    """Write the series in the OpenMetrics text format; returns how many there are."""
    count = 0
    with path.open("w") as out:
        for series, value in pattern:
            for clone in clones(series, versions):
                rest = ",".join(f'{k}="{v}"' for k, v in clone.items() if k != "__name__")
                head = f"{clone['__name__']}{{{rest}}}"
                out.writelines(f"{head} {value * (1 - ago / 9000):.6g} {end - ago:.0f}\n" for ago in _PAST_S)
                count += 1
        out.write("# EOF\n")
    return count


def stored(folder: Path, pattern: Sequence[tuple[Labels, float]], versions: int) -> int:
    """Fill a Prometheus' storage with series that end about now; returns how many."""
    guess_s = 5 + versions * len(pattern) / 2500
    end = time.time() + guess_s
    text = folder / "series.txt"
    count = written(text, pattern, versions, end)
    command = [str(toolchain.require(["promtool"])["promtool"]), "tsdb", "create-blocks-from", "openmetrics", "-q"]
    subprocess.run([*command, str(text), str(folder / "data")], check=True, stdout=subprocess.DEVNULL)
    text.unlink()
    time.sleep(max(0.0, end - time.time()))
    return count


def groups(prometheus: Prometheus) -> list[dict[str, Any]]:
    answer = requests.get(f"{prometheus.url}/api/v1/rules", timeout=60).json()
    return list(answer["data"]["groups"])


def show_rules(prometheus: Prometheus) -> None:
    """One line for all groups, one for each of the three that take the largest part of their interval."""
    started = time.monotonic()
    while any(group["evaluationTime"] == 0 for group in groups(prometheus)):
        if time.monotonic() - started > _ROUND_S * 3:
            raise SystemExit("rules were not all evaluated; the machine is too slow for so many versions")
        time.sleep(2)
    time.sleep(max(0.0, _ROUND_S - (time.monotonic() - started)))
    found = groups(prometheus)
    failed = [(rule["name"], rule["lastError"]) for g in found for rule in g["rules"] if rule.get("lastError")]
    shares = {group["name"]: group["evaluationTime"] / group["interval"] for group in found}
    exposed = requests.get(f"{prometheus.url}/metrics", timeout=60).text.splitlines()
    last = [line for line in exposed if line.startswith("prometheus_rule_group_last_evaluation_samples{")]
    produced = sum(float(line.rsplit(" ", 1)[1]) for line in last)
    print(f"  rules: {sum(shares.values()):.3f} s per second, {produced:.0f} samples a round, {len(failed)} failed")
    for name, share in sorted(shares.items(), key=lambda item: -item[1])[:3]:
        print(f"    {name:<28} {share:.3f} of its interval")
    for name, error in failed[:3]:
        print(f"    failed: {name}: {error[:160]}")
    if prometheus.process is not None:
        print(f"  memory of Prometheus: {psutil.Process(prometheus.process.pid).memory_info().rss / 2**20:.0f} MiB")


@dataclass
class Cost:
    """What questions read: samples, and seconds in the engine; `over` counts those that gave up."""

    samples: float = 0
    seconds: float = 0
    over: int = 0

    def ask(self, url: str, query: str, at: float) -> None:
        form = {"query": query, "time": str(at), "stats": "all", "timeout": f"{_TIMEOUT_S}s"}
        answer = requests.post(f"{url}/api/v1/query", data=form, timeout=_TIMEOUT_S + 20).json()
        if answer["status"] != "success":
            self.over += 1
            self.seconds += _TIMEOUT_S if answer["errorType"] == "timeout" else 0
            return
        stats = answer["data"]["stats"]
        self.samples += stats["samples"]["totalQueryableSamples"]
        self.seconds += stats["timings"]["execTotalTime"]


def board_cost(url: str, board: Board, raw: RawQuestions, at: float) -> tuple[Cost, Cost, int]:
    """Recorded and raw cost of one point of the board's panels, and how many questions were compared."""
    recorded, unrecorded, compared = Cost(), Cost(), 0
    for query in (query for panel in board.panels() for query in panel.queries if isinstance(query, Prom)):
        asked = choices.metrics(query.expr, board, Period(at - 3600, at), {})
        try:
            rewritten = raw.rewrite(asked)
        except NotComparableError:
            continue
        if rewritten == asked:
            continue
        recorded.ask(url, asked, at)
        unrecorded.ask(url, rewritten, at)
        compared += 1
    return recorded, unrecorded, compared


def show_boards(prometheus: Prometheus, raw: RawQuestions) -> None:
    print(f"  {'board':<20} {'questions':>9} {'samples':>10} {'raw':>12} {'ratio':>8} {'s':>8} {'raw s':>8}")
    every, every_raw, at = Cost(), Cost(), time.time()
    for board in BOARDS:
        recorded, unrecorded, compared = board_cost(prometheus.url, board, raw, at)
        if not compared:
            continue
        show(board.uid, compared, recorded, unrecorded)
        for whole, part in ((every, recorded), (every_raw, unrecorded)):
            whole.samples, whole.seconds, whole.over = (
                whole.samples + part.samples,
                whole.seconds + part.seconds,
                whole.over + part.over,
            )
    show("all boards", 0, every, every_raw)


def show(name: str, compared: int, recorded: Cost, raw: Cost) -> None:
    ratio = raw.samples / recorded.samples if recorded.samples else 0
    gave_up = f"  {raw.over} raw and {recorded.over} recorded questions gave up" if raw.over or recorded.over else ""
    print(
        f"  {name:<20} {compared or '':>9} {recorded.samples:>10.0f} {raw.samples:>12.0f} {ratio:>8.1f}"
        f" {recorded.seconds:>8.3f} {raw.seconds:>8.3f}{gave_up}",
        flush=True,
    )


def measure(pattern: Sequence[tuple[Labels, float]], versions: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = stored(folder, pattern, versions)
        print(f"{versions} agent versions, {count} raw series", flush=True)
        documents = rules.recording_groups()
        (folder / "rules.yaml").write_text(to_yaml({"groups": documents}))
        with prometheus_at(folder, rules=(folder / "rules.yaml",)) as prometheus:
            show_rules(prometheus)
            show_boards(prometheus, RawQuestions(documents))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument(
        "--prometheus", default="http://127.0.0.1:9090", help="the running stack's (default: %(default)s)"
    )
    options = parser.parse_args()
    pattern = template(options.prometheus)
    for versions in options.versions:
        measure(pattern, versions)


if __name__ == "__main__":
    main()
