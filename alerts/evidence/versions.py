"""Queries that compare versions: the KPI of each, and what changed lately."""

from typing import Final

from agentobs.contract import VERSION_LABELS, Label
from alerts import promql
from alerts.alerting import Alert
from alerts.catalogue import DIAGNOSED, DIMENSIONS, Kpi
from alerts.catalogue.model import DAY, HOUR
from alerts.evidence import narrow
from alerts.evidence.model import About, QuickCheck
from alerts.evidence.narrow import Mark
from alerts.promql import duration
from alerts.recording import versions

_NEWER_S: Final = DAY


def by_version(alert: Alert, mark: Mark = Mark.EXACT) -> QuickCheck | None:
    """The KPI of every version of the last hour; None where no version label slices it."""
    kpi, names = alert.kpi, narrow.identity(alert.name)
    if kpi is None:
        return _compared(names, mark) if "version" in names and "kpi" in names else None
    own = {label for dimension in DIMENSIONS for label in dimension.entity} & set(names)
    recorded = kpi in DIAGNOSED and any(
        own <= set(dimension.entity) and kpi.sliced_by(dimension.labels) for dimension in DIMENSIONS
    )
    if recorded:
        query = narrow.narrowed(f'{versions.VALUE}{{kpi="{kpi.key}"}}', names, mark)
    else:
        query = narrow.narrowed(_raw(kpi), names, mark)
    return QuickCheck(
        title=f"{kpi.title} by version",
        query=query,
        about=About.VERSIONS,
        shows=(
            "One series for each version that ran within the last hour. One version worse than the others: it is the"
            " version. All alike: it is something else."
        ),
        answers=recorded is False,
    )


def _compared(names: tuple[str, ...], mark: Mark) -> QuickCheck:
    """Of an alert about a version: how its KPI does with every version of the same owner."""
    labels = tuple(name for name in names if name not in {"version", "previous"})
    return QuickCheck(
        title="The KPI by version",
        about=About.VERSIONS,
        query=narrow.narrowed(versions.VALUE, labels, mark),
        shows="One series for each version of the last hour: the new one, and the one before while it still runs.",
    )


def _raw(kpi: Kpi) -> str:
    """Of KPIs whose versions are not recorded: the quotient of the last hour, counted by every version label."""
    by = tuple(label for label in VERSION_LABELS if label in kpi.numerator.labels and label in kpi.denominator.labels)
    part, whole = (
        promql.sum_by(by, f"increase({promql.exemplars(side, {})}[{duration(HOUR)}])")
        for side in (kpi.numerator, kpi.denominator)
    )
    return f"({part} or 0 * {whole}) / ({whole} > 0)"


def changed_lately(alert: Alert, mark: Mark = Mark.EXACT) -> QuickCheck | None:
    """Versions that are new; None for alerts about no environment."""
    if Label.ENVIRONMENT not in narrow.identity(alert.name):
        return None
    seen = narrow.narrowed(versions.FIRST_SEEN, (Label.ENVIRONMENT,), mark)
    return QuickCheck(
        title="What changed within a day",
        about=About.CHANGES,
        query=f"{seen} > (time() - {_NEWER_S})",
        shows=(
            "Every version that was first seen within a day, of any prompt, tool, model or graph; the value is when, in"
            " unix seconds. Nothing: no version changed."
        ),
        answers=False,
    )
