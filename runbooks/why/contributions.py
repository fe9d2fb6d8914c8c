"""Who carries an excess: of all failures, seconds, tokens or dollars beyond what the old value would have made."""

from collections.abc import Iterable

import numpy as np

from agentobs.contract import ABSENT, Label
from alerts.catalogue import Direction, Kpi
from runbooks.why.document import Contribution
from runbooks.why.places import Kind
from runbooks.why.tables import Table

_MOST = 5


def of(kpi: Kpi, tables: Iterable[Table], since: float) -> list[Contribution]:
    """Return the carriers of a KPI's excess after `since` (unix seconds), the largest first."""
    excess: dict[str, float] = {}
    for table in tables:
        if table.kpi is kpi:
            late = table.span.edges[:-1] >= since
            before = table.counts(np.broadcast_to(~late, table.below.shape)).value
            if before is None:
                continue
            for row, labels in enumerate(table.rows):
                beyond = table.above[row, late].sum() - before * table.below[row, late].sum()
                worse = float(beyond if kpi.direction is Direction.LOWER_IS_BETTER else -beyond)
                name = table.place.name or _of_system(labels)
                excess[name] = excess.get(name, 0.0) + worse
    total = sum(amount for amount in excess.values() if amount > 0)
    return [
        Contribution(kpi=kpi.key, name=name, excess=round(amount, 6), share=round(amount / total, 4))
        for name, amount in sorted(excess.items(), key=lambda pair: -pair[1])[:_MOST]
        if amount > 0
    ]


def _of_system(labels: dict[Label, str] | object) -> str:
    known = labels if isinstance(labels, dict) else {}
    parts = [known.get(label, ABSENT) for label in (Label.WORKFLOW, Label.TASK_TYPE)]
    return " · ".join(part for part in parts if part != ABSENT) or str(Kind.SYSTEM)
