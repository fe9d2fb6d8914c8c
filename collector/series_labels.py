"""Labels again: the keys on the few metric points that are left become the labels that they were made of."""

from collections.abc import Iterable
from itertools import takewhile
from typing import Any, Final

from agentobs.contract import ABSENT, COMMON_LABELS, EVENT_LABELS, Family, Label
from collector import ottl
from collector.series_key import EVENT_FAMILIES, NIL, SEPARATOR, SPAN_FAMILIES, attribute

MALFORMED: Final = "malformed"
_DEFAULTS: Final[dict[Label, str]] = {Label.IS_RETRY: "false", Label.IS_FALLBACK: "false"}
# What the keys of all families but UNREAD begin with.
_ALIKE: Final = tuple(takewhile(lambda label: label in EVENT_LABELS, COMMON_LABELS))
_PARTS: Final = 'datapoint.cache["parts"]'


def _of_point(key: str) -> str:
    return ottl.attribute("datapoint", key)


def _split(packed: str) -> str:
    return f'Split({packed}, "{SEPARATOR}")'


def _labels(labels: Iterable[tuple[int, Label]]) -> list[str]:
    return [f"set({_of_point(label)}, {_PARTS}[{position}])" for position, label in labels]


def _checked(family: Family) -> str:
    """A value that holds the separator would put every label after it under the name of its neighbour."""
    packed, count = _of_point(attribute(family)), len(family.labels)
    malformed = SEPARATOR.join([MALFORMED] * count)
    return f'set({packed}, "{malformed}") where {packed} != nil and Len({_split(packed)}) != {count}'


def _shared_labels(families: Iterable[Family]) -> dict[str, Any]:
    """Every family but one begins with the same labels."""
    keys = [_of_point(attribute(family)) for family in families]
    found = f"Coalesce([{', '.join(keys)}])"
    return {
        "conditions": [f"{key} != nil" for key in keys],
        "statements": [
            f"set({_PARTS}, {_split(found)})",
            *_labels(enumerate(_ALIKE)),
        ],
    }


def _own_labels(family: Family) -> dict[str, Any]:
    packed = _of_point(attribute(family))
    shared = 0 if family is Family.UNREAD else len(_ALIKE)
    flags = [
        ottl.constant(_of_point(label), default, f'{_of_point(label)} == "{NIL}"')
        for label, default in _DEFAULTS.items()
        if label in family.labels
    ]
    return {
        "conditions": [f"{packed} != nil"],
        "statements": [
            f"set({_PARTS}, {_split(packed)})",
            *_labels([*enumerate(family.labels)][shared:]),
            *flags,
            f'delete_key(datapoint.attributes, "{attribute(family)}")',
        ],
    }


def unpacker() -> dict[str, Any]:
    """Configuration of the `transform` that turns the keys on metric points back into labels."""
    families = (*SPAN_FAMILIES, Family.UNREAD, *EVENT_FAMILIES)
    absent = f'replace_all_patterns(datapoint.attributes, "value", "^({NIL})?$", "{ABSENT}")'
    return {
        "error_mode": "ignore",
        "metric_statements": [
            {"statements": [_checked(family) for family in families]},
            _shared_labels(family for family in families if family is not Family.UNREAD),
            *map(_own_labels, families),
            {"statements": [absent]},
        ],
    }


def adder() -> dict[str, Any]:
    """Configuration of the `transform` behind it, for all but exemplars, which adding up would drop.

    Two keys may differ and yet give equal labels (an absent agent, and an agent named "none"): such points are added
    up, because whatever comes later would drop one of them.
    """
    add_up = {"context": "metric", "statements": ['aggregate_on_attributes("sum")']}
    return {"error_mode": "ignore", "metric_statements": [add_up]}


def family_of_exemplars() -> dict[str, Any]:
    """Configuration of the `transform` in front of it, for the metric with exemplars: its family becomes a label."""
    names = [
        ottl.constant(_of_point(Label.FAMILY), family, f"{_of_point(attribute(family))} != nil")
        for family in reversed(SPAN_FAMILIES)
    ]
    return {"error_mode": "ignore", "metric_statements": [{"statements": names}]}
