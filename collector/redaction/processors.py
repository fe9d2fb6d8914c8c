"""Redaction as transform processors: a cheap look at everything, and the rules only where something was seen.

The look: all attributes as one JSON text, a few literal searches in it, and a mark on the span that met one. Only a
marked span pays for the rules. Strings are masked where they are. Lists and maps are masked in the JSON text and put
back, so they keep their shape; numbers inside such a masked list or map come back as doubles, numbers beside it are not
touched. Not here: what is looked for (`patterns`), which store gets content at all (`content`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from collector.redaction.patterns import RULES, Rule

# Characters so rare in prose and JSON that looking closer at each is cheaper than one more search.
_RARE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789kxvjqzpwg@+(-.")
_FREQUENT: Final = "_-etaoinsrhldcumfpgwybvkxjqz"  # the most frequent first
# A run of literals; a character that is repeated or optional is none.
_LITERALS: Final = re.compile(r"[A-Za-z0-9_-]*(?![?*+{])")
_MARK: Final = "agentobs.redact"
# A cost or a score as a float has so many digits that it looks like a card or an id; nobody writes those this way.
_LONG_FRACTION: Final = r"0\.[0-9]{12,}"
# All that stands before the next key of a list, a map or a masked secret; and of a text too.
_BEFORE_NESTED: Final = r'(?s).*?"([^"\\]*)":(?:[\[{]|"\[redacted:secret)'
_BEFORE_TEXT: Final = r'(?s).*?"([^"\\]*)":["\[{]'


@dataclass(frozen=True)
class _Place:
    """One OTTL context, the texts in it besides its attributes, and a field that may hold a list or a map."""

    context: str
    texts: tuple[str, ...] = ()
    body: str = ""

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
    _Place("scope"),
    _Place("span", ("span.name", "span.status.message")),
    _Place("spanevent", ("spanevent.name",)),
)
_LOGS: Final = (_Place("resource"), _Place("scope"), _Place("log", body="log.body"))


def _quoted(text: str) -> str:
    """A regular expression or a replacement as an OTTL string; the collector reads a single `$` as a variable."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"'


def _seen(text: str, gates: tuple[str, ...]) -> str:
    return " or ".join(f"IsMatch({text}, {_quoted(gate)})" for gate in gates)


def _look(place: _Place) -> list[str]:
    """Everything of the place as one text, so that a gate is tried once and not once per attribute."""
    texts = (f"ToKeyValueString({place.attributes})", *place.texts, *((place.body,) if place.body else ()))
    text = f'Concat([{", ".join(texts)}], "\\n")' if len(texts) > 1 else texts[0]
    target = place.cache("text")
    return [f"set({target}, {text})", f'replace_pattern({target}, {_quoted(_LONG_FRACTION)}, "0")']


def _from_rarest(gate: str) -> str:
    """The gate from the rarest of its leading literals on: matches no less, and is found sooner."""
    literals = _LITERALS.match(gate)
    if literals is None or not literals.group():
        return gate
    # What is not in _FREQUENT is rarer than anything in it.
    rank = [_FREQUENT.find(letter) % (len(_FREQUENT) + 1) for letter in literals.group()]
    return gate[rank.index(max(rank)) :]


def _merged(gates: Iterable[str]) -> tuple[str, ...]:
    """One gate for all that begin with the same rare character: each search has a price of its own."""
    by_start: dict[str, list[str]] = {}
    for gate in dict.fromkeys(_from_rarest(gate) for gate in gates):
        start = gate[:2] if gate.startswith("\\") else gate[:1]
        by_start.setdefault(start if start[-1] in _RARE else gate, []).append(gate)
    return tuple(
        group[0] if len(group) == 1 else f"{start}(?:{'|'.join(gate[len(start) :] for gate in group)})"
        for start, group in by_start.items()
    )


def _mark(place: _Place) -> dict[str, Any]:
    gates = _merged(gate for rule in RULES for gate in rule.gates)
    return {
        "context": place.context,
        "statements": [*_look(place), f"set({place.mark}, true) where {_seen(place.cache('text'), gates)}"],
    }


def _apply(place: _Place, rule: Rule) -> list[str]:
    where = f"where {_seen(place.cache('text'), rule.gates)}"
    arguments = f"{_quoted(rule.pattern)}, {_quoted(rule.replacement)}"
    bodies = (place.body, place.cache("body")) if place.body else ()
    return [
        f'replace_all_patterns({place.attributes}, "value", {arguments}) {where}',
        *(f"replace_pattern({text}, {arguments}) {where}" for text in (*place.texts, place.cache("json"), *bodies)),
    ]


def _put_back(place: _Place, target: str, name: str, before_key: str) -> list[str]:
    """Lists, maps and values of secret keys from the masked JSON text: its numbers have lost their type.

    There is no way to ask for keys by type of their value, so they are what stands before `[` or `{` in the text.
    Text that is no JSON any more must not leave the original in place: then the keys go.
    """
    json, keys, parsed = (place.cache(f"{name}{part}") for part in ("", "_keys", "_parsed"))
    found = f'where IsMap({target}) and IsMatch({json}, "redacted:")'
    last = _quoted('"":[')
    return [
        f'set({keys}, Concat([{json}, {last}], "")) {found}',
        f"replace_pattern({keys}, {_quoted(before_key)}, {_quoted('|${1}')}) {found}",
        f'replace_pattern({keys}, {_quoted("[^A-Za-z0-9_|-]")}, ".") {found}',
        f'set({keys}, Concat(["^(?:-", {keys}, ")$$"], "")) {found}',
        f"set({parsed}, ParseJSON({json})) {found}",
        f"delete_matching_keys({target}, {keys}) {found} and {parsed} == nil",
        f"keep_matching_keys({parsed}, {keys}) {found} and {parsed} != nil",
        f'merge_maps({target}, {parsed}, "update") {found} and {parsed} != nil',
    ]


def _body(place: _Place) -> list[str]:
    json = place.cache("body")
    return [
        *_put_back(place, place.body, "body", _BEFORE_TEXT),
        f'set({place.body}, ParseJSON({json})) where IsList({place.body}) and IsMatch({json}, "redacted:")',
    ]


def _mask(place: _Place) -> dict[str, Any]:
    copies = [f"set({place.cache('json')}, String({place.attributes}))"]
    if place.body:
        copies.append(f"set({place.cache('body')}, String({place.body})) where not IsString({place.body})")
    return {
        "context": place.context,
        "conditions": [f"{place.mark} != nil"],
        "statements": [
            f'delete_key({place.attributes}, "{_MARK}")',
            *_look(place),
            *copies,
            *(statement for rule in RULES for statement in _apply(place, rule)),
            *_put_back(place, place.attributes, "json", _BEFORE_NESTED),
            *(_body(place) if place.body else ()),
        ],
    }


def _processor(kind: str, places: tuple[_Place, ...]) -> dict[str, Any]:
    groups = [group for place in places for group in (_mark(place), _mask(place))]
    return {"error_mode": "ignore", f"{kind}_statements": groups}


def trace_processors() -> dict[str, dict[str, Any]]:
    """Processors for traces, in order; they belong behind sampling, for they are the dearest part."""
    return {"transform/redact_traces": _processor("trace", _TRACES)}


def log_processors() -> dict[str, dict[str, Any]]:
    """Processors for log records, in order."""
    return {"transform/redact_logs": _processor("log", _LOGS)}
