"""How often the first answer that `make up` shows is right, on the stack that `make up` started.

make bench-first-answer                       # twenty times, about ten minutes
make bench-first-answer ANSWER='--times 5 --busy 2'   # beside two processes that keep the cores busy
"""

import argparse
import subprocess
import sys
import time
from contextlib import ExitStack

from agentobs.contract import Label
from alerts.prometheus import Prometheus
from runbooks.why.diagnosis import Window, diagnose
from runbooks.why.document import Diagnosis, Verdict
from stacks import paths
from stacks.cli.lifecycle import STORY, STORY_RATE
from stacks.environments import EnvName
from stacks.workspace import Workspace

_WAIT_S = 60.0
_TASKS = 200


def play(otlp: str, environment: str) -> None:
    """The story of `make up`, in an environment of its own."""
    command = [sys.executable, "-m", "demo", "run", "--scenario", STORY, "--environment", environment]
    command += ["--tasks", str(_TASKS), "--rate", str(STORY_RATE), "--endpoint", otlp]
    subprocess.run(command, cwd=paths.project_root(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def answer(source: Prometheus, environment: str, begin: float) -> tuple[Diagnosis, float]:
    """What `why` says, and seconds until it first named a version; asked as `make up` asks."""
    ended = time.monotonic()
    while True:
        window = Window(start=begin - 10, end=time.time(), where={Label.ENVIRONMENT: environment})
        found = diagnose(source, window)
        waited = time.monotonic() - ended
        if found.verdict is Verdict.REGRESSION or waited > _WAIT_S:
            return found, waited
        time.sleep(1)


def is_right(found: Diagnosis) -> bool:
    """Whether the new version of one of the server's tools comes first."""
    culprit = found.culprit
    return culprit is not None and (culprit.dimension, culprit.version, culprit.previous) == ("tool", "4.0.0", "3.1.0")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--times", type=int, default=20)
    options.add_argument("--busy", type=int, default=0, help="processes that do nothing but count, beside it")
    given = options.parse_args()
    endpoints = Workspace(EnvName.LOCAL).outputs()["endpoints"]
    source, right = Prometheus(endpoints["prometheus"]), 0
    with ExitStack() as stack:
        for _ in range(given.busy):
            busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(busy.kill)
        for number in range(given.times):
            environment, begin = f"answer-{int(time.time())}", time.time()
            play(endpoints["otlp_http"], environment)
            took = time.time() - begin
            found, waited = answer(source, environment, begin)
            right += is_right(found)
            said = found.hypotheses[0].title if found.hypotheses else str(found.verdict)
            print(
                f"{number + 1}: {'right' if is_right(found) else 'WRONG'} after {took:.0f} + {waited:.0f} s: {said}",
                flush=True,
            )
    print(f"{right} of {given.times} right, beside {given.busy} busy processes")


if __name__ == "__main__":
    main()
