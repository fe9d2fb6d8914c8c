"""All alerts: what they say, how much they matter, who acts. They read recorded series, and the platform's own metrics.

Not here: the series (`alerts.recording`), who is told (`alerts.routing`).
"""

from collections import Counter

from alerts.alerting import comparisons, objectives, platform, special, telemetry
from alerts.alerting.model import Alert, AlertError, Links
from alerts.alerting.watchdog import WATCHDOG
from alerts.timing import Timing

__all__ = ["WATCHDOG", "Alert", "AlertError", "Links", "alerts"]


def alerts(timing: Timing) -> tuple[Alert, ...]:
    """Every alert. Raises AlertError where two of one name do not differ in labels."""
    found = (
        WATCHDOG,
        *objectives.alerts(),
        *special.alerts(timing),
        *comparisons.alerts(),
        *telemetry.alerts(timing),
        *platform.alerts(timing),
    )
    seen = Counter((alert.name, alert.severity, tuple(sorted(alert.labels.items()))) for alert in found)
    if twice := [name for (name, _, _), count in seen.items() if count > 1]:
        raise AlertError(f"alerts of the same name and labels: {', '.join(twice)}; fix: rename or label them apart")
    return found
