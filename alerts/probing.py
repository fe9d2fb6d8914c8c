"""What a deployment checklist asks the running platform beside KPIs: alerts that fired, and room before a limit."""

from dataclasses import dataclass
from typing import Final

from agentobs.contract import Label
from alerts import promql, watching
from alerts.alerting import Alert
from alerts.catalogue import Severity

ROOM: Final = {
    "queues": "CollectorQueueFilling",
    "series": "SeriesNearLimit",
    "rules": "RulesSlow",
}
"""Alerts that say how full something is: the collector's queues, its table of series, the time that rules have."""
TARGETS: Final = "BackendDown"
NOTIFICATIONS: Final = "NotificationsFailing"


@dataclass(frozen=True, slots=True)
class Probe:
    """What to ask, and from which value on it is trouble."""

    alert: Alert
    expr: str
    threshold: float


def probe(name: str) -> Probe:
    """The expression that an alert compares, without its threshold. Raises KeyError for an unknown alert."""
    watched = watching.watched(name)[0]
    return Probe(watching.alert(name), watched.value, watched.number)


def fired(severity: Severity, environment: str, window_s: float) -> str:
    """How often alerts of an environment were seen firing in a window, one sample per alert."""
    here = promql.matchers({Label.ENVIRONMENT: environment}).strip("{}")
    where = f'alertstate="firing",severity="{severity}",{here}'
    return f"count_over_time(ALERTS{{{where}}}[{promql.duration(window_s)}])"
