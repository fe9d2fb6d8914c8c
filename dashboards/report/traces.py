"""A trace as a waterfall: steps below their callers, in the order in which they began."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from collector.search import Span
from dashboards.report.results import Step, Waterfall


def waterfall(trace_id: str, spans: Sequence[Span]) -> Waterfall | None:
    """All steps; those whose caller is missing begin at the left, as the root does."""
    if not spans:
        return None
    begin = min(span.start for span in spans)
    end = max(span.start + span.duration_s for span in spans)
    known = {span.span_id for span in spans}
    called: dict[str, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda each: each.start):
        called[span.parent_id if span.parent_id in known and span.parent_id != span.span_id else ""].append(span)

    return Waterfall(trace_id, end - begin, [*_in_order(called, begin)])


def _in_order(called: dict[str, list[Span]], begin: float) -> Iterator[Step]:
    """From the top down; a chain of steps may be longer than Python's stack."""
    waiting = [(span, 0) for span in reversed(called.pop("", []))]
    while waiting:
        span, depth = waiting.pop()
        yield Step(span, depth, span.start - begin)
        waiting += [(below, depth + 1) for below in reversed(called.pop(span.span_id, []))]
