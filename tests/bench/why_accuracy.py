"""How often `agentobs why` is right: random faults in many environments at once, through the real collector.

    make bench-why                                   # 90 trials in three batches, about 15 minutes
    make bench-why WHY='--seed 7 --scale 0.3 --batches 1'

Every trial is an environment of its own, with traffic, version changes and a fault (or none) drawn from the seed; the
truth stays in this process. While the trials run, `why` is asked again and again, to see how long after the fault it
first gives the right answer and whether it ever accuses an innocent version on the way.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from support.judging import Judgement, judge
from support.play import play
from support.trial_stack import arrived, trial_stack
from support.trials import Trial, draw_all

from collector.signals import Label
from runbooks.diagnosis import Window, diagnose
from runbooks.report import Diagnosis
from stacks.cli.prometheus import Prometheus, PrometheusError

_BEFORE_S = 30.0


@dataclass
class Asked:
    """What `why` said of one trial, each time it was asked: (unix seconds, answer)."""

    trial: Trial
    answers: list[tuple[float, Diagnosis]] = field(default_factory=list)


def ask(source: Prometheus, trial: Trial, start: float) -> Diagnosis:
    now = time.time()
    return diagnose(source, Window(start=start, end=now, where={Label.ENVIRONMENT: trial.environment}))


def keep_asking(source: Prometheus, asked: Sequence[Asked], start: float, stop: threading.Event) -> None:
    """One trial after the other, round and round."""
    while not stop.is_set():
        for one in asked:
            if stop.wait(0.05):
                return
            # A machine too busy to answer is asked again; only the last answer must come.
            with suppress(PrometheusError):
                one.answers.append((time.time(), ask(source, one.trial, start)))


@dataclass
class Outcome:
    """One trial, judged."""

    trial: Trial
    judgement: Judgement
    last: Diagnosis
    seconds: float
    right_after_s: float | None
    wronged_on_the_way: int


def judged(one: Asked, times: Sequence[float], seconds: float) -> Outcome:
    _, last = one.answers[-1]
    verdicts = [(at, judge(one.trial, answer, times)) for at, answer in one.answers]
    after = None
    if one.trial.faults:
        broke = times[min(len(times) - 1, int(min(f.at for f in one.trial.faults) * len(times)))]
        right = [at for at, verdict in verdicts if verdict.top1 and at > broke and verdict.since_s is not None]
        after = min(right) - broke if right else None
    wronged = sum(verdict.wronged > 0 for _, verdict in verdicts)
    return Outcome(one.trial, verdicts[-1][1], last, seconds, after, wronged)


def run_batch(trials: list[Trial], seconds: float, folder: Path) -> list[Outcome]:
    with trial_stack(folder) as (prometheus, collector):
        source, stop = Prometheus(prometheus.url), threading.Event()
        asked = [Asked(trial) for trial in trials]
        start = time.time() - _BEFORE_S
        asker = threading.Thread(target=keep_asking, args=(source, asked, start, stop), daemon=True)
        asker.start()
        times = play(trials, lambda message: collector.send(message).raise_for_status(), seconds, progress)
        stop.set()
        asker.join()
        arrived(prometheus, trials)
        outcomes = []
        for one in asked:
            began = time.monotonic()
            one.answers.append((time.time(), ask(source, one.trial, start)))
            outcomes.append(judged(one, times, time.monotonic() - began))
    return outcomes


def progress(share: float) -> None:
    print(f"\r{share:6.1%} played", end="" if share < 1 else "\n", flush=True)


def table(outcomes: Sequence[Outcome]) -> None:
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.trial.kind].append(outcome)
    print(f"{'kind of trial':<30}{'trials':>7}{'top-1':>7}{'top-3':>7}{'innocents accused':>19}")
    for kind, mine in [*by_kind.items(), ("all", list(outcomes))]:
        counts = [sum(getattr(o.judgement, what) for o in mine) for what in ("top1", "top3", "wronged")]
        print(f"{kind:<30}{len(mine):>7}{counts[0]:>7}{counts[1]:>7}{counts[2]:>19}")


def figures(outcomes: Sequence[Outcome]) -> None:
    faulty = [o for o in outcomes if o.trial.faults]
    healthy = [o for o in outcomes if not o.trial.faults]
    after = sorted(o.right_after_s for o in faulty if o.right_after_s is not None)
    since = sorted(abs(o.judgement.since_s) for o in faulty if o.judgement.since_s is not None)
    versioned = sorted(
        abs(o.judgement.since_s)
        for o in faulty
        if o.judgement.since_s is not None and o.last.hypotheses and o.last.hypotheses[0].culprit
    )
    print(f"false accusations in healthy trials: {sum(o.judgement.wronged > 0 for o in healthy)} of {len(healthy)}")
    print(f"anything named in healthy trials: {sum(not o.judgement.top1 for o in healthy)} of {len(healthy)}")
    print(f"trials with a wrong accusation at any moment: {sum(o.wronged_on_the_way > 0 for o in outcomes)}")
    print(f"median seconds from the fault to the right answer: {statistics.median(after):.0f} ({len(after)} trials)")
    print(
        f"error of `since`: median {statistics.median(since):.1f} s; with a version {statistics.median(versioned):.1f}"
    )
    print(f"seconds per `why`: median {statistics.median(o.seconds for o in outcomes):.2f}")
    sure: dict[str, list[bool]] = defaultdict(list)
    for outcome in faulty:
        if outcome.last.hypotheses:
            sure[f"{outcome.last.hypotheses[0].confidence:.1f}"].append(outcome.judgement.top1)
    print("right, by confidence:", ", ".join(f"{k}: {sum(v)}/{len(v)}" for k, v in sorted(sure.items())))


def misses(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        verdict = outcome.judgement
        if verdict.top1 and verdict.top3 and not verdict.wronged:
            continue
        print(f"\n{outcome.trial.environment} {outcome.trial.kind}: {outcome.trial.text}")
        print(f"  {outcome.last.verdict}{' (undecided)' if verdict.undecided else ''}")
        for hypothesis in outcome.last.hypotheses:
            print(f"  {hypothesis.confidence:.2f} {hypothesis.title}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=101, help="other seeds, other trials")
    options.add_argument("--scale", type=float, default=0.32, help="trials of a batch, as a share of a hundred")
    options.add_argument("--batches", type=int, default=3, help="how many times, each with the next seed")
    options.add_argument("--seconds", type=float, default=150, help="how long the trials of a batch last")
    given = options.parse_args()
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="agentobs-why-") as folder:
        for number in range(given.batches):
            trials = draw_all(given.seed + number, given.scale)
            print(f"seed {given.seed + number}: {len(trials)} trials at once for {given.seconds:.0f} s", flush=True)
            outcomes += run_batch(trials, given.seconds, Path(folder) / str(number))
            misses(outcomes)
            table(outcomes)
            figures(outcomes)


if __name__ == "__main__":
    main()
