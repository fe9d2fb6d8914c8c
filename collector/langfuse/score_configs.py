"""Score configs of a Langfuse project: what people and judges may give, and within which bounds.

Langfuse checks scores against a config, and a person can give a score in its pages only where there is one. It makes
organisation, project and keys at its first start by itself, configs only over its API (`stacks.clients.langfuse`).
"""

from dataclasses import dataclass
from typing import Any, Final

_LONGEST_NAME: Final = 35
NUMERIC: Final = "NUMERIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreConfig:
    """A score from 0 to 1, as `emit.evaluation` takes it. Raises ValueError for a name that Langfuse refuses."""

    name: str
    description: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= _LONGEST_NAME:
            raise ValueError(f"score config {self.name!r}: Langfuse takes names of 1 to {_LONGEST_NAME} characters")

    def document(self) -> dict[str, Any]:
        """As Langfuse's API takes it."""
        described = {"description": self.description} if self.description else {}
        return {"name": self.name, "dataType": NUMERIC, "minValue": 0, "maxValue": 1, **described}


STANDARD: Final = (
    ScoreConfig(name="hallucination", description="1: every claim is grounded in what the tools returned; 0: invented"),
    ScoreConfig(name="task_quality", description="1: the answer does what was asked for; 0: it does not"),
)
"""The evaluations that the product knows by name."""
