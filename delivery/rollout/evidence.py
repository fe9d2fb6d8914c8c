"""What is known of one guardrail since the canary began: counts, e-values, how long nothing came. Pure.

Missing, zero and bad are three things: a guardrail without series is not in a reading, one whose track has had no
events has 0 of 0, and only counted bad events are bad. Counts only grow here: less than before is no news.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from alerts.statistics import NOTHING, Outcomes, SafeTest

RECENT_S: Final = 300.0
"""What "now" is, where both tracks are held against an objective: its own window."""
_LONGEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Sides:
    """Bad events and events of both tracks."""

    stable: Outcomes = NOTHING
    canary: Outcomes = NOTHING

    @property
    def events(self) -> float:
        """Events of both."""
        return self.stable.events + self.canary.events

    def __add__(self, other: "Sides") -> "Sides":
        return Sides(self.stable + other.stable, self.canary + other.canary)

    def grown_since(self, before: "Sides") -> "Sides":
        """How much more there is than before, never less than nothing."""
        return Sides(_grown(before.stable, self.stable), _grown(before.canary, self.canary))


def _grown(before: Outcomes, now: Outcomes) -> Outcomes:
    events = max(0.0, now.events - before.events)
    return Outcomes(min(max(0.0, now.bad - before.bad), events), events)


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts since the canary began, by guardrail; one whose series are missing is missing here."""

    counts: Mapping[str, Sides] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One look. `elapsed_s` comes from a monotonic clock: seconds since the look before, 0 at the first after a start.

    `share` is what the environment's pointer says now, in hundredths of a percent; `reading` is None where no answer
    came. No time of day decides anything, so that a clock that jumps changes nothing.
    """

    elapsed_s: float
    share: int
    reading: Reading | None

    @property
    def passed_s(self) -> float:
        """The seconds that count: a look that came late counts as a minute, for nobody looked meanwhile."""
        return min(max(self.elapsed_s, 0.0), _LONGEST_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One guardrail so far. `better` is the same test with the sides changed over, for A/B comparisons alone.

    `silent_s` is how long tasks came without events of this guardrail; `there`: the last reading had its series.
    """

    worse: SafeTest
    seen: Sides = field(default_factory=Sides)
    better: SafeTest | None = None
    silent_s: float = 0.0
    there: bool = True
    recent: tuple[tuple[float, Sides], ...] = ()

    def after(self, now: Sides | None, elapsed_s: float, *, alive: bool) -> "Watch":
        """With what one more reading says of it; `alive`: some tasks ended meanwhile."""
        if now is None:
            aged = _recent(self.recent, elapsed_s, Sides())
            return replace(self, there=False, silent_s=self.silent_s + elapsed_s, recent=aged)
        grown = now.grown_since(self.seen)
        came = grown.events > 0
        return Watch(
            seen=self.seen + grown,
            worse=self.worse.after(grown.stable, grown.canary) if came else self.worse,
            better=self.better.after(grown.canary, grown.stable) if self.better and came else self.better,
            silent_s=0.0 if came else self.silent_s + (elapsed_s if alive else 0.0),
            recent=_recent(self.recent, elapsed_s, grown),
        )

    @property
    def lately(self) -> Sides:
        """What the last minutes brought."""
        sides = [sides for _, sides in self.recent]
        return Sides(_sum([each.stable for each in sides]), _sum([each.canary for each in sides]))


def _sum(parts: Sequence[Outcomes]) -> Outcomes:
    return Outcomes(sum([part.bad for part in parts]), sum([part.events for part in parts]))


def _recent(known: tuple[tuple[float, Sides], ...], elapsed_s: float, grown: Sides) -> tuple[tuple[float, Sides], ...]:
    """Looks with their age; those that are too old are dropped."""
    aged = ((age + elapsed_s, sides) for age, sides in known)
    return (*((age, sides) for age, sides in aged if age < RECENT_S), *(((0.0, grown),) if grown.events else ()))
