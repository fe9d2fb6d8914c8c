"""How fast the clock of rules runs: production time, or a rehearsal in which minutes pass in seconds.

Windows, holds and intervals are divided by `speed`; names of recorded series, thresholds and counts of events stay.
"""

from dataclasses import dataclass

from alerts.promql import duration


@dataclass(frozen=True, slots=True)
class Timing:
    """`speed` 1 is production; 60 makes five minutes five seconds. Raises ValueError below 1."""

    speed: float = 1

    def __post_init__(self) -> None:
        if self.speed < 1:
            raise ValueError(f"alert speed {self.speed}: expected 1 (production) or more")

    def seconds(self, nominal_s: float) -> float:
        """A length of time as this clock runs."""
        return nominal_s / self.speed

    def of(self, nominal_s: float) -> str:
        """The same as a Prometheus duration."""
        return duration(self.seconds(nominal_s))

    def interval(self, nominal_s: float) -> str:
        """How often a group is evaluated: never more than once a second."""
        return duration(max(1.0, self.seconds(nominal_s)))


PRODUCTION = Timing()
