"""How long verbs of `agentobs` take to start, as CPU time and as multiples of an empty Python; `make bench-start`.

Every test and every script that calls the command pays it. Shares hold on a busy machine too, where seconds do not.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

AGENTOBS = str(Path(sys.executable).parent / "agentobs")
REPEATS = 5
MOST = {"--help": 0.4}
VERBS = ("--help", "status", "why", "report", "pulumi", "up", "render", "doctor", "checklist before")


def cpu_time(command: Sequence[str]) -> float:
    """Median CPU seconds of a command, after one start that writes what Python compiles."""
    taken = []
    for _ in range(REPEATS + 1):
        before = psutil.Process().cpu_times()
        subprocess.run(command, capture_output=True, check=True)
        after = psutil.Process().cpu_times()
        taken.append(sum(after[2:4]) - sum(before[2:4]))
    return statistics.median(taken[1:])


def main() -> None:
    empty = cpu_time([sys.executable, "-c", "pass"])
    print(f"{'python -c pass':<32} {empty:>7.2f} s")
    for verb in VERBS:
        words = verb.split() if verb == "--help" else [*verb.split(), "--help"]
        began, taken = time.monotonic(), cpu_time([AGENTOBS, *words])
        wall = (time.monotonic() - began) / (REPEATS + 1)
        aim = f"aim <= {MOST[verb]} s" if verb in MOST else ""
        print(f"agentobs {' '.join(words):<23} {taken:>7.2f} s {taken / empty:>6.0f} times   wall {wall:.2f} s   {aim}")


if __name__ == "__main__":
    main()
