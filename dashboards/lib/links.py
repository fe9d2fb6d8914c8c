"""Addresses that lead from a panel on: to a board with its variables, to a runbook, to a place outside."""

import re
from typing import Final
from urllib.parse import quote

from dashboards.lib.model import BoardLink, Link, UrlLink
from dashboards.lib.titles import TITLES

# Grafana fills these in: what is chosen at the top, and the time range.
_KEPT: Final = "${environment:queryparam}&${__url_time_range}"
_PLACE: Final = re.compile(r"\{(\w+)\}")
# Outside of boards nobody chose an environment.
HOME: Final = "/d/agentobs-"


def address(link: Link, *, in_table: bool = False) -> str:
    """The address behind a link, with Grafana's own variables for what was clicked."""
    if isinstance(link, UrlLink):
        return _PLACE.sub(lambda found: _clicked(found[1], in_table=in_table), link.url)
    return board(link, in_table=in_table)


def board(link: BoardLink, *, in_table: bool) -> str:
    """Another board with the same environment and time, narrowed to what was clicked."""
    chosen = "".join(f"&var-{name}={_clicked(label, in_table=in_table)}" for name, label in link.variables.items())
    return f"{HOME}{quote(link.board)}?{_KEPT}{chosen}"


def copy(label: str) -> str:
    """The name of a copy of a label whose values tables show as titles."""
    return f"{label}_key"


def _clicked(label: str, *, in_table: bool) -> str:
    """The value of a label of the clicked row or series."""
    label = copy(label) if in_table and label in TITLES else label
    return f'${{__data.fields["{label}"]:percentencode}}' if in_table else f"${{__field.labels.{label}:percentencode}}"
