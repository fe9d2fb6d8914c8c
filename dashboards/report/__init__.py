"""The boards as one page, evaluated against running stores: for those without Grafana, for clients, for reviews."""

from dashboards.report.extent import fitted
from dashboards.report.page import Report, render
from dashboards.report.sources import Period, Sources

__all__ = ["Period", "Report", "Sources", "fitted", "render"]
