"""What keys are called where people read them: a table of a board says `Tool call success`, not `tool_success`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from alerts.catalogue import CATALOGUE, DIMENSIONS

TITLES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "kpi": MappingProxyType({kpi.key: kpi.title for kpi in CATALOGUE}),
        "dimension": MappingProxyType({dimension.key: dimension.title for dimension in DIMENSIONS}),
    }
)
"""Label whose values are keys of the catalogue -> key -> title."""


def text(label: str, value: str) -> str:
    """The value of a label as people read it."""
    return TITLES.get(label, {}).get(value, value)
