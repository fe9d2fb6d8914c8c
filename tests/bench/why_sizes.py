"""What `agentobs why` costs in big systems: an hour of a made-up system in a real Prometheus, asked as a person asks.

    make bench-why-sizes

For 1, 20 and 200 versions of one tool within the hour, and for 50 environments at once: seconds and CPU seconds of the
command, the best of three; how many queries it made, what they brought, and what the arithmetic alone took.
"""

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests
from stacks.cli.prometheus import Prometheus
from support.prometheus import prometheus_at
from support.worlds import unversioned
from support.worlds.model import Traffic, Truth, World
from support.worlds.openmetrics import text
from support.worlds.sampled import sampled
from support.worlds.systems import system

import toolchain
from agentobs.contract import Label
from runbooks.why.diagnosis import Window, diagnose

HOUR_S, VERSIONS, ENVIRONMENTS, TRIES = 3600.0, (1, 20, 200), 50, 3
_COMMAND = "import sys; from stacks.cli.main import main; sys.exit(main())"


def world(number: int, versions: int) -> World:
    """An hour in which a tool gets so many versions and fails at last, without one to blame."""
    rng = random.Random(f"sizes/{number}/{versions}")
    fields = system(rng) | {"seconds": HOUR_S, "traffic": Traffic(1.0)}
    fields = unversioned.among_deployments(rng, fields, versions)
    return World(seed=versions, number=number, kind="sizes", **{"truth": Truth(), **fields})


def loaded(folder: Path, worlds: list[World], start: float) -> None:
    file = folder / "series.om"
    series = (one for each in worlds for one in sampled(each, grid_s=15.0))
    with file.open("w") as out:
        out.writelines(f"{line}\n" for line in text(series, start))
    promtool = str(toolchain.require(["promtool"])["promtool"])
    load = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(file), str(folder / "prometheus" / "data")]
    subprocess.run(load, capture_output=True, check=True)
    file.unlink()


def timed(url: str, environment: str) -> tuple[float, float]:
    """Wall and CPU seconds of the command."""
    where = ["--environment", environment] if environment else []
    command = [sys.executable, "-c", _COMMAND, "why", "--prometheus", url, "--since", "70m", "--json", *where]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def counted(url: str, environment: str) -> tuple[int, int, float]:
    """Queries, bytes of their answers, and CPU seconds of it all in a process that has everything imported."""
    source, sizes = Prometheus(url), list[int]()

    def seen(response: requests.Response, **_: object) -> None:
        sizes.append(len(response.content))

    source._session.hooks["response"].append(seen)
    now, began = time.time(), time.process_time()
    where = {Label.ENVIRONMENT: environment} if environment else {}
    diagnose(source, Window(start=now - 4200, end=now, where=where))
    return len(sizes), sum(sizes), time.process_time() - began


def main() -> None:
    start = float(round(time.time() - HOUR_S))
    print(f"{'what':<28}{'wall s':>8}{'CPU s':>8}{'queries':>9}{'MB':>7}{'of it why, CPU s':>18}")
    parts = [(f"{count} versions", [world(0, count)]) for count in VERSIONS]
    parts.append((f"{ENVIRONMENTS} environments", [world(number, 1) for number in range(ENVIRONMENTS)]))
    for name, worlds in parts:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            loaded(folder, worlds, start)
            with prometheus_at(folder / "prometheus") as prometheus:
                environment = worlds[0].environment if len(worlds) == 1 else ""
                wall, cpu = min(timed(prometheus.url, environment) for _ in range(TRIES))
                queries, size, own = counted(prometheus.url, environment)
        print(f"{name:<28}{wall:>8.2f}{cpu:>8.2f}{queries:>9}{size / 1e6:>7.2f}{own:>18.2f}", flush=True)


if __name__ == "__main__":
    main()
