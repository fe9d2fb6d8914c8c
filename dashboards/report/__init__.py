"""The boards as one page, evaluated against running stores: for those without Grafana, for clients, for reviews."""

from dashboards.report.page import Report, render
from dashboards.report.sources import LogLine, Logs, Period, Sources, TraceRow, Traces, TraceSpan

__all__ = ["LogLine", "Logs", "Period", "Report", "Sources", "TraceRow", "TraceSpan", "Traces", "render"]
