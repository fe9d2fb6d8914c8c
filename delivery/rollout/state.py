"""Everything a decision needs to know of the past: it is stored after each look and survives a restart. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from alerts.statistics import SafeTest
from delivery.environments.state import WHOLE, SplitKind
from delivery.errors import DeliveryError
from delivery.rollout.decision import Decision
from delivery.rollout.evidence import Reading, Sides, Tick, Watch
from delivery.rollout.guardrails import TASKS
from delivery.rollout.plan import Plan, Watched

SETTLED_S: Final = 120.0
"""After a change of the share, tasks that began before it still end: the split is counted from then on."""

_NOISE: Final = 0.01  # stores that guess at the edges of windows count a little more or less each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How tasks were split on this step: the canary's, how many it should have had, and the variance of that."""

    seen: float = 0.0
    expected: float = 0.0
    variance: float = 0.0

    def after(self, grown: Sides, share: float) -> "Split":
        """With more tasks, assigned at this share (0 to 1)."""
        return Split(
            seen=self.seen + grown.canary.events,
            expected=self.expected + share * grown.events,
            variance=self.variance + share * (1 - share) * grown.events,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A canary so far. `key`, `began` and `watched` are its plan's, for the plan of whoever goes on after a restart.

    `step_s`, `step_tasks` (the canary's), `split` and `looked` (how often it was asked whether this step is good
    enough) begin anew with each share. `quiet_s`: so long the canary had no task, while `quiet_expected` were its due.
    `answered`: the last look had a reading to trust; `unanswered_s`: so long there was none. `broken` are guardrails
    that were called worse, which stays so; `accepted` are those that a person took out.
    """

    key: str
    began: float
    watched: Mapping[str, Watched]
    share: int
    watches: Mapping[str, Watch]
    step_s: float = 0.0
    step_tasks: float = 0.0
    split: Split = field(default_factory=Split)
    looked: int = 0
    quiet_s: float = 0.0
    quiet_expected: float = 0.0
    answered: bool = True
    unanswered_s: float = 0.0
    broken: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    verdict: Decision | None = None

    def after(self, tick: Tick) -> "State":
        """With one more look; what it says is kept only where it can be trusted."""
        state = self if tick.share == self.share else self._on_step(tick.share)
        known = state.watches[TASKS]
        tasks = tick.reading.counts.get(TASKS, known.seen) if tick.reading else None
        if tick.reading is None or tasks is None or _fell(known.seen, tasks):
            return replace(state, answered=False, unanswered_s=state.unanswered_s + tick.passed_s)
        return _counting(state, tick.reading, tasks, tick.passed_s)

    def accepting(self, keys: Iterable[str]) -> "State":
        """After a person looked at guardrails and said that the canary may go on: they decide nothing any more."""
        return replace(self, accepted=tuple(sorted({*self.accepted, *keys})))

    def _on_step(self, share: int) -> "State":
        return replace(self, share=share, step_s=0.0, step_tasks=0.0, split=Split(), looked=0)


def _counting(state: State, reading: Reading, tasks: Sides, elapsed_s: float) -> State:
    grown, share = tasks.grown_since(state.watches[TASKS].seen), state.share / WHOLE
    due = share / (1 - share) * grown.stable.events if share < 1 else 0.0
    came = grown.canary.events > 0
    step_s = state.step_s + elapsed_s
    return replace(
        state,
        watches={
            key: watch.after(reading.counts.get(key), elapsed_s, alive=grown.events > 0)
            for key, watch in state.watches.items()
        },
        step_s=step_s,
        step_tasks=state.step_tasks + grown.canary.events,
        split=state.split.after(grown, share) if step_s > SETTLED_S else state.split,
        quiet_s=0.0 if came else state.quiet_s + elapsed_s,
        quiet_expected=0.0 if came else state.quiet_expected + due,
        answered=True,
        unanswered_s=0.0,
    )


def _fell(before: Sides, now: Sides) -> bool:
    """Whether there are fewer tasks than before: the store lost some, or its clock went back."""
    return any(
        new.events < old.events * (1 - _NOISE) - 1
        for old, new in ((before.stable, now.stable), (before.canary, now.canary))
    )


def begin(plan: Plan, share: int) -> State:
    """The state of a canary that has no evidence yet."""
    two_sided = plan.kind is SplitKind.AB
    return State(
        key=plan.key,
        began=plan.began,
        watched=dict(plan.watched),
        share=share,
        watches={key: _watch(watched, two_sided=two_sided) for key, watched in plan.watched.items()},
    )


def _watch(watched: Watched, *, two_sided: bool) -> Watch:
    test = SafeTest(watched.past)
    return Watch(worse=test, better=test if two_sided else None)


def resumed(plan: Plan, share: int, known: State | None) -> State:
    """What is known of this very canary; nothing where there is none, or where the candidate is another one now."""
    return known if known is not None and known.key == plan.key else begin(plan, share)


_STATE: Final = TypeAdapter(State)


def to_json(state: State) -> dict[str, Any]:
    """The form that is stored."""
    return dict(_STATE.dump_python(state, mode="json"))


def from_json(document: object) -> State:
    """Read it back. Raises DeliveryError for what is none."""
    try:
        return _STATE.validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise DeliveryError(
            f"the stored evidence of a canary cannot be read: {where}: {first['msg']}; expected what `status` shows;"
            " fix: end this canary and start it anew, which begins from zero"
        ) from None
