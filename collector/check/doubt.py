"""Numbers that are there and cannot be right: token counts, costs that two sides state differently, times too long."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from agentobs import contract
from agentobs.contract import ABSENT, Attr, Label, Metric, Place
from collector.check.findings import Finding, Kind, Severity
from collector.check.frameworks import framework
from collector.check.metrics import Counted
from collector.check.spans import Span, Tally, Trace
from collector.normalise import usage

_MORE: Final = "look at more traces with --traces 1000 to see which library sends them"
# What the normaliser says of a span whose counts it could not explain: what is wrong, and the line that mends it.
_COUNTS: Final[dict[str, tuple[str, str]]] = {
    usage.UNUSABLE: (
        "token counts that are no whole numbers from 0 to a billion",
        f"set {Attr.INPUT_TOKENS} and {Attr.OUTPUT_TOKENS} to whole numbers, or leave them out",
    ),
    usage.CACHE_ABOVE_INPUT: (
        "more tokens from the cache than sent",
        f"let {Attr.INPUT_TOKENS} contain the cached ones, or set gen_ai.usage.total_tokens: it tells how they count",
    ),
    usage.REASONING_ABOVE_OUTPUT: (
        "more tokens of reasoning than came out",
        f"let {Attr.OUTPUT_TOKENS} contain the reasoning, or set gen_ai.usage.total_tokens: it tells how they count",
    ),
}
_COSTS: Final = (
    "the cost that the sender states is more than 2 % off the price table",
    "set agentobs:pricesFile to a file with what you pay, or pulumi config set agentobs:costAuthority sender",
)
_TIMES: Final[dict[Place, Metric]] = {
    Place.TASK: contract.TASK_DURATION,
    Place.AGENT: contract.AGENT_DURATION,
    Place.MODEL: contract.LLM_DURATION,
    Place.TOOL: contract.TOOL_DURATION,
}
_SKEW_S: Final = 60  # what a clock may be off without anybody seeing it in a KPI
_Key = tuple[str, str, str, str, str, str]


def doubtful(traces: Iterable[Trace], counted: Iterable[Counted] = ()) -> list[Finding]:
    """Model calls whose token counts cannot be; `counted` knows those in no trace: labels service and agent."""
    return _of_calls(Kind.DOUBTFUL, Attr.USAGE_DOUBTFUL, traces, counted)


def costs(traces: Iterable[Trace], counted: Iterable[Counted] = ()) -> list[Finding]:
    """Model calls of which sender and price table state another cost; `counted` as above."""
    return _of_calls(Kind.COSTS_DIFFER, Attr.COST_DIFFERS, traces, counted)


def beyond(traces: Iterable[Trace]) -> list[Finding]:
    """Spans that took longer than the last bucket of their histogram: quantiles cannot be above it."""
    tallies: defaultdict[_Key, Tally] = defaultdict(Tally)
    for span in (span for trace in traces for span in trace):
        for place in span.places & _TIMES.keys():
            last = _TIMES[place].buckets[-1]
            what = f"{place} longer than {last:g} s: every quantile stops there"
            fix = "read the mean, which is right; or make a span of each step of work that is this long"
            key = (span.service, span.agent, span.scope, _TIMES[place].name, what, fix)
            tallies[key].add(span, is_bad=span.end - span.start > last)
    return [_finding(Kind.BEYOND, key, tally) for key, tally in tallies.items() if tally.count]


def clocks(traces: Iterable[Trace], now: float) -> list[Finding]:
    """Spans that end before they begin, or never, and spans of the future: a clock is wrong, or nobody ended them."""
    tallies: defaultdict[_Key, Tally] = defaultdict(Tally)
    for span in (span for trace in traces for span in trace if span.places):
        for what, fix, is_bad in (
            (
                "spans that end before they begin, or never: their time counts as zero",
                "end every span, in a finally where code may fail, and give start and end from one clock",
                span.end < span.start,
            ),
            ("spans of the future", "set the clock of that machine: NTP is off", span.start > now + _SKEW_S),
        ):
            key = (span.service, span.agent, span.scope, "time", what, fix)
            tallies[key].add(span, is_bad=is_bad)
    return [_finding(Kind.CLOCK, key, tally) for key, tally in tallies.items() if tally.count]


def _of_calls(kind: Kind, attr: Attr, traces: Iterable[Trace], counted: Iterable[Counted]) -> list[Finding]:
    tallies: defaultdict[_Key, Tally] = defaultdict(Tally)
    for span in (span for trace in traces for span in trace):
        if Place.MODEL in span.places and (said := span.attributes.get(attr)):
            tallies[span.service, span.agent, span.scope, attr, *_said(kind, said, span)].add(span, is_bad=True)
    known = {(service, agent) for service, agent, *_ in tallies}
    what = _COSTS[0] if kind is Kind.COSTS_DIFFER else "token counts that cannot be"
    rest = [
        ((*who, "", str(attr), f"{what}, in none of the traces looked at", _MORE), Tally(count=round(row.value)))
        for row in counted
        if round(row.value) and (who := _who(row)) not in known
    ]
    return [_finding(kind, key, tally) for key, tally in [*tallies.items(), *rest]]


def _said(kind: Kind, said: object, span: Span) -> tuple[str, str]:
    what, fix = _COSTS if kind is Kind.COSTS_DIFFER else _COUNTS.get(str(said), _COUNTS[usage.UNUSABLE])
    name = framework(span.scope)
    return what, f"{fix}; {name} made these spans: a newer version may count right" if name else fix


def _who(row: Counted) -> tuple[str, str]:
    agent = row.labels.get(Label.AGENT, "")
    return row.labels.get(Label.SERVICE, ""), "" if agent == ABSENT else agent


def _finding(kind: Kind, key: _Key, tally: Tally) -> Finding:
    service, agent, scope, subject, what, fix = key
    return Finding(
        severity=Severity.PROBLEM,
        kind=kind,
        service=service,
        agent=agent,
        subject=subject,
        scope=scope,
        what=what,
        fix=fix,
        **asdict(tally),
    )
