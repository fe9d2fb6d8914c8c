"""What people ask of traces and lines, in no store's language, and the interface through which every store answers.

`model` says what is looked for, `source` what is found. How each store is asked for it: `traceql`, `jaeger`, `logql`,
`logsql`, all pure. Clients over HTTP are with the command line.
"""

from collector.search.model import Attribute, LineSearch, Op, SearchError, SpanSearch, Term, filled
from collector.search.source import Call, LogLine, LogStore, Span, Trace, TraceStore

__all__ = [
    "Attribute",
    "Call",
    "LineSearch",
    "LogLine",
    "LogStore",
    "Op",
    "SearchError",
    "Span",
    "SpanSearch",
    "Term",
    "Trace",
    "TraceStore",
    "filled",
]
