"""Addresses that open PromQL, filled in, where a person can go on with it: Prometheus's own page, Grafana's Explore.

The site of the runbooks makes the same addresses once more (site.js), with the labels of the alert.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from string import ascii_uppercase
from typing import Final
from urllib.parse import quote

METRICS: Final = "agentobs-prometheus"
"""The uid of the data source as our Grafana is provisioned."""
_RANGE: Final = {"from": "now-6h", "to": "now"}


class Place(StrEnum):
    """Where queries are opened."""

    PROMETHEUS = "prometheus"
    GRAFANA = "grafana"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explorer:
    """One of them at `url`; `source` is the data source to ask in Grafana."""

    place: Place
    url: str
    source: str = METRICS

    def address(self, asked: Sequence[str]) -> str:
        """The address that opens these queries beside one another."""
        if self.place is Place.PROMETHEUS:
            each = (f"g{number}.expr={_encoded(query)}&g{number}.tab=1" for number, query in enumerate(asked))
            return f"{self.url.rstrip('/')}/query?{'&'.join(each)}"
        source = {"type": "prometheus", "uid": self.source}
        made = [
            {"refId": name, "expr": query, "datasource": source}
            for name, query in zip(ascii_uppercase, asked, strict=False)
        ]
        panes = {"q": {"datasource": self.source, "queries": made, "range": _RANGE}}
        return f"{self.url.rstrip('/')}/explore?schemaVersion=1&orgId=1&panes={_encoded(_json(panes))}"


LOCAL: Final = Explorer(place=Place.PROMETHEUS, url="http://127.0.0.1:9090")
"""Where nobody has said where they are: a Prometheus on this computer."""


def queries(text: str) -> Iterator[str]:
    """A text holds one query, or several with an empty line between; a line that begins with # is a comment."""
    for block in re.split(r"\n\s*\n", text):
        found = "\n".join(line for line in block.splitlines() if not line.lstrip().startswith("#")).strip()
        if found:
            yield found


def _encoded(text: str) -> str:
    return quote(text, safe="")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
