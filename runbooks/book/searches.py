"""Searches in pages: what `agentobs traces` and `agentobs logs` are asked, in the words of the telemetry contract.

A page asks in no store's language, so it holds whichever stores an environment has.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from agentobs.contract import Attr, Event
from collector.search import SearchError, words
from collector.search.model import seconds
from runbooks.book import commands

SEARCHES: Final = frozenset(("traces", "logs"))
LOOKS: Final = SEARCHES | {"why", "status"}
"""Commands that show what happened."""
_NEVER_FILLED: Final = re.compile(r"--where[ =]'[^']*\$[A-Za-z_{]")


def looks(text: str) -> bool:
    """Whether a script shows what happened. What no shell reads shows nothing."""
    return any(call[1] in LOOKS for call in _calls(text))


def problems(text: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the searches of a script, and the fix."""
    if _NEVER_FILLED.search(text):
        yield "a label between single quotes is never filled in", 'double quotes: --where "NAME = $label"'
    for _, name, *rest in _calls(text):
        if name in SEARCHES:
            for option, value in _options(rest):
                yield from _wrong(option, value)


def _calls(text: str) -> list[list[str]]:
    """Calls of agentobs with at least one word; that no shell reads them is found by another check."""
    try:
        return [call for call in commands.calls(text) if call[0] == "agentobs" and len(call) > 1]
    except ValueError:
        return []


def _options(given: list[str]) -> Iterator[tuple[str, str]]:
    for word, following in pairwise([*given, ""]):
        option, joined, value = word.partition("=")
        if option.startswith("--"):
            yield option, value if joined else following


def _wrong(option: str, value: str) -> Iterator[tuple[str, str]]:
    try:
        match option:
            case "--where":
                for term in words.condition(value):
                    yield from _attribute(term.key)
            case "--by":
                yield from _attribute(value)
            case "--event" if value not in set(Event):
                yield f"there is no event {value}", f"one of {', '.join(Event)}"
            case "--slower":
                seconds(value)
    except SearchError as error:
        message, _, fix = str(error).partition("; ")
        yield message, fix


def _attribute(name: str) -> Iterator[tuple[str, str]]:
    if name not in set(Attr):
        yield f"there is no attribute {name}", "a name of collector/README.md"
