"""The rules as a table for people: what is masked, what gives it away, where its shape is published."""

import re
from typing import Final

from collector.redaction import named, personal, tokens

HEADS: Final = ("masked", "told by", "begins", "published by")
# The literal that a token begins with, as far as it is one.
_LITERAL: Final = re.compile(r"(?:[A-Za-z0-9_:/~=-]|\\\.)+(?![*+?{])")


def rows() -> list[tuple[str, str, str, str]]:
    """One row per rule, in the order in which they are tried."""
    by_shape = [
        (rule.name, rule.kind, f"`{match.group().replace(chr(92), '')}`" if match else "", rule.source)
        for rule in tokens.TOKENS
        for match in [_LITERAL.match(rule.pattern)]
    ]
    by_name = [(rule.name, str(rule.kind), "", "") for rule in named.NAMES]
    by_grouping = [(name, "its grouping", "", "") for name in personal.COVERED]
    return [*by_shape, *by_name, *by_grouping]
