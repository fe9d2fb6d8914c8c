"""How sure a comparison is, as PromQL: the nats of `alerts.statistics.likelihood`, told as standard errors.

So the alerts about versions and canaries, the boards and `agentobs why` ask for the same level of one statistic. What
is tested is what `why` tests: shares of first attempts; of a histogram the share above the bound that about a tenth
of the old events exceeded; counts per event. A mean without a histogram cannot be tested.
"""

from collections.abc import Iterable
from typing import Final

from agentobs.contract import Label
from alerts.catalogue import DIAGNOSED, VERSION_LEVEL, Direction, Kpi

UNTESTED_EVENTS: Final = 500
"""Events on both sides of a comparison that nothing tests, so that chance does not reach the tolerance: of two equal
shares of 90 %, one looks 5 % worse in 35 % of cases with 10 events each, in 9 % with 100, and hardly ever with 500."""
_SMALLEST: Final = "1e-12"


def of_kpis(kpis: Iterable[Kpi], *, others: bool = False) -> str:
    """What selects their series, or all others; nothing of no KPI."""
    keys = [kpi.key for kpi in kpis]
    equal, like = ("!=", "!~") if others else ("=", "=~")
    return f'{{kpi{like if len(keys) > 1 else equal}"{"|".join(keys)}"}}' if keys else ""


SHARES: Final = tuple(kpi for kpi in DIAGNOSED if kpi.is_share)
RATES: Final = tuple(kpi for kpi in DIAGNOSED if kpi.is_rate)
LARGE: Final = tuple(kpi for kpi in DIAGNOSED if kpi.buckets is not None)
TESTED: Final = (*SHARES, *RATES, *LARGE)
"""Of these chance can be told from change."""


def of_share(share: str, events: str) -> str:
    """The log-likelihood of a side with its own share."""
    other = f"(1 - {share})"
    return f"{events} * ({share} * ln(clamp_min({share}, {_SMALLEST})) + {other} * ln(clamp_min({other}, {_SMALLEST})))"


def of_rate(rate: str, events: str) -> str:
    """The log-likelihood of a side with its own rate, up to what both sides share."""
    return f"{events} * {rate} * ln(clamp_min({rate}, {_SMALLEST}))"


def errors(worse: str, sides: str, one: str) -> str:
    """Standard errors of a difference, positive for worse, from the log-likelihoods of two `sides` and of `one`."""
    return f"sgn({worse}) * sqrt(2 * clamp_min({sides} - {one}, 0))"


def needed(compared: str) -> str:
    """Standard errors that keep the level over all comparisons of an environment."""
    return f"sqrt(2 * ln(count by ({Label.ENVIRONMENT}) ({compared}) * {1 / VERSION_LEVEL:g}))"


def bad(share: str, events: str, good: Iterable[Kpi]) -> str:
    """Bad events of shares; those of `good` are of good events."""
    of_good = [kpi for kpi in good if kpi.is_share and kpi.direction is Direction.HIGHER_IS_BETTER]
    up, down = of_kpis(of_good), of_kpis(of_good, others=True)
    return f"round((1 - {share}{up}) * {events}{up}) or round({share}{down} * {events}{down})"
