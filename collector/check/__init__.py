"""What is wrong with the telemetry that arrives, per service and agent, and how to mend it.

Pure analysis of what the stores hold, after the collector has normalised it: spans (`attributes`, `shape`), values of
labels (`labels`) and counters (`metrics`) become `Finding`s in a `Report`. Not here: asking the stores, and what a
person sees (`stacks.cli`).
"""

from collector.check.attributes import missing
from collector.check.findings import COLLECTOR, Finding, Kind, Severity
from collector.check.labels import BOUNDED, Value, exploding
from collector.check.metrics import EVENT_LABELS, LOSS_COUNTERS, Counted, losses, unnamed_events, unpriced
from collector.check.report import Report, Service, build
from collector.check.shape import detached, orphaned, untasked
from collector.check.spans import Span, Trace

__all__ = [
    "BOUNDED",
    "COLLECTOR",
    "EVENT_LABELS",
    "LOSS_COUNTERS",
    "Counted",
    "Finding",
    "Kind",
    "Report",
    "Service",
    "Severity",
    "Span",
    "Trace",
    "Value",
    "build",
    "detached",
    "exploding",
    "losses",
    "missing",
    "orphaned",
    "unnamed_events",
    "unpriced",
    "untasked",
]
