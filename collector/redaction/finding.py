"""What in a text a redaction rule would mask, found here in Python: for files that people check in.

The rules are written for Go's expressions; those that go by their own shape, mail addresses, phones with a country,
accounts and cards read the same here.
"""

import re
from collections.abc import Iterator
from functools import cache

from collector.redaction.personal import LABELS
from collector.redaction.tokens import TOKENS


@cache
def _rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((rule.name, re.compile(_python(rule.pattern))) for rule in (*TOKENS, *LABELS))


def _python(pattern: str) -> str:
    """The expression as Python reads it: classes of letters and code points are spelled otherwise."""
    pattern = pattern.replace(r"[\pL0-9-]", r"(?:[^\W_]|-)").replace(r"\pL", r"[^\W\d_]")
    pattern = re.sub(r"\\x\{([0-9a-f]+)\}", lambda found: f"\\u{int(found[1], 16):04x}", pattern)
    return pattern.replace(r"\x1d?", "")


def secrets_and_personal_data(text: str) -> Iterator[str]:
    """Names of what is in the text: never the thing itself, which must not be repeated."""
    for name, rule in _rules():
        if rule.search(text):
            yield name


def replaced(text: str, known: dict[str, str]) -> str:
    """The text with a stand-in for each such thing; the same thing has the same one, as far as `known` goes."""
    for name, rule in _rules():

        def stand_in(found: re.Match[str], name: str = name) -> str:
            return known.setdefault(found[0], f"<{name.split(':', maxsplit=1)[0]} {len(known) + 1}>")

        text = rule.sub(stand_in, text)
    return text
