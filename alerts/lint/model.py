"""What a check takes and what it says. Not here: the checks, and how rules are read (`alerts.promql.ruleset`)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from alerts.promql.ruleset import Rule, RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a rule that is wrong: which rule, which check, what, and what to do."""

    rule: str
    check: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.check}: {self.message}; fix: {self.fix}"


class Problem(NamedTuple):
    """What a check says of one rule."""

    message: str
    fix: str


Check = Callable[[Rule, RuleSet], Iterator[Problem]]
"""One check of one rule; it may look at all others. Its name is the name of the function."""
