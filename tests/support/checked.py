"""Captured spans as the telemetry check reads them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from collector.check import Span


def checked(spans: Iterable[Mapping[str, Any]]) -> list[list[Span]]:
    """Spans as `otlp.spans_of` reads them, by trace."""
    traces = defaultdict(list)
    for span in spans:
        traces[span["trace"]].append(
            Span(
                trace_id=span["trace"],
                span_id=span["id"],
                parent_id=span["parent"],
                kind=span["kind"],
                failed=span["status"] == "error",
                end=span["end"] / 1e9,
                attributes=span["attributes"],
                resource=span["resource"],
            )
        )
    return list(traces.values())
