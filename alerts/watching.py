"""What an alert watches: the expressions it compares, and with which thresholds. Panels show these very values."""

from functools import cache

from alerts import alerting
from alerts.alerting import Alert
from alerts.alerting.condition import Comparison, Role
from alerts.timing import PRODUCTION


@cache
def alert(name: str) -> Alert:
    """An alert by its name; where several share it, the first. Raises KeyError."""
    found = next((alert for alert in alerting.alerts(PRODUCTION) if alert.name == name), None)
    if found is None:
        raise KeyError(f"no alert is called {name}; fix: a name from `alerts/generated/alerts.yaml`")
    return found


@cache
def watched(name: str) -> tuple[Comparison, ...]:
    """All comparisons with a number, from left to right; what only guards them (`and`, `unless`) is left out."""
    every = alert(name).condition.comparisons()
    return tuple(each for each in every if each.role is Role.VALUE and each.is_number)
