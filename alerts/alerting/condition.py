"""What an alert compares, as values with thresholds that are joined; its expression is rendered from this.

Nothing reads an expression to find out what an alert is about: panels, quick checks and pages ask the condition.
"""

import functools
import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a comparison is for."""

    VALUE = "value"
    """One of these has to hold; its value is what the message shows."""
    GUARD = "guard"
    """Has to hold too."""
    ENDS = "ends"
    """Must not hold."""


class _Set(StrEnum):
    """How PromQL joins two conditions."""

    AND = "and"
    OR = "or"
    UNLESS = "unless"


WORDS: Final = {
    "<": "below", "<=": "at most", ">": "above", ">=": "at least", "==": "equal to", "!=": "other than",
}  # fmt: skip


class Condition:
    """Something that holds or does not, for each instance of an alert; `str()` is its PromQL."""

    def __and__(self, other: "Condition") -> "Condition":
        return _Joined(self, _Set.AND, other)

    def __or__(self, other: "Condition") -> "Condition":
        return _Joined(self, _Set.OR, other)

    def unless(self, other: "Condition") -> "Condition":
        """This, where the other does not hold."""
        return _Joined(self, _Set.UNLESS, other)

    def and_on(self, labels: str, other: "Condition") -> "Condition":
        """Both, joined by these labels alone (`a, b`): the other has no further ones in common."""
        return _Joined(self, _Set.AND, other, labels)

    def comparisons(self, role: Role = Role.VALUE, on: frozenset[str] | None = None) -> Iterator["Comparison"]:
        """Every comparison, from left to right, with its role where the whole has that role."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Comparison(Condition):
    """`value operator threshold`; without an operator the value only has to be there.

    A threshold is a number, or PromQL of which `matching` (`on (kpi) group_left()`) says how it is joined with the
    value. `role` and `on`, the labels by which it is joined with what stands before it, are those in a whole condition.
    """

    value: str
    operator: str = ""
    threshold: float | str = ""
    matching: str = ""
    role: Role = Role.VALUE
    on: frozenset[str] | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, (self.value, self.operator, self.matching, self.threshold_text)))

    @property
    def threshold_text(self) -> str:
        """The threshold as PromQL; empty where there is none."""
        return self.threshold if isinstance(self.threshold, str) else f"{self.threshold:g}"

    @property
    def is_number(self) -> bool:
        """Whether the threshold is a number."""
        return bool(self.operator) and not isinstance(self.threshold, str)

    @property
    def number(self) -> float:
        """The threshold that is a number. Raises TypeError for another one."""
        if isinstance(self.threshold, str):
            raise TypeError(f"{self} is not compared with a number")
        return self.threshold

    @property
    def is_above(self) -> bool:
        """Whether trouble is above the threshold."""
        return self.operator in {">", ">="}

    @property
    def is_asked(self) -> bool:
        """Whether the threshold is what a recorded series says (they have colons), not a number or the time."""
        return isinstance(self.threshold, str) and ":" in self.threshold

    def comparisons(self, role: Role = Role.VALUE, on: frozenset[str] | None = None) -> Iterator["Comparison"]:
        """Itself, with that role."""
        yield Comparison(self.value, self.operator, self.threshold, self.matching, role, on)


@dataclass(frozen=True, slots=True)
class _Joined(Condition):
    left: Condition
    operator: _Set
    right: Condition
    on: str = ""

    def __str__(self) -> str:
        joined = f"{self.operator} on ({self.on})" if self.on else str(self.operator)
        return f"{self._within(self.left)} {joined} {self._within(self.right, right=True)}"

    def _within(self, part: Condition, *, right: bool = False) -> str:
        """In parentheses where PromQL would read it otherwise: `or` binds less, the others alike and from the left."""
        if not isinstance(part, _Joined) or (part.operator is self.operator is not _Set.UNLESS and not part.on):
            return str(part)
        reads_alike = not right and _Set.OR not in {self.operator, part.operator}
        return str(part) if reads_alike else f"({part})"

    def comparisons(self, role: Role = Role.VALUE, on: frozenset[str] | None = None) -> Iterator[Comparison]:
        """Those of both sides: what stands behind `and` guards, behind `unless` it ends the alert."""
        yield from self.left.comparisons(role, on)
        if self.operator is _Set.OR:
            yield from self.right.comparisons(role, on)
            return
        ends = self.operator is _Set.UNLESS or role is Role.ENDS
        labels = frozenset(label.strip() for label in self.on.split(",")) if self.on else on
        yield from self.right.comparisons(Role.ENDS if ends else Role.GUARD, labels)


def any_of(conditions: Iterable[Condition]) -> Condition:
    """One of them, at least one has to be given."""
    return functools.reduce(operator.or_, conditions)
