"""A recording rule, a group of them, and the names of recorded series. Names are built here and nowhere else."""

from dataclasses import dataclass, field
from typing import Any

from alerts.catalogue import Kpi, Unit
from alerts.catalogue.counts import Count
from alerts.promql import duration
from alerts.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One recording rule; `labels` are added to every sample."""

    name: str
    expr: str
    labels: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the form Prometheus reads."""
        return {"record": self.name, "expr": self.expr, **({"labels": self.labels} if self.labels else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordGroup:
    """Rules that are evaluated one after the other every `interval_s` seconds of production time."""

    name: str
    interval_s: float
    rules: tuple[Record, ...]

    def document(self, timing: Timing) -> dict[str, Any]:
        """Return the form Prometheus reads."""
        return {
            "name": self.name,
            "interval": timing.interval(self.interval_s),
            "rules": [rule.document() for rule in self.rules],
        }


def events(kpi: Kpi, window_s: float) -> str:
    """Series of the events a KPI rests on; a window without any has no sample."""
    return f"kpi:{kpi.key}:events{duration(window_s)}"


def value(kpi: Kpi, window_s: float) -> str:
    """Series of a KPI's value."""
    return f"kpi:{kpi.key}:{'ratio' if kpi.unit is Unit.RATIO else 'mean'}{duration(window_s)}"


def quantile(kpi: Kpi, q: float, window_s: float) -> str:
    """Series of one quantile of a KPI's histogram."""
    return f"kpi:{kpi.key}:p{q * 100:g}_{duration(window_s)}"


def objective(kpi: Kpi) -> str:
    """Series of what a KPI promises, one per alert, for panels to draw."""
    return f"kpi:{kpi.key}:objective"


def increase(count: Count, window_s: float) -> str:
    """Series of a count over a window."""
    return f"kpi:{count.key}:increase{duration(window_s)}"


TOLERANCE = "kpi:tolerance"
"""By label `kpi`: the change for the worse that matters; a share of the old value unless the KPI is a ratio."""
WEEK_WORSENING = "kpi:week_worsening1h"
"""How much worse than the same hour a week ago; positive is worse. By `kpi` and the KPI's labels."""
BASELINE = "kpi:baseline"
"""A recorded baseline: by `kpi` and the KPI's labels."""
BASELINE_WORSENING = "kpi:baseline_worsening1h"
"""How much worse than the recorded baseline; positive is worse."""
SPEND_WEEK_RATIO = "kpi:spend:week_ratio1h"
"""Money spent in the last hour, divided by that of the same hour a week ago."""
DAILY_BUDGET = "kpi:spend:daily_budget"
"""US dollars an environment may spend in a day, where an operator has set it."""
