"""The last versions of one thing, and the warning against prompt thrashing: edit after edit without a comparison."""

from collections.abc import Sequence
from typing import Final

from alerts import promql
from alerts.catalogue import RESTLESS
from alerts.catalogue.model import DAY
from alerts.recording import versions
from alerts.source import MetricsSource
from runbooks.why.changes import VersionChange
from runbooks.why.document import Measured, VersionUse
from runbooks.why.tables import Table

_MOST: Final = 6
# Recorded every 15 seconds and carried on: what is there is there within minutes.
_LOOK_BACK_S: Final = 300.0


def of(
    source: MetricsSource, change: VersionChange, led_here: Sequence[VersionChange], table: Table, end: float
) -> list[VersionUse]:
    """Return the versions of the changed thing, the newest first, each with the accusing KPI where it is in the window.

    The recording rules remember a month; without them the window is all there is.
    """
    seen = {one.version: one.since for one in led_here}
    first = led_here[0]
    if not first.is_first and not first.replaces:
        seen = {first.previous: first.previous_since} | seen
    recorded = _recorded(source, versions.FIRST_SEEN, change, end)
    # What already ran when the window began is older than the window.
    began = {version: min(at, recorded.get(version, at)) for version, at in (recorded | seen).items()}
    last = _recorded(source, versions.LAST_SEEN, change, end)
    uses = [
        VersionUse(
            version=version,
            first_seen=at,
            last_seen=last.get(version),
            kpi=table.kpi.key,
            measured=_measured(table, change, version),
        )
        for version, at in began.items()
    ]
    return sorted(uses, key=lambda use: -use.first_seen)[:_MOST]


def _recorded(source: MetricsSource, series: str, change: VersionChange, end: float) -> dict[str, float]:
    wanted = {"dimension": change.dimension.key}
    found = source.instant(promql.last(series, change.place, _LOOK_BACK_S), end)
    return {s.labels["version"]: s.value for s in found if "version" in s.labels and wanted.items() <= s.labels.items()}


def _measured(table: Table, change: VersionChange, version: str) -> Measured | None:
    rows = [value == version for value in table.values(change.dimension.version)]
    events = float(table.below[rows].sum())
    return Measured(value=float(table.above[rows].sum()) / events, events=events) if events else None


def warnings(uses: list[VersionUse], change: VersionChange, end: float) -> list[str]:
    """What to mind before the next edit."""
    recent = [use for use in uses if use.first_seen > end - DAY]
    found = []
    if change.later and not change.taken_back:
        found.append(
            f"{change.version} broke it and {change.current} runs now: the versions since did not mend it. Compare"
            " traces before another one."
        )
    if change.dimension.key == "prompt" and len(recent) - 1 >= RESTLESS:
        found.append(
            f"This prompt changed {len(recent) - 1} times within a day. Do not edit it again before the failing traces"
            f" of {change.version} are compared with the good ones of {change.was}."
        )
    return found
