"""What the value of a label has to be. A text is that text, whatever it begins with: names come from telemetry.

Another comparison is another type, so that no name can ask for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from agentobs.contract import Label


@dataclass(frozen=True, slots=True)
class Not:
    """Every value but this one."""

    value: str


@dataclass(frozen=True, slots=True)
class Like:
    """Values that a regular expression matches as a whole. Who wants a name in it escapes that."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Unlike:
    """Values that a regular expression does not match."""

    pattern: str


Wanted: TypeAlias = str | Not | Like | Unlike
Where: TypeAlias = Mapping[Label, Wanted]


def narrows(inner: Where, outer: Where) -> bool:
    """Whether everything that `inner` selects is selected by `outer` too, as far as the two say the same labels."""
    return all(label in inner and _within(inner[label], wanted) for label, wanted in outer.items())


def _within(inner: Wanted, outer: Wanted) -> bool:
    return inner == outer or (isinstance(outer, Not) and isinstance(inner, str) and inner != outer.value)
