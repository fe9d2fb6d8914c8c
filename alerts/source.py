"""What diagnosis, checks and reports read from: any store that answers PromQL. Clients are with the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

EXPORT_DELAY_S: Final = 15.0
"""A call shows in a counter this many seconds late at most: a collector flushes, and a new series waits for a second
flush."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of an instant query with its labels."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """Points `(unix seconds, value)` of a range query, oldest first, with their labels."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A trace that contributed `value` to a series at `at` (unix seconds)."""

    trace_id: str
    value: float
    at: float


class MetricsSource(Protocol):
    """The three questions a diagnosis asks."""

    def instant(self, query: str, at: float) -> list[Sample]:
        """Evaluate `query` at unix time `at`."""

    def range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """Evaluate `query` every `step` seconds from `start` to `end`."""

    def exemplars(self, query: str, start: float, end: float) -> list[Exemplar]:
        """Exemplars of the series that `query` selects."""
