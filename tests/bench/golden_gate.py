"""What the gate of golden datasets costs and how often it is right, on this machine.

Cases per minute with the demo in this process, with a program per case (tools over HTTP or pipes) and with a service,
and the statistics on made-up cases: 300 gates without a change, and drops of 5 and 10 points at 200 cases.
"""

import asyncio
import os
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unit.test_golden_gate import FAILED, Desk, result

from delivery.golden import dataset, egress
from delivery.golden.running import Runner, Settings
from delivery.golden.systems import named

DESK = Path(__file__).resolve().parents[2] / "examples" / "golden" / "support-desk"
PROGRAM = f"{sys.executable} {Path(__file__).with_name('golden_program.py')}"


def main() -> None:
    found = dataset.load(DESK)
    print(f"load average {os.getloadavg()[0]:.1f} before, {os.cpu_count()} cores")
    _speed("in memory", found, "demo.golden:healthy", 10, jobs=16)
    _speed("a program per case, tools over HTTP", found, PROGRAM, 1, jobs=4, most=20)
    _speed("a program per case, tools over pipes", found, f"{PROGRAM} stdio", 1, jobs=4, most=20)
    with _service() as address:
        _speed("a service over HTTP", found, address, 1, jobs=16, most=100)
    print(f"connections that left this machine: {len(egress.refused)}")
    for change in (0.0, 0.05, 0.10):
        _statistics(change, 300)


@contextmanager
def _service() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    os.environ["AGENTOBS_GOLDEN_OTLP_PORT"] = str(port)
    program = [sys.executable, str(Path(__file__).with_name("golden_service.py"))]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as service:
        yield service.stdout.readline().strip()
        service.terminate()


def _speed(name: str, found: dataset.Dataset, system: str, runs: int, *, jobs: int, most: int | None = None) -> None:
    async def work() -> int:
        async with named(system) as tested:
            done = await Runner(found, tested, Settings(jobs=jobs)).play(found.cases[:most], range(runs))
        return sum(run.passed for run in done)

    began = time.monotonic()
    passed = asyncio.run(work())
    seconds, count = time.monotonic() - began, len(found.cases[:most]) * runs
    print(f"{name}: {count} runs in {seconds:.1f} s, {60 * count / seconds:.0f} a minute, {passed} passed")


def _statistics(drop: float, times: int) -> None:
    rng = random.Random(11)
    answers: Counter[str] = Counter(str(_gate(rng, drop)) for _ in range(times))
    told = ", ".join(f"{answer} {100 * count / times:.1f} %" for answer, count in sorted(answers.items()))
    print(f"200 cases x 1 run, 10 % flicker, {100 * drop:g} points worse, {times} gates: {told}")


def _gate(rng: random.Random, drop: float) -> object:
    rates = [rng.betavariate(4, 1) if number < 20 else 1.0 for number in range(200)]
    past = [sum(rng.random() < rate for _ in range(10)) for rate in rates]
    desk = Desk(200, passed=past.__getitem__)

    def once(number: int, run: int) -> object:
        return result(f"c{number}", run, *(() if rng.random() < rates[number] * (1 - drop) else (FAILED,)))

    now = [once(number, 0) for number in range(200)]
    fresh = {case: [once(int(case[1:]), run + 1) for run in range(count)] for case, _, count in desk.suspects(now)}
    return desk.decide(now, fresh).answer


if __name__ == "__main__":
    main()
