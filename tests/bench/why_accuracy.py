"""How often `agentobs why` is right: random faults in made-up systems, played on a virtual clock into memory.

    make bench-why WHY='--seed 7 --count 3'                      # three worlds of every kind, asked at the end
    make bench-why WHY='--kinds "tool version" --every 20'        # also every 20 s from the fault on
    make bench-why WHY='--hours --count 4'                        # healthy hours, asked every 20 s

`--keep FILE` adds each result to a file, and plays no world again that it has: for figures in parts, of several seeds.
`--world 7/2/'tool version fails'` plays one world and prints all that is said of it.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from support.memory_source import MemorySource
from support.worlds.judging import Judgement, judge
from support.worlds.kinds import KINDS, QUIET, draw
from support.worlds.model import World
from support.worlds.openmetrics import memory
from support.worlds.sampled import sampled

from agentobs.contract import Label
from runbooks.why import text
from runbooks.why.diagnosis import Diagnosis, Window, diagnose

START = 1_700_000_000.0
BEFORE_S = 30.0
HOUR_S = 3600.0


@dataclass(frozen=True)
class Job:
    """A world to play, and how often to ask: every so many seconds from the fault on (0: at the end alone)."""

    seed: int
    number: int
    kind: str
    every_s: float = 0.0
    seconds: float | None = None

    def draw(self) -> World:
        return draw(self.seed, self.number, self.kind, self.seconds)


@dataclass
class Outcome:
    """What came of a job: the judgement of each question, the last one at the end. `crashed` is an error's text.

    `text` and `broke` are those of its world, `seconds` the CPU time of each answer.
    """

    job: Job
    text: str
    broke: float | None
    judged: list[tuple[float, Judgement]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    crashed: str = ""

    @property
    def last(self) -> Judgement:
        return self.judged[-1][1]

    @property
    def right_after_s(self) -> float | None:
        """From the fault to the first right answer."""
        broke = self.broke if self.job.every_s else None  # asked once, it tells nothing
        return next((at - broke for at, j in self.judged if j.top1), None) if broke is not None else None

    @property
    def turns(self) -> int:
        """How often an answer was no longer right, after it had been."""
        rights = [j.top1 for _, j in self.judged]
        return sum(1 for before, after in pairwise(rights) if before and not after)


def ask(source: MemorySource, world: World, at: float) -> Diagnosis:
    end = START + at
    start = max(START - BEFORE_S, end - HOUR_S - BEFORE_S)
    return diagnose(source, Window(start=start, end=end, where={Label.ENVIRONMENT: world.environment}))


def run(job: Job) -> Outcome:
    try:
        world = job.draw()
    except StopIteration as error:  # which would end the pool's iteration as if all was done
        raise RuntimeError(f"{job} cannot be drawn") from error
    outcome = Outcome(job, world.text, world.broke)
    source = memory(sampled(world), START)
    for at in _moments(job, world):
        began = time.process_time()
        try:
            found = ask(source, world, at)
        except Exception as error:  # noqa: BLE001 a crash is a result like any other
            outcome.crashed = f"{type(error).__name__} at {at:.0f} s: {error}"[:300]
            continue
        outcome.seconds.append(time.process_time() - began)
        outcome.judged.append((at, judge(world, found, START, START + at)))
    return outcome


def _moments(job: Job, world: World) -> list[float]:
    if not job.every_s:
        return [world.seconds]
    first = world.broke or 0.0
    count = int((world.seconds - first) / job.every_s)
    return [*(at for n in range(1, count + 1) if (at := first + n * job.every_s) < world.seconds), world.seconds]


def kept(file: Path | None) -> list[Outcome]:
    """What a file has."""
    lines = file.read_text().splitlines() if file is not None and file.exists() else []
    return [_outcome(json.loads(line)) for line in lines]


def _outcome(kept_: dict[str, Any]) -> Outcome:
    judged = [(at, Judgement(**one)) for at, one in kept_["judged"]]
    return Outcome(**{**kept_, "job": Job(**kept_["job"]), "judged": judged})


def keeping(found: Iterable[Outcome], file: Path | None) -> Iterator[Outcome]:
    """The same, each added to a file as it comes."""
    for one in found:
        if file is not None:
            with file.open("a") as out:
                out.write(json.dumps(asdict(one)) + "\n")
        yield one


def outcomes(jobs: Sequence[Job], processes: int) -> Iterator[Outcome]:
    with multiprocessing.Pool(processes) as pool:
        for number, outcome in enumerate(pool.imap_unordered(run, jobs), 1):
            print(f"\r{number}/{len(jobs)} worlds", end="" if number < len(jobs) else "\n", file=sys.stderr, flush=True)
            yield outcome


_HEAD = (
    "worlds", "top-1", "top-3", "wronged", "stray", "named", "missed", "state", "since50", "after50", "after90",
    "turns", "s/ask",
)  # fmt: skip


def table(found: Sequence[Outcome]) -> None:
    print(f"{'kind':<36}" + "".join(f"{head:>8}" for head in _HEAD))
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in found:
        by_kind[outcome.job.kind].append(outcome)
    rows = [(kind, by_kind[kind]) for kind in KINDS if kind in by_kind]
    for kind, mine in [*rows, ("all", list(found))]:
        if mine:
            print(f"{kind:<36}" + "".join(f"{cell:>8}" for cell in _row(mine)))


def _row(mine: Sequence[Outcome]) -> list[str]:
    last = [o.last for o in mine if o.judged]
    counts = [sum(getattr(j, what) for j in last) for what in ("top1", "top3", "wronged", "stray", "named", "missed")]
    states = [j.resolved for j in last if j.resolved is not None]
    since = [abs(j.since_s) for j in last if j.since_s is not None]
    after = sorted(o.right_after_s for o in mine if o.right_after_s is not None)
    asks = [s for o in mine for s in o.seconds]
    return [
        str(len(mine)), *map(str, counts),
        f"{sum(states)}/{len(states)}",
        f"{statistics.median(since):.0f}" if since else "-",
        f"{statistics.median(after):.0f}" if after else "-",
        f"{after[int(0.9 * (len(after) - 1) + 0.5)]:.0f}" if after else "-",
        str(sum(o.turns for o in mine)),
        f"{statistics.median(asks):.2f}" if asks else "-",
    ]  # fmt: skip


def misses(found: Iterable[Outcome]) -> None:
    order = {kind: number for number, kind in enumerate(KINDS)}
    for outcome in sorted(found, key=lambda o: (order[o.job.kind], o.job.number)):
        faults = [f"crashed: {outcome.crashed}"] if outcome.crashed else []
        if outcome.judged:
            faults += _faults(outcome)
        if faults:
            job = outcome.job
            print(f"\n{job.seed}/{job.number}/{job.kind}: {', '.join(faults)}\n   is: {outcome.text}")
            if outcome.judged:
                print(f"   said: {outcome.last.first}")
            for at, judged in outcome.judged[:-1]:
                if judged.wronged:
                    print(f"   wronged at {at:.0f} s: {judged.first}")


def _faults(outcome: Outcome) -> list[str]:
    last = outcome.last
    on_the_way = sum(1 for _, j in outcome.judged[:-1] if j.wronged)
    checks = {
        "MISSED": last.missed,
        "NAMED": last.named,
        "FIRST IS WRONG": not last.top1 and not last.missed and not last.named,
        "not all in the first three": last.top1 and not last.top3,
        f"{last.wronged} WRONGED": last.wronged > 0,
        f"{last.stray} stray": last.stray > 0 and not last.named,
        "state is wrong": last.resolved is False,
        f"wronged on the way ({on_the_way})": on_the_way > 0,
    }
    return [text_ for text_, holds in checks.items() if holds]


def told(found: Iterable[Outcome]) -> Iterator[Outcome]:
    """Each hour as it ends: an interrupted run has told what it saw."""
    for number, one in enumerate(found, 1):
        named = sum(j.named for _, j in one.judged)
        wronged = sum(j.wronged > 0 for _, j in one.judged)
        print(f"{number} {one.job.kind}: asked {len(one.judged)}, named {named}, accused {wronged}", flush=True)
        yield one


def hours(found: Sequence[Outcome]) -> None:
    named = [o for o in found if any(j.named for _, j in o.judged)]
    wronged = [o for o in found if any(j.wronged for _, j in o.judged)]
    asks = sum(len(o.judged) for o in found)
    print(f"{len(found)} healthy hours, asked {asks} times")
    print(f"hours that named anything: {len(named)}; that accused a version: {len(wronged)}")
    for outcome in named:
        first = next((at, j) for at, j in outcome.judged if j.named)
        job, times = outcome.job, sum(j.named for _, j in outcome.judged)
        print(f"  {job.seed}/{job.number}/{job.kind}: {times} times, first at {first[0]:.0f} s: {first[1].first}")


def show(job: Job) -> None:
    world = job.draw()
    source = memory(sampled(world), START)
    print(world.text, *(f"\n  {change}" for change in world.changes[:20]))
    for at in _moments(job, world):
        found = ask(source, world, at)
        judged = judge(world, found, START, START + at)
        print(
            f"\n== at {at:.0f} s: top1={judged.top1} top3={judged.top3} wronged={judged.wronged} stray={judged.stray}"
        )
        print(text.plain(found) if at == world.seconds else judged.first)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", default="101", help="other seeds, other worlds; several with commas")
    options.add_argument("--count", type=int, default=2, help="worlds of each kind")
    options.add_argument(
        "--kinds", default="", help="only kinds with one of these texts in their name, comma-separated"
    )
    options.add_argument("--every", type=float, default=0.0, help="ask every so many seconds from the fault on, too")
    options.add_argument("--hours", action="store_true", help="healthy hours, asked every 20 s")
    options.add_argument("--jobs", type=int, default=2, help="processes")
    options.add_argument("--keep", type=Path, help="a file of results to go on with")
    options.add_argument("--world", default="", help="seed/number/kind of one world to show")
    given = options.parse_args()
    if given.world:
        seed, number, kind = given.world.split("/", 2)
        show(Job(int(seed), int(number), kind, given.every, HOUR_S if given.hours else None))
        return
    wanted = [part.strip() for part in given.kinds.split(",") if part.strip()]
    kinds = [k for k in (QUIET if given.hours else KINDS) if not wanted or any(part in k for part in wanted)]
    every, seconds = (given.every or 20.0, HOUR_S) if given.hours else (given.every, None)
    seeds = [int(seed) for seed in given.seed.split(",")]
    jobs = [Job(seed, n, kind, every, seconds) for seed in seeds for n in range(given.count) for kind in kinds]
    before = kept(given.keep)
    left = [job for job in jobs if job not in {one.job for one in before}]
    made = keeping(outcomes(left, given.jobs), given.keep)
    found = [*before, *(told(made) if given.hours else made)]
    if given.hours:
        hours(found)
        return
    misses(found)
    table(found)


if __name__ == "__main__":
    main()
