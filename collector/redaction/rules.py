"""What a redaction rule is, and how rules become the lists of the collector's processors.

Go's regexp is quick only where a pattern begins with a literal: a search of bytes then skips all text without it. So
rules begin inside the word that they look for (`assword`), numbers get a mark in front first (`personal`), and rules
with the same beginning are tried in one search. The rules themselves: `tokens`, `named`, `personal`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MASK: Final = "****"
"""What stands where something was: the `redaction` processor knows no other text."""
_TOGETHER: Final = 2  # rules that share so many first letters are one search


class Kind(StrEnum):
    """What a rule goes by."""

    TOKEN = "its own shape"  # noqa: S105 no password
    NAMED = "the name beside it"
    PERSONAL = "its grouping"


@dataclass(frozen=True, slots=True)
class Rule:
    """All of what `pattern` matches becomes the mask, wherever it stands; `source` is where the shape is published."""

    name: str
    kind: Kind
    pattern: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class TextRule:
    """A rule for texts only, which keeps what `replacement` names: quotes, names, and what comes behind a number."""

    name: str
    kind: Kind
    pattern: str
    replacement: str


def grouped(rules: Iterable[Rule]) -> list[str]:
    """The patterns of `rules`, those with the same first letters as one; otherwise in their order."""
    by_start: dict[str, list[str]] = {}
    for rule in rules:
        start = rule.pattern[:_TOGETHER]
        by_start.setdefault(start if start.isalnum() else rule.pattern, []).append(rule.pattern)
    return [
        each[0] if len(each) == 1 else f"{start}(?:{'|'.join(pattern[_TOGETHER:] for pattern in each)})"
        for start, each in by_start.items()
    ]
