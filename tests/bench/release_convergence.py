"""How fast a change of what runs reaches 100 agents that wait, and a kill their next step; `make bench-releases`.

The controller and the agents are processes of their own; agents hold snapshots with the SDK's client.
"""

import multiprocessing
import statistics
import tempfile
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import psutil
import requests
from support.controlled import Controlled, as_process
from support.delivered import ENVIRONMENT, Desk, release, request

from agentobs import pins
from agentobs.pins import KilledError, require_alive
from delivery.environments.operations import Kill, Resume, Target

PROCESSES = 4
AGENTS = 100
REPEATS = 20
STEP_S = 0.05


def agents(url: str, first: int, count: int, told: multiprocessing.Queue, stop: Event) -> None:
    """So many agents in one process: each says when it holds a new revision, one takes steps and says what stops it."""

    def follow(number: int) -> None:
        client = pins.configure(environment=ENVIRONMENT, url=url, instance=f"agent-{number}")
        client.wait(60)
        held = 0
        while not stop.is_set():
            now = client.snapshot.revision
            if now != held:
                held = now
                told.put(("held", number, now, time.time()))
            time.sleep(0.002)
        client.close()

    def step() -> None:
        client = pins.configure(environment=ENVIRONMENT, url=url, instance=f"stepping-{first}")
        client.wait(60)
        was_killed = False
        while not stop.is_set():
            time.sleep(STEP_S)
            try:
                require_alive(client.killed, "planner")
                was_killed = False
            except KilledError:
                if not was_killed:
                    told.put(("stopped", first, 0, time.time()))
                was_killed = True
        client.close()

    threads = [threading.Thread(target=follow, args=(first + number,)) for number in range(count)]
    threads.append(threading.Thread(target=step))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def collect(told: multiprocessing.Queue, kind: str, count: int, revision: int = 0) -> list[float]:
    """When each of so many told it."""
    found: list[float] = []
    while len(found) < count:
        said, _, number, at = told.get(timeout=60)
        if said == kind and (kind == "stopped" or number == revision):
            found.append(at)
    return found


def shown(what: str, times: list[float], aim: str) -> None:
    ordered = sorted(times)
    p95 = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    print(f"{what:<52} p50 {statistics.median(times):.3f} s   p95 {p95:.3f} s   {aim}")


def measure(desk: Desk, controlled: Controlled, told: multiprocessing.Queue) -> None:
    by_api, by_store, killed = [], [], []
    collect(told, "held", AGENTS, desk.head.revision)
    for repeat in range(REPEATS):
        by_console = repeat % 2 == 0
        began = time.time()
        if by_console:
            sent = {"kind": "kill", "agent": "executor"}
            body = {"environment": ENVIRONMENT, "reason": "bench", "operation": sent}
            requests.post(f"{controlled.url}/v1/operations", json=body, headers=controlled.login, timeout=60)
        else:
            desk.do(Kill(request=request(), target=Target(agent="executor")))
        (by_api if by_console else by_store).append(max(collect(told, "held", AGENTS, desk.head.revision)) - began)
        desk.do(Resume(request=request(), target=Target(agent="executor")))
        collect(told, "held", AGENTS, desk.head.revision)
        began = time.time()
        desk.do(Kill(request=request(), target=Target(agent="planner")))
        killed.append(max(collect(told, "stopped", PROCESSES)) - began)
        desk.do(Resume(request=request(), target=Target(agent="planner")))
        time.sleep(1)
    shown(f"console or API to the last of {AGENTS} agents", by_api, "aim 2 s, promise 60 s")
    shown(f"command line to the last of {AGENTS} agents", by_store, "aim 2 s, promise 60 s")
    shown(f"kill to the next step (a step each {STEP_S:g} s)", killed, "aim 1 s, promise 5 s")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder) / "store")
        desk.promote(release())
        with as_process(Path(folder)) as controlled:
            told: multiprocessing.Queue = multiprocessing.Queue()
            stop = multiprocessing.Event()
            each = AGENTS // PROCESSES
            workers = [
                multiprocessing.Process(target=agents, args=(controlled.url, number * each, each, told, stop))
                for number in range(PROCESSES)
            ]
            for worker in workers:
                worker.start()
            try:
                measure(desk, controlled, told)
                memory = psutil.Process(controlled.process.pid).memory_info().rss if controlled.process else 0
                print(f"controller: {memory / 2**20:.0f} MiB; load of this machine {psutil.getloadavg()[0]:.1f}")
            finally:
                stop.set()
                for worker in workers:
                    worker.join(timeout=30)
                    worker.kill()


if __name__ == "__main__":
    main()
