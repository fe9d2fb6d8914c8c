"""Note in the history that the way back was tried, and how long it took."""

from dataclasses import dataclass
from typing import Any, ClassVar

from delivery.environments.library import Library
from delivery.environments.operations.base import Operation
from delivery.environments.state import State


@dataclass(frozen=True, kw_only=True)
class Rehearsed(Operation):
    """Every dimension of the release that runs went back and forth; `took_s` is the slowest way, in seconds."""

    kind: ClassVar[str] = "rehearsed"
    records: ClassVar[bool] = True
    took_s: float
    places: tuple[str, ...]

    def apply(self, state: State, library: Library, number: int) -> State:  # noqa: ARG002 the interface
        """Nothing changes."""
        return state

    @property
    def details(self) -> dict[str, Any]:
        """Seconds, and what was tried."""
        return {"took_s": round(self.took_s, 3), "places": list(self.places)}
