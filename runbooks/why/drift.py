"""Data drift: did other types of tasks arrive from some moment on? A chi-square test of the mix before and after."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy

from agentobs.contract import ABSENT, Label
from alerts.catalogue import DRIFT, FALSE_ALARMS, MIN_EVENTS
from runbooks.why.spans import Numbers
from runbooks.why.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The mix of tasks changed at a border: `moved` is the share of tasks that became of another type."""

    border: int
    moved: float
    grown: str
    before: float
    after: float
    p: float


def find(tables: Iterable[Table]) -> Drift | None:
    """Return the drift of the task types, if it is large and more than chance explains."""
    types: dict[str, Numbers] = {}
    for table in tables:
        for name, row in zip(table.values(Label.TASK_TYPE), table.below, strict=True):
            if name != ABSENT:
                types[name] = types.get(name, np.zeros(table.span.columns)) + row
    if len(types) <= 1:
        return None
    names, counts = [*types], np.array([*types.values()])
    before = np.cumsum(counts, axis=1) - counts
    after = counts.sum(axis=1, keepdims=True) - before
    enough = np.minimum(before.sum(axis=0), after.sum(axis=0)) >= MIN_EVENTS
    if not enough.any():
        return None
    border = int(np.where(enough, _fit(before) + _fit(after), -np.inf).argmax())
    both = np.stack([before[:, border], after[:, border]])
    seen = both[:, both.sum(axis=0) > 0]
    p = float(scipy.stats.chi2_contingency(seen).pvalue) * int(enough.sum()) if seen.shape[1] > 1 else 1.0
    mix = both / both.sum(axis=1, keepdims=True)
    change = mix[1] - mix[0]
    moved = float(np.maximum(change, 0).sum())
    if p > FALSE_ALARMS or moved < DRIFT:
        return None
    most = int(change.argmax())
    return Drift(
        border=border, moved=moved, grown=names[most], before=float(mix[0, most]), after=float(mix[1, most]), p=p
    )


def _fit(counts: Numbers) -> Numbers:
    """Multinomial log-likelihood of each border's side, up to a constant."""
    total = counts.sum(axis=0)
    share = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return np.asarray(scipy.special.xlogy(counts, share).sum(axis=0))
