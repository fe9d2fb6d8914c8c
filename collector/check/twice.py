"""What two instrumentations report: model calls, each with tokens and cost of its own, and runs of one agent."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Final

from agentobs.contract import NESTED_AGENT, NESTED_CHAT, Attr, Place
from collector.check.findings import Finding, Kind, Severity
from collector.check.frameworks import knows_agents
from collector.check.spans import Span, Tally, Trace, Tree

# Clocks of one process: two spans of one call begin and end this close to each other.
_SAME_S: Final = 0.005
_WORK: Final = frozenset({Place.TASK, Place.AGENT, Place.TOOL})
_BY_ADOPTING: Final = "call agentobs.context.adopt(), which marks the inner span"


def twice(traces: Iterable[Trace]) -> list[Finding]:
    """Pairs of spans of two scopes that are one call, or one run of an agent, by service and pair of scopes."""
    traces = list(traces)
    return [*_calls(traces), *_runs(traces)]


def _calls(traces: Iterable[Trace]) -> list[Finding]:
    pairs: defaultdict[tuple[str, str, str], Tally] = defaultdict(Tally)
    calls: defaultdict[str, int] = defaultdict(int)
    for trace in traces:
        models = [span for span in trace if Place.MODEL in span.places]
        for span in models:
            calls[span.service] += 1
        for kept, dropped in _pairs(models, Tree.of(trace)):
            pairs[dropped.service, kept.scope, dropped.scope].add(dropped, is_bad=True)
    return [
        Finding(
            severity=Severity.PROBLEM,
            kind=Kind.TWICE,
            service=service,
            subject=dropped,
            what=f"model calls that two instrumentations report: {kept} and {dropped}",
            fix=f"remove {dropped} and keep {kept}{_because(kept)}; or {_BY_ADOPTING}",
            **asdict(tally) | {"of": calls[service]},
        )
        for (service, kept, dropped), tally in pairs.items()
    ]


def _runs(traces: Iterable[Trace]) -> list[Finding]:
    pairs: defaultdict[tuple[str, str, str, str], Tally] = defaultdict(Tally)
    runs: defaultdict[tuple[str, str], int] = defaultdict(int)
    for trace in traces:
        for span in trace:
            runs[span.service, span.agent] += Place.AGENT in span.places
        for outer, inner in _nested_runs(trace):
            pairs[inner.service, inner.agent, outer.scope, inner.scope].add(inner, is_bad=True)
    return [
        Finding(
            severity=Severity.PROBLEM,
            kind=Kind.TWICE,
            service=service,
            agent=agent,
            subject=inner,
            what=f"runs of an agent that two instrumentations report: {outer} and {inner}",
            fix=f"emit.agent(name, prompt, span=False) where the framework makes the agent's span; or {_BY_ADOPTING}",
            **asdict(tally) | {"of": runs[service, agent]},
        )
        for (service, agent, outer, inner), tally in pairs.items()
    ]


def _nested_runs(trace: Trace) -> Iterator[tuple[Span, Span]]:
    """Each agent's span inside another one of the same agent and another library, behind that one."""
    tree = Tree.of(trace)
    for span in trace:
        if Place.AGENT in span.places and span.agent:
            around = (each for each in tree.above(span) if each.places & {Place.AGENT, Place.TOOL, Place.MODEL})
            outer = next(around, None)
            is_one = outer is not None and Place.AGENT in outer.places and outer.agent == span.agent
            if outer is not None and is_one and outer.scope != span.scope:
                yield outer, span


def singled(traces: Iterable[Trace]) -> list[Trace]:
    """The same traces with each second span of one call or run marked as such: what it lacks is nobody's loss."""
    made: list[Trace] = []
    for trace in traces:
        models = [span for span in trace if Place.MODEL in span.places]
        gone = {dropped.span_id: NESTED_CHAT for _, dropped in _pairs(models, Tree.of(trace))}
        gone |= {inner.span_id: NESTED_AGENT for _, inner in _nested_runs(trace)}
        made.append([_marked(span, gone[span.span_id]) if span.span_id in gone else span for span in trace])
    return made


def _marked(span: Span, operation: str) -> Span:
    return replace(span, attributes={**span.attributes, Attr.OPERATION: operation})


def _because(scope: str) -> str:
    return ", which knows the agent" if knows_agents(scope) else ""


def _pairs(models: list[Span], tree: Tree) -> Iterator[tuple[Span, Span]]:
    """Each span that is one too many, behind the one that stays."""
    gone: set[str] = set()
    for span in models:
        outer = next((each for each in tree.above(span) if each.places & {Place.MODEL, *_WORK}), None)
        if outer is not None and Place.MODEL in outer.places and outer.scope != span.scope:
            gone.add(span.span_id)
            yield outer, span
    left = [span for span in models if span.span_id not in gone]
    for number, span in enumerate(left):
        around = {each.span_id for each in tree.above(span)}
        for other in left[:number]:
            apart = other.scope == span.scope or other.span_id in {*gone, *around}
            if not apart and _is_same(other, span):
                knows_more = knows_agents(span.scope) and not knows_agents(other.scope)
                kept, dropped = (span, other) if knows_more else (other, span)
                gone.add(dropped.span_id)
                yield kept, dropped
                break


def _is_same(one: Span, other: Span) -> bool:
    answer = one.attributes.get(Attr.RESPONSE_ID)
    if answer is not None and answer == other.attributes.get(Attr.RESPONSE_ID):
        return True
    counts = [span.attributes.get(Attr.INPUT_TOKENS) for span in (one, other)]
    at_once = abs(one.start - other.start) <= _SAME_S and abs(one.end - other.end) <= _SAME_S
    return at_once and counts[0] == counts[1] and counts[0] is not None
