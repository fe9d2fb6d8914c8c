"""Redaction as transform processors: a cheap look at everything, and the rules only where something was seen.

The look: all attributes as one JSON text, a few literal searches in it, and a mark on the span that met one. Only a
marked span pays for the rules. Strings are masked where they are. Lists and maps are masked in the JSON text and put
back, so they keep their shape; numbers inside such a masked list or map come back as doubles, numbers beside it are not
touched. Not here: what is looked for (`patterns`), which store gets content at all (`content`).
"""

from dataclasses import dataclass
from typing import Any, Final

from collector.redaction.patterns import RULES, SECRET_KEY, Rule

_MARK: Final = "agentobs.redact"


@dataclass(frozen=True)
class _Place:
    """One OTTL context and the texts in it besides its attributes."""

    context: str
    texts: tuple[str, ...] = ()

    @property
    def attributes(self) -> str:
        return f"{self.context}.attributes"

    @property
    def mark(self) -> str:
        return f'{self.attributes}["{_MARK}"]'

    def cache(self, name: str) -> str:
        return f'{self.context}.cache["{name}"]'


_TRACES: Final = (
    _Place("resource"),
    _Place("span", ("span.name", "span.status.message")),
    _Place("spanevent", ("spanevent.name",)),
)
_LOGS: Final = (_Place("resource"), _Place("log", ("log.body",)))


def _quoted(pattern: str) -> str:
    """A regular expression as an OTTL string."""
    return '"' + pattern.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _replacement(text: str) -> str:
    """`$` begins a variable in the configuration of a collector, so it is doubled."""
    return _quoted(text)


def _seen(text: str, gates: tuple[str, ...]) -> str:
    return " or ".join(f"IsMatch({text}, {_quoted(gate)})" for gate in gates)


def _whole(place: _Place) -> str:
    parts = ", ".join((f"String({place.attributes})", *place.texts))
    text = f'Concat([{parts}], "\\n")' if place.texts else f"String({place.attributes})"
    return f"set({place.cache('text')}, {text})"


def _look(place: _Place) -> dict[str, Any]:
    gates = tuple(dict.fromkeys(gate for rule in RULES for gate in rule.gates))
    return {
        "context": place.context,
        "statements": [_whole(place), f"set({place.mark}, true) where {_seen(place.cache('text'), gates)}"],
    }


def _apply(place: _Place, rule: Rule) -> list[str]:
    where = f"where {_seen(place.cache('text'), rule.gates)}"
    arguments = f"{_quoted(rule.pattern)}, {_replacement(rule.replacement)}"
    texts = (*place.texts, place.cache("json"))
    return [
        f'replace_all_patterns({place.attributes}, "value", {arguments}) {where}',
        *(f"replace_pattern({text}, {arguments}) {where}" for text in texts),
    ]


def _mask(place: _Place) -> dict[str, Any]:
    rules = [statement for rule in RULES for statement in _apply(place, rule)]
    return {
        "context": place.context,
        "conditions": [f"{place.mark} != nil"],
        "statements": [
            f'delete_key({place.attributes}, "{_MARK}")',
            _whole(place),
            f"set({place.cache('json')}, String({place.attributes})) "
            f'where IsMatch({place.cache("text")}, "\\":[[{{]")',
            *rules,
        ],
    }


def _processor(kind: str, places: tuple[_Place, ...]) -> dict[str, Any]:
    groups = [group for place in places for group in (_look(place), _mask(place))]
    return {"error_mode": "ignore", f"{kind}_statements": groups}


def trace_processors() -> dict[str, dict[str, Any]]:
    """Processors for traces, in order; they belong behind sampling, for they are the dearest part."""
    return {"transform/redact_traces": _processor("trace", _TRACES)}


def log_processors() -> dict[str, dict[str, Any]]:
    """Processors for log records, in order."""
    return {"transform/redact_logs": _processor("log", _LOGS)}
