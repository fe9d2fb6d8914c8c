"""Which traces people read after a deployment: a sample by strata, the same for the same seed. Pure but for the search.

Candidates are put in order by a digest of seed and trace id, so that nobody chooses and a later trace does not change
which of the earlier ones are drawn before which.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agentobs.contract import ROLE_TASK, Attr, Label, Outcome
from alerts.catalogue import TASK_COST, TASK_LATENCY, Kpi
from alerts.source import MetricsSource
from alerts.statistics import quantile
from collector.search import Op, SpanSearch, Term, Trace, words
from runbooks.baseline import InUse
from runbooks.baseline.reading import read
from runbooks.checklist.platform import Platform

_SEARCHED: Final = 500
_UNUSUAL: Final = 0.95
_NAMED: Final = {
    "prompt": ((Label.PROMPT, Attr.PROMPT_NAME), Attr.PROMPT_VERSION),
    "tool": ((Label.TOOL, Attr.TOOL_NAME), Attr.TOOL_VERSION),
    "model": ((Label.AGENT, Attr.AGENT_NAME), Attr.REQUEST_MODEL),
    "graph": ((Label.WORKFLOW, Attr.WORKFLOW_NAME), Attr.GRAPH_VERSION),
}
"""Dimension -> (label and attribute of whose version it is), attribute of the version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """A kind of traces worth reading, and the searches that find them; `why` says what makes them odd."""

    key: str
    why: str
    searches: tuple[SpanSearch, ...]

    @property
    def command(self) -> str:
        """How a person finds them."""
        return "; ".join(words.command(search) for search in self.searches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The traces drawn of one stratum, of how many."""

    stratum: Stratum
    traces: Sequence[Trace]
    of: int


def strata(
    source: MetricsSource, environment: str, new: Iterable[InUse], start: float, end: float
) -> Iterator[Stratum]:
    """The strata of an environment; those without a measure (no new version, no cost) are left out."""
    here = Term(Attr.ENVIRONMENT, Op.EQUAL, environment)
    task = (here, Term(Attr.SPAN_ROLE, Op.EQUAL, ROLE_TASK))
    failed = SpanSearch(terms=(*task, Term(Attr.TASK_OUTCOME, Op.UNEQUAL, Outcome.SUCCESS)))
    yield Stratum(key="failed", why="tasks that did not succeed", searches=(failed,))
    slow, costly = (_quantile_of(source, kpi, environment, start, end) for kpi in (TASK_LATENCY, TASK_COST))
    if slow is not None:
        slower = SpanSearch(terms=task, slower_than_s=slow)
        yield Stratum(key="slow", why=f"slower than {slow:.2f} s", searches=(slower,))
    if costly is not None:
        expensive = SpanSearch(terms=(*task, Term(Attr.TASK_COST, Op.ABOVE, costly)))
        yield Stratum(key="costly", why=f"dearer than ${costly:.4f}", searches=(expensive,))
    searches = dict.fromkeys(SpanSearch(terms=(here, *_ran(each))) for each in new if each.dimension in _NAMED)
    if searches:
        names = ", ".join(dict.fromkeys(f"{each.dimension} {each.version}" for each in new))
        yield Stratum(key="new version", why=names, searches=tuple(searches))
    yield Stratum(key="random", why="any task", searches=(SpanSearch(terms=task),))


def draw(platform: Platform, kinds: Iterable[Stratum], seed: str, each: int) -> Iterator[Drawn]:
    """Draw `each` traces of every stratum; a trace is drawn once."""
    taken: set[str] = set()
    for stratum in kinds:
        every = (trace for search in stratum.searches for trace in platform.traces(search, _SEARCHED))
        found = list({trace.trace_id: trace for trace in every}.values())
        fresh = sorted((trace for trace in found if trace.trace_id not in taken), key=lambda t: _rank(seed, t.trace_id))
        chosen = fresh[:each]
        taken.update(trace.trace_id for trace in chosen)
        yield Drawn(stratum=stratum, traces=chosen, of=len(found))


def _quantile_of(source: MetricsSource, kpi: Kpi, environment: str, start: float, end: float) -> float | None:
    counted = read(source, kpi, (), {Label.ENVIRONMENT: environment}, start, end)
    return quantile(counted[()].buckets, _UNUSUAL) if () in counted else None


def _ran(each: InUse) -> tuple[Term, ...]:
    (label, owner), version = _NAMED[each.dimension]
    name = each.entity.get(label, "")
    ran = Term(version, Op.EQUAL, each.version)
    return (Term(owner, Op.EQUAL, name), ran) if name else (ran,)


def _rank(seed: str, trace_id: str) -> str:
    return hashlib.sha256(f"{seed}:{trace_id}".encode()).hexdigest()
