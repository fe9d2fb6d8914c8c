"""Pieces of field configuration that panels and columns share: thresholds and links."""

from collections.abc import Mapping
from typing import Any, Final

from dashboards.lib import links
from dashboards.lib.model import Colour, Format, Link, Step

# Fractions of a cent matter, and a score has no unit that would set its digits.
_DECIMALS: Final = {Format.USD: 4, Format.SCORE: 2}


def steps(found: tuple[Step, ...]) -> dict[str, Any]:
    """Thresholds; without any, nothing is coloured."""
    given = found or (Step(None, Colour.NEUTRAL),)
    return {"mode": "absolute", "steps": [{"color": step.colour.value, "value": step.value} for step in given]}


def link(to: Link, *, in_table: bool = False) -> dict[str, Any]:
    """A link of a series, a point or a cell."""
    url = links.address(to, in_table=in_table)
    return {"title": to.title, "url": url, "targetBlank": not url.startswith("/")}


def decimals(form: Format) -> dict[str, int]:
    """Digits after the point, where the unit alone would show too few or too many."""
    return {"decimals": _DECIMALS[form]} if form in _DECIMALS else {}


def config(defaults: Mapping[str, Any], *overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A panel's field configuration."""
    return {"defaults": dict(defaults), "overrides": list(overrides)}
