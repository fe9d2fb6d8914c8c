"""Recording rules: every KPI at the windows that alerts and panels read, versions, tracks, comparisons, programs.

Alerts and panels read recorded series, so that they agree. Not here: alerts (`alerts.alerting`).
"""

from collections.abc import Iterable

from alerts.recording import comparison, kpis, programs, tracks, versions
from alerts.recording.comparison import BaselinePoint
from alerts.recording.rule import Record, RecordGroup
from alerts.timing import Timing

__all__ = ["BaselinePoint", "Record", "RecordGroup", "groups"]


def groups(
    timing: Timing, baseline: Iterable[BaselinePoint] = (), daily_budget_usd: float | None = None
) -> list[RecordGroup]:
    """All groups, in an order in which what is read is recorded before."""
    return [
        *kpis.groups(timing),
        *comparison.groups(timing, baseline, daily_budget_usd),
        *versions.groups(timing),
        *tracks.groups(timing),
        *programs.groups(),
    ]
