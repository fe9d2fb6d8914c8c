"""How far two who judge the same things agree, beyond what chance makes them agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.statistics.intervals import wilson

_RESAMPLED: Final = 4000
_SEED: Final = 1
_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Cohen's kappa with its 90 % interval, and how often the second agrees where the first says yes, and no."""

    count: int
    base_rate: float
    kappa: float
    interval: tuple[float, float]
    true_positive: tuple[float, float, float]
    true_negative: tuple[float, float, float]


def agreement(pairs: Sequence[tuple[bool, bool]]) -> Agreement:
    """Compare `(truth, judgement)`. Source: Cohen 1960; the interval is a bootstrap of the table (Efron 1979)."""
    table = np.zeros(4)
    for truth, said in pairs:
        table[2 * truth + said] += 1
    drawn = np.random.default_rng(_SEED).multinomial(len(pairs), table / table.sum(), size=_RESAMPLED)
    low, high = np.quantile(_kappa(drawn.astype(float)), (0.05, 0.95))
    false_negative, true_positive = float(table[2]), float(table[3])
    true_negative, false_positive = float(table[0]), float(table[1])
    return Agreement(
        count=len(pairs),
        base_rate=(false_negative + true_positive) / len(pairs),
        kappa=float(_kappa(table[None, :])[0]),
        interval=(float(low), float(high)),
        true_positive=_share(true_positive, true_positive + false_negative),
        true_negative=_share(true_negative, true_negative + false_positive),
    )


def _kappa(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kappa of each table (no-no, no-yes, yes-no, yes-yes); 0 where one class alone leaves nothing to agree about."""
    shares = tables / tables.sum(axis=1, keepdims=True)
    seen = shares[:, 0] + shares[:, 3]
    yes_first, yes_second = shares[:, 2] + shares[:, 3], shares[:, 1] + shares[:, 3]
    chance = yes_first * yes_second + (1 - yes_first) * (1 - yes_second)
    return np.asarray(np.where(chance < 1, (seen - chance) / np.where(chance < 1, 1 - chance, 1), 0.0))


def _share(good: float, count: float) -> tuple[float, float, float]:
    """A share with its 95 % interval; all that is possible where nothing was seen."""
    if not count:
        return 0.0, 0.0, 1.0
    low, high = wilson(good, count, _LEVEL)
    return good / count, low, high
