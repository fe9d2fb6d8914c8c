"""Spans against the contract: the attributes that are not where they belong."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Final

from agentobs.contract import DESCRIPTIONS, Attr, Need, Place
from collector.check.context import needs_a_name
from collector.check.findings import Finding, Kind, Severity
from collector.check.fixes import fix
from collector.check.spans import Span, Tally, Trace

_TOKENS: Final = (Attr.INPUT_TOKENS, Attr.OUTPUT_TOKENS)
_SEVERITY: Final = {Need.REQUIRED: Severity.REQUIRED, Need.RECOMMENDED: Severity.RECOMMENDED}
_WORK: Final = frozenset({Place.TASK, Place.AGENT, Place.MODEL, Place.TOOL})


def missing(traces: Iterable[Trace]) -> list[Finding]:
    """Required and recommended attributes that are absent where they belong, per service, agent and place."""
    traces = list(traces)
    tallies: defaultdict[tuple[str, str, Place, Attr], Tally] = defaultdict(Tally)
    retried = _lack_numbers(traces)
    for span, told in _spans(traces):
        for place, attr in _expected(span):
            if (attr is Attr.AGENT_NAME and told) or (attr is Attr.RETRY_ATTEMPT and span.service not in retried):
                continue
            agent = "" if place is Place.RESOURCE else span.agent
            present = any(span.has(attr, other) for other in DESCRIPTIONS[attr].places)
            tallies[span.service, agent, place, attr].add(span, is_bad=not present)
    return [
        Finding(
            severity=_SEVERITY[DESCRIPTIONS[attr].need],
            kind=Kind.MISSING,
            service=service,
            agent=agent,
            subject=attr,
            what=f"no {attr} on the {place.value.removeprefix('any ')}",
            fix=fix(attr, place),
            **asdict(tally),
        )
        for (service, agent, place, attr), tally in tallies.items()
        if tally.count
    ]


def _lack_numbers(traces: Iterable[Trace]) -> set[str]:
    """Services whose calls fail, so that some may be tried again, and none has the number of its attempt.

    The SDK's processor numbers what is tried again, and no first attempt.
    """
    calls = [span for trace in traces for span in trace if span.places & _WORK]
    failed = {span.service for span in calls if span.failed}
    return failed - {span.service for span in calls if Attr.RETRY_ATTEMPT in span.attributes}


def _spans(traces: Iterable[Trace]) -> Iterator[tuple[Span, bool]]:
    """Every span, and whether another finding says that it names no agent."""
    for trace in traces:
        told = {span.span_id for span, is_bad in needs_a_name(trace) if is_bad}
        yield from ((span, span.span_id in told) for span in trace)


def _expected(span: Span) -> Iterator[tuple[Place, Attr]]:
    """Which attributes this span should have, and as what."""
    if not span.places:
        return
    places = {Place.RESOURCE, *span.places}
    if span.places & _WORK:
        places.add(Place.EVERY)
    if span.failed:
        places.add(Place.FAILED)
    for attr, description in DESCRIPTIONS.items():
        if description.need not in _SEVERITY or (span.failed and attr in _TOKENS):
            continue
        # What belongs on every span of a task may be missing on those of a program's start.
        if Place.EVERY in description.places and Place.EVERY not in places:
            continue
        # One finding per attribute and span: the first place that fits is named.
        if place := next((place for place in description.places if place in places), None):
            yield place, attr
