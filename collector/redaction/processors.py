"""Redaction as processors: texts first, then everything else, and names on a way through attributes.

    contract   where content is dropped: all that is not on the allow-list goes      `redaction/contract`
    texts      names of secrets keep their place, numbers get their boundaries       `transform/redact_texts`
    keys       whole values under names of secrets                                   `redaction/keys`
    bytes      masked, in traces                                                     `redaction/bytes`
    values     every shape anywhere                                                  `redaction/values`
    restore    names back to where they were                                         `transform/redact_restore`

The `redaction` processor has no error path: what it cannot read it masks. The statements around it cannot fail on any
input; if one did, the data would be refused (`propagate`) and the refusal counted, never passed on. Not here: the rules
(`tokens`, `named`, `personal`), the list (`allowed`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from collector.redaction import allowed, named, personal, tokens
from collector.redaction.content import ContentPolicy
from collector.redaction.rules import grouped

Processors = dict[str, dict[str, Any]]
Groups = list[dict[str, Any]]

_SCRATCH: Final = "agentobs.redact."
# In front of every text while it is looked at: what has none is no text, and what looks like base64 then is bytes.
_TEXT: Final = r"\x1b"
_NO_BYTES: Final = (f"^{_TEXT}", r"^(?:true|false|NaN|-?Infinity|-?[0-9.]+(?:e[+-]?[0-9]+)?)$")
_BYTES: Final = "^[A-Za-z0-9+/]+={0,2}$"
# A text that is empty: after it, an empty value is one that the processor cannot read (a map that holds NaN).
_EMPTY: Final = r"\x1a"
_NOT_READ: Final = "^$"
# Keys that hold data: a mail address, a long number, a token.
_KEYS_WITH_DATA: Final = ("@", "%40", "[0-9](?:[A-Za-z0-9_-]{15}|(?:[ .-]?[0-9]){7})")
_NO_NUMBER: Final = r"(?s)^(?:[^0-9tfNI\x1a-].*|.*[^0-9A-Za-z.+\x1a-].*|.{25,})$"
# Short words and numbers of few digits, most of what spans hold: no rule can match there, so none is tried.
_HARMLESS: Final = r"^\x1b?(?:[a-z][a-z0-9_.-]{0,11}|-?[0-9.]{1,9}|\x1a)$"
# The same of a series key, which is all parts of short words and versions: what nearly every key is.
_PART: Final = r"(?:[a-z_<>-]*[0-9.-]{0,13}|[\w.<>-]{0,14})"
_HARMLESS_KEY: Final = rf"^{_PART}(?:\x1f{_PART})*$"
# Of a status message the class stays that it begins with: `ValueError: ...`, `TimeoutError(...)`, `DEADLINE_EXCEEDED`.
_CLASS: Final = r"^[A-Za-z_][\w.]{0,79}(?:$|[:(])"
_SAID: Final = "(?s)[:(].*"
_REASONS: Final = r"^[\w-]{1,40}(?:,[\w-]{1,40}){0,7}$"
# The values of attributes and bodies; and of labels, which are names: nothing stands beside them.
_VALUES: Final = (_NOT_READ, *grouped((*tokens.TOKENS, *named.NESTED, *personal.NESTED)))
_LABELS: Final = tuple(grouped((*tokens.TOKENS, *personal.LABELS)))


@dataclass(frozen=True, slots=True)
class _Place:
    """One OTTL context, the texts in it besides its attributes, and whether its attributes are prose or JSON."""

    context: str
    fields: tuple[str, ...] = ()
    is_written: bool = True

    @property
    def attributes(self) -> str:
        return f"{self.context}.attributes"

    def scratch(self, field: str) -> str:
        """The key of the attribute that a field passes through."""
        return _SCRATCH + field.replace(".", "_")

    def attribute(self, key: str) -> str:
        return f'{self.attributes}["{key}"]'


_RESOURCE: Final = _Place("resource", is_written=False)
_SCOPE: Final = _Place("scope", ("name", "version"), is_written=False)
_SPAN: Final = _Place("span", ("name", "status.message", "trace_state"))
_POINT: Final = _Place("datapoint")
_EVENT: Final = _Place("spanevent", ("name",))
_LOG: Final = _Place("log", ("event_name", "severity_text", "body"))
_LISTING: Final = (_SPAN, _LOG)  # where attributes may be lists, even if no content may stay
_PLACES: Final = {"trace": (_RESOURCE, _SCOPE, _SPAN, _EVENT), "log": (_RESOURCE, _SCOPE, _LOG)}
_BODY: Final = "log.body"
# Where a line waits while the allow-list and the look at numbers go over the record.
_LINE: Final = f"{_SCRATCH}line"
_NESTED_KEY_WITH_DATA: Final = rf'"[^"]*(?:{"|".join(_KEYS_WITH_DATA)})[^"]*":'


def _quoted(text: str) -> str:
    """A regular expression as an OTTL string; the collector reads a single `$` as a variable."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"'


def _dollars(patterns: Iterable[str]) -> list[str]:
    return [pattern.replace("$", "$$") for pattern in patterns]


def _replace(place: _Place, pattern: str, replacement: str) -> str:
    # A control character in a replacement is for OTTL to read: only expressions know its escape.
    written = _quoted(replacement).replace("\\\\x", "\\x")
    return f'replace_all_patterns({place.attributes}, "value", {_quoted(pattern)}, {written})'


def _delete(place: _Place, key: str, where: str = "") -> str:
    return f'delete_key({place.attributes}, "{key}")' + (f" where {where}" if where else "")


def _transform(make: Callable[[_Place], Groups]) -> dict[str, Any]:
    statements = {
        f"{signal}_statements": [
            {"context": place.context, **group} for place in places for group in make(place) if group["statements"]
        ]
        for signal, places in _PLACES.items()
    }
    return {"error_mode": "propagate", **statements}


def _texts(place: _Place) -> Groups:
    """Every text of the place into attributes, and the steps for texts over all of them."""
    moved = []
    if place is _LOG:
        line = place.attribute(_LINE)
        moved = [f"set({_BODY}, {line}) where {line} != nil", _delete(place, _LINE)]
    for field in place.fields:
        key, path = place.scratch(field), f"{place.context}.{field}"
        moved += [
            _delete(place, key),
            f'set({place.attribute(key)}, {path}) where IsString({path}) and {path} != ""',
        ]
    if place is _LOG:  # else the processor would search it twice, and mask an empty one
        moved.append(f'set({_BODY}, "{_EMPTY}") where IsString({_BODY}) or {_BODY} == nil')
    steps = [_replace(place, rule.pattern, rule.replacement) for rule in (*named.IN_TEXTS, *personal.IN_TEXTS)]
    return [
        *(_nested_keys() if place is _LOG else ()),
        {
            "statements": [
                *(f"delete_matching_keys({place.attributes}, {_quoted(key)})" for key in _KEYS_WITH_DATA),
                *moved,
                *(steps if place.is_written else ()),
                _replace(place, "^", _TEXT),
            ]
        },
    ]


def _nested_keys() -> Groups:
    """Of bodies the processor masks values only: one whose keys hold data becomes a text."""
    found = f"not IsString({_BODY}) and IsMatch({_BODY}, {_quoted(_NESTED_KEY_WITH_DATA)})"
    return [{"error_mode": "ignore", "statements": [f"set({_BODY}, String({_BODY})) where {found}"]}]


def _restore(place: _Place) -> Groups:
    back = [_replace(place, f"^{_TEXT}", "")]
    for field in place.fields:
        scratch = place.attribute(place.scratch(field))
        back += [f"set({place.context}.{field}, {scratch}) where {scratch} != nil"]
        back += [_delete(place, place.scratch(field))]
    if place is _LOG:
        back.append(f'set({_BODY}, "") where {_BODY} == "{_EMPTY}"')
    for key in allowed.LISTS if place in _LISTING else ():
        scratch = place.attribute(place.scratch(key))
        back += [f'set({place.attribute(key)}, Split({scratch}, ",")) where {scratch} != nil']
        back += [_delete(place, place.scratch(key))]
    return [{"statements": [*back, _replace(place, f"^{_EMPTY}$", "")]}]


def _contract(place: _Place) -> Groups:
    """What the allow-list cannot say: a list is of short words, events have no text, and a failure tells its class."""
    if place not in _LISTING:
        return [{"statements": [_empties(place)]}]
    lists = []
    for key in allowed.LISTS:
        value, scratch = place.attribute(key), place.attribute(place.scratch(key))
        lists += [
            _delete(place, place.scratch(key)),
            f'set({scratch}, Concat({value}, ",")) where IsList({value})',
            _delete(place, place.scratch(key), f"not IsMatch({scratch}, {_quoted(_REASONS)})"),
        ]
    bodies = []
    if place is _SPAN:
        said = "span.status.message"
        bodies = [
            f'set({said}, "") where not IsMatch({said}, {_quoted(_CLASS)})',
            f'replace_pattern({said}, {_quoted(_SAID)}, "")',
        ]
    if place is _LOG:
        is_event = f'log.event_name != "" or {place.attribute("event.name")} != nil'
        bodies = [
            _delete(place, _LINE),
            f"set({place.attribute(_LINE)}, {_BODY}) where IsString({_BODY}) and not ({is_event})",
            f'set({_BODY}, "{_EMPTY}")',
        ]
    return [
        {"statements": [*bodies, _empties(place)]},
        # A list that cannot be written as text is gone: the list of allowed keys names only its scratch attribute.
        {"error_mode": "ignore", "statements": lists},
    ]


def _empties(place: _Place) -> str:
    return _replace(place, "^$", _EMPTY)


def _redaction(**lists: list[str]) -> dict[str, Any]:
    """A `redaction` processor that keeps all keys and looks into values of every type."""
    return {"allow_all_keys": True, "redact_all_types": True, **lists}


def chain(policy: ContentPolicy, *, lines: bool = False) -> Processors:
    """Processors of a store, in order; behind sampling, for they are the dearest part.

    `lines` are log records: in their bodies the look for bytes would take every word of a map for some.
    """
    no_bytes = _redaction(allowed_values=_dollars(_NO_BYTES), blocked_values=_dollars([_BYTES]))
    # The keys that nearly all spans have are none, and nothing else is looked at here.
    keys = _redaction(ignored_keys=[*allowed.OF_THE_CONTRACT], blocked_key_patterns=_dollars(named.KEYS))
    scratch = [_LINE, *(_LOG.scratch(key) for key in allowed.LISTS)]
    contract = {
        "transform/redact_contract": _transform(_contract),
        "redaction/contract": {
            "allow_all_keys": False,
            "redact_all_types": False,
            "allowed_keys": [*allowed.NAMES, *allowed.NUMBERS, *scratch],
            "ignored_keys": [*allowed.NUMBERS],
            # These of its own the processor always allows, whoever sent them.
            "blocked_key_patterns": ["^redaction"],
            "blocked_values": _dollars([_NOT_READ]),
        },
        # What stands under the name of a number passed unread, so it must look like one.
        "redaction/numbers": _redaction(ignored_keys=[*allowed.NAMES, *scratch], blocked_values=_dollars([_NO_NUMBER])),
    }
    return {
        **(contract if policy is ContentPolicy.DROP else {}),
        "transform/redact_texts": _transform(_texts),
        # No key of the allow-list is named like a secret.
        **({"redaction/keys": keys} if policy is ContentPolicy.KEEP else {}),
        **({} if lines else {"redaction/bytes": no_bytes}),
        "redaction/values": _redaction(allowed_values=_dollars([_HARMLESS]), blocked_values=_dollars(_VALUES)),
        "transform/redact_restore": _transform(_restore),
    }


def kpi_processors() -> Processors:
    """What runs over the keys of series before anything is counted: masked later, two series would be one."""
    masks = _redaction(allowed_values=_dollars([_HARMLESS_KEY]), blocked_values=_dollars(_LABELS))
    return {"redaction/kpi": masks | {"redact_all_types": False}}


def metric_processors() -> Processors:
    """The same for metrics of applications; their exemplars keep ids only."""
    places = (_RESOURCE, _SCOPE, _POINT)

    def steps(pattern: str, replacement: str) -> Groups:
        return [{"context": each.context, "statements": [_replace(each, pattern, replacement)]} for each in places]

    bare = {"context": "exemplar", "statements": ["keep_keys(exemplar.filtered_attributes, [])"]}
    return {
        "transform/redact_points": {
            "error_mode": "propagate",
            "metric_statements": [*steps("^$", _EMPTY), bare],
        },
        "redaction/metrics": _redaction(
            blocked_key_patterns=_dollars(named.KEYS), blocked_values=_dollars([_NOT_READ, *_LABELS])
        ),
        "transform/redact_points_restore": {"error_mode": "propagate", "metric_statements": steps(f"^{_EMPTY}$", "")},
    }
