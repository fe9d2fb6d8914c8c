"""What is wrong with the telemetry that arrives, per service and agent, and how to mend it.

Pure analysis of what the stores hold, after the collector has normalised it: spans (`attributes`, `shape`, `unread`,
`twice`, `context`, `doubt`), values of labels (`labels`) and counters (`metrics`) become `Finding`s; `feeding` says
which KPIs are fed. All of it stands in a `Report`. Not here: asking the stores, what a person sees (`stacks.cli`).
"""

from collector.check.attributes import missing
from collector.check.context import scattered, unnamed
from collector.check.doubt import beyond, clocks, costs, doubtful
from collector.check.feeding import NEEDS, OPTIONAL, VERDICTS, Fed, Gap
from collector.check.findings import COLLECTOR, Finding, Group, Kind, Severity, grouped
from collector.check.frameworks import framework
from collector.check.labels import BOUNDED, Value, exploding
from collector.check.metrics import EVENT_LABELS, LOSS_COUNTERS, Counted, losses, unnamed_events, unpriced
from collector.check.report import Report, Service, build, with_aliases
from collector.check.shape import detached, orphaned, untasked
from collector.check.spans import Span, Trace
from collector.check.twice import singled, twice
from collector.check.unread import unread

__all__ = [
    "BOUNDED",
    "COLLECTOR",
    "EVENT_LABELS",
    "LOSS_COUNTERS",
    "NEEDS",
    "OPTIONAL",
    "VERDICTS",
    "Counted",
    "Fed",
    "Finding",
    "Gap",
    "Group",
    "Kind",
    "Report",
    "Service",
    "Severity",
    "Span",
    "Trace",
    "Value",
    "beyond",
    "build",
    "clocks",
    "costs",
    "detached",
    "doubtful",
    "exploding",
    "framework",
    "grouped",
    "losses",
    "missing",
    "orphaned",
    "scattered",
    "singled",
    "twice",
    "unnamed",
    "unnamed_events",
    "unpriced",
    "unread",
    "untasked",
    "with_aliases",
]
