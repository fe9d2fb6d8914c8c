"""Links that open queries in Grafana's Explore, with what is chosen on the board: behind panels, and below a text's."""

import re
import textwrap
from collections.abc import Iterable
from typing import Final

from alerts import explore
from alerts.explore import Explorer, Place
from dashboards.lib import sources
from dashboards.lib.model import UrlLink

TITLE: Final = "Open in Explore"
_MARK: Final = "~~"
_LATER: Final = re.compile(rf"{_MARK}(\w+?){_MARK}")
_MATCHER: Final = re.compile(r'(?P<op>!=|=~|!~|=)\s*"\$\{?(?P<name>\w+)\}?"')
_FENCE: Final = re.compile(r"^(?P<indent> *)```promql\n(?P<body>.*?)\n *```$", re.DOTALL | re.MULTILINE)
CHOSEN: Final = f"{_MARK}{sources.METRICS}{_MARK}"
"""The data source that a board's own variable holds."""


def address(queries: Iterable[str], variables: frozenset[str], source: str = CHOSEN) -> str:
    """The address in Explore; Grafana writes what is chosen into it, with all signs encoded that could leave it.

    Of several values at once Grafana would write a pattern of its own: such a variable must be `single`.
    """
    asked = [_chosen(query, variables) for query in queries]
    made = Explorer(place=Place.GRAFANA, url="", source=source).address(asked)
    return _LATER.sub(lambda found: f"${{{found[1]}:percentencode}}", made)


def link(queries: Iterable[str], variables: frozenset[str]) -> UrlLink:
    """The link behind a panel that draws these queries."""
    return UrlLink(title=TITLE, url=address(queries, variables))


def below(markdown: str, variables: frozenset[str], source: str = CHOSEN) -> str:
    """A text with a link below each block of queries."""

    def opened(found: re.Match[str]) -> str:
        to = address(explore.queries(textwrap.dedent(found["body"])), variables, source)
        return f"{found[0]}\n\n{found['indent']}[{TITLE}]({to})"

    return _FENCE.sub(opened, markdown)


def _chosen(query: str, variables: frozenset[str]) -> str:
    """The query with marks for what is chosen, which may be all; what nobody can choose stays as it is."""

    def mark(found: re.Match[str]) -> str:
        if found["name"] not in variables:
            return found[0]
        return f'{"!~" if found["op"].startswith("!") else "=~"}"{_MARK}{found["name"]}{_MARK}"'

    return _MATCHER.sub(mark, query)
