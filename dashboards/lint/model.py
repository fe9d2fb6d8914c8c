"""A dashboard as its rules see it: panels, targets and variables of the generated JSON."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = Mapping[str, Any]
RATE_INTERVAL: Final = "251m"  # stands for $__rate_interval: nobody writes such a window by hand
_TIMES: Final = (("$__rate_interval", RATE_INTERVAL), ("$__range", "1h"), ("$__interval", "1m"))
_VARIABLE: Final = re.compile(r"\$(?:\{\w+(?::\w+)?\}|\w+)")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found; the message names what was expected."""

    rule: str
    board: str
    panel: str
    message: str


@dataclass(frozen=True, slots=True)
class Target:
    """A query of a panel."""

    panel: Json
    query: Json

    @property
    def kind(self) -> str:
        """The plugin that answers it."""
        return str(self.query.get("datasource", {}).get("type", ""))

    @property
    def expr(self) -> str:
        """PromQL or LogQL; empty for other languages."""
        return str(self.query.get("expr", ""))

    @property
    def filled(self) -> str:
        """The same with values for its variables, so that it can be parsed."""
        text = self.expr
        for name, value in _TIMES:
            text = text.replace(name, value)
        return _VARIABLE.sub("x", text)


def panels(board: Json) -> Iterator[Json]:
    """Every panel, those of collapsed rows too; rows themselves are none."""
    for panel in board.get("panels", []):
        if panel["type"] != "row":
            yield panel
        yield from panel.get("panels", [])


def targets(board: Json, kind: str) -> Iterator[Target]:
    """Every query of one plugin."""
    for panel in panels(board):
        for query in panel.get("targets", []):
            target = Target(panel, query)
            if target.kind == kind:
                yield target


def variables(board: Json, kind: str) -> Iterator[Json]:
    """Variables of one type."""
    return (each for each in board.get("templating", {}).get("list", []) if each["type"] == kind)
