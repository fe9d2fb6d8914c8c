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

    def below(parent: str, depth: int) -> Iterator[Step]:
        for span in called.pop(parent, []):
            yield Step(span, depth, span.start - begin)
            yield from below(span.span_id, depth + 1)

    return Waterfall(trace_id, end - begin, [*below("", 0)])
