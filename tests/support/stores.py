"""The pair of stores that this run is about: Jaeger and VictoriaLogs, or what `make test STORES=tempo,loki` says."""

import os

from agentobs.contract import Attr
from collector.search import LineSearch, Op, SpanSearch, Term
from collector.stores import PERMISSIVE, TITLES, LogKind, Stores, TraceKind
from dashboards.boards import BOARDS
from dashboards.lib.stores import adapted
from stacks.ports import PORTS

VARIABLE = "AGENTOBS_TEST_STORES"


def _chosen() -> Stores:
    said = os.environ.get(VARIABLE, "")
    if not said:
        return PERMISSIVE
    traces, _, logs = said.partition(",")
    return Stores(traces=TraceKind(traces), logs=LogKind(logs))


CHOSEN = _chosen()
TRACES, LOGS = str(CHOSEN.traces), str(CHOSEN.logs)
BINARIES = {"tempo": "tempo", "jaeger": "jaeger", "loki": "loki", "victorialogs": "victoria-logs"}


SHOWN = [adapted(board, CHOSEN) for board in BOARDS]
"""The boards as they are for this pair."""
_SERIES = {"tempo": ("tempo_", "tempodb_"), "jaeger": ("jaeger_",), "loki": ("loki_",), "victorialogs": ("vl_", "vm_")}
FOREIGN = tuple(prefix for store, prefixes in _SERIES.items() if store not in {TRACES, LOGS} for prefix in prefixes)
"""How series of the stores begin that are not in use."""


FOREIGN_PAGES = tuple(TITLES[store] for store in (*TraceKind, *LogKind) if store not in {TRACES, LOGS})
"""How names of alerts begin, and of their pages, that are about the stores that are not in use."""


def ports() -> list[str]:
    """Names of the ports that a local stack with this pair listens on."""
    others = {*TraceKind, *LogKind} - {CHOSEN.traces, CHOSEN.logs}
    unused = [name for name in PORTS if name.partition("-")[0] in others]
    return [name for name in PORTS if name not in unused]


def spans_of(environment: str, **more: str) -> SpanSearch:
    """A search for spans of an environment, with attributes as `service_name=value`."""
    return SpanSearch(terms=_terms(environment, more))


def lines_of(environment: str, trace_id: str = "", **more: str) -> LineSearch:
    """A search for lines of an environment."""
    return LineSearch(terms=_terms(environment, more), trace_id=trace_id)


def _terms(environment: str, more: dict[str, str]) -> tuple[Term, ...]:
    given = {str(Attr.ENVIRONMENT): environment, **{key.replace("_", "."): value for key, value in more.items()}}
    return tuple(Term(key, Op.EQUAL, value) for key, value in given.items() if value)
