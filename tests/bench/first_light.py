"""Figures of the local stack, measured on the stack that `make up` started; run with `make bench`.

Prints one line per figure: what, value, aim. Wall times are of this machine at this moment; memory is resident memory.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from agentobs import emit
from agentobs.contract import EvaluationSource
from stacks import paths
from stacks.environments import EnvName
from stacks.process.supervisor import Supervisor

BIN = Path(sys.executable).parent
MIB = 2**20
VERSIONED = ("tool-regression", "prompt-regression", "model-swap", "graph-change")


def figure(what: str, value: str, aim: str = "") -> None:
    print(f"{what:<58} {value:>18}   {aim}", flush=True)


def agentobs(*arguments: str) -> str:
    done = subprocess.run([str(BIN / "agentobs"), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def demo(*options: str) -> list[str]:
    return [sys.executable, "-m", "demo", "run", *options]


def memory() -> dict[str, float]:
    pids = Supervisor(paths.stack_dir(EnvName.LOCAL)).pids()
    return {name: psutil.Process(pid).memory_info().rss / MIB for name, pid in pids.items()}


def show_memory(when: str) -> None:
    used = memory()
    parts = ", ".join(f"{name} {mib:.0f}" for name, mib in sorted(used.items()))
    figure(f"memory of the backends, {when}", f"{sum(used.values()):.0f} MiB", f"aim < 1229 MiB ({parts})")


def one_task(rng: random.Random) -> None:
    """A task with the spans of a demo task: 1 task, 4 agents, 7 model calls, 3 tools, 3 evaluations."""
    with emit.task(workflow="bench", type=rng.choice(("refund", "how_to")), graph_version="1") as task:
        for agent, calls in (("router", 1), ("planner", 1), ("executor", 4), ("critic", 1)):
            with emit.agent(agent, emit.Prompt(agent, "1")):
                for _ in range(calls):
                    with emit.model_call("sim-large-1", "sim") as call:
                        call.usage(input_tokens=rng.randint(200, 4000), output_tokens=rng.randint(20, 400))
                for _ in range(calls - 1):
                    with emit.tool_call(rng.choice(("search", "lookup", "refund")), version="1.0.0"):
                        pass
        for name in ("quality", "judge", "hallucination"):
            emit.evaluation(name=name, score=rng.random(), passed=True, source=EvaluationSource.CODE)
        task.plan(planned=3, completed=3)


def load(rate: float, seconds: float) -> None:
    """Synthetic tasks at a steady rate, from this process."""
    telemetry = emit.configure(service="bench", version="1", environment="bench")
    rng, start = random.Random(1), time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
        one_task(rng)
    took = time.monotonic() - start
    show_memory(f"under {rate * seconds / took:.0f} tasks/s for {took:.0f} s")
    figure("telemetry lost under that load", str(telemetry.shutdown().total), "aim 0")


def throughput(workers: int, tasks: int = 900) -> None:
    command = demo("--tasks", str(tasks), "--rate", "0", "--time-scale", "0", "--workers", str(workers), "--json")
    truth = json.loads(
        subprocess.run(
            [*command, "--environment", f"bench-{workers}"], capture_output=True, text=True, check=True
        ).stdout
    )
    seconds = truth["ended_at"] - truth["started_at"]
    figure(
        f"demo tasks/s, {workers} worker(s), no simulated latency",
        f"{tasks / seconds:.1f}",
        f"{tasks} tasks with start",
    )


def watched(scenario: str, environment: str, path: Path) -> tuple[list[tuple[float, dict[str, Any]]], dict[str, Any]]:
    """Run a scenario; return what `why` said every two seconds (unix seconds, answer), and the truth."""
    run = subprocess.Popen(
        demo(
            "--scenario", scenario, "--tasks", "180", "--rate", "4", "--environment", environment, "--truth", str(path)
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    answers = []
    while run.poll() is None:
        answers.append((time.time(), json.loads(agentobs("why", "--json", "--since", "10m", "-e", environment))))
        time.sleep(2)
    return answers, json.loads(path.read_text())


def detection(scenario: str) -> None:
    """How long after the change `why` first named the right version."""
    environment = f"bench-{scenario}-{int(time.time())}"
    with tempfile.TemporaryDirectory() as folder:
        answers, truth = watched(scenario, environment, Path(folder) / "truth.json")
    wanted = truth["culprit"]
    right = [
        (at, answer["culprit"])
        for at, answer in answers
        if answer["culprit"] and answer["culprit"]["version"] == wanted["version"]
    ]
    wrong = [a["culprit"] for _, a in answers if a["culprit"] and a["culprit"]["version"] != wanted["version"]]
    if not right:
        figure(f"why, {scenario}", "never")
        return
    at, culprit = right[0]
    named = f"{culprit['agent']}/{culprit['tool'] or '-'}/{culprit['dimension']}/{culprit['version']}"
    off = culprit["since"] - truth["changed_at"]
    figure(
        f"why, {scenario}: {named}",
        f"{at - truth['changed_at']:.0f} s after",
        f"since off by {off:+.1f} s; wrong answers before: {len(wrong)} of {len(answers)}",
    )


def timed(what: str, aim: str, *arguments: str) -> None:
    started = time.monotonic()
    agentobs(*arguments)
    figure(what, f"{time.monotonic() - started:.1f} s", aim)


def main() -> None:
    show_memory("idle")
    timed("agentobs up, nothing to change", "aim < 10 s", "up", "--tasks", "0")
    timed("pulumi preview, nothing to change", "", "pulumi", "preview")
    timed("agentobs status", "", "status")
    load(50, 60)
    throughput(1)
    throughput(2)
    for scenario in VERSIONED:
        detection(scenario)
    timed("agentobs why, over 1 h", "", "why")
    show_memory("at the end")


if __name__ == "__main__":
    main()
