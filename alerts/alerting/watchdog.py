"""The alert that always fires: its absence proves that alerts do not arrive."""

from alerts.alerting.condition import Comparison
from alerts.alerting.model import Alert
from alerts.catalogue import Group, Owner, Severity

WATCHDOG = Alert(
    name="Watchdog",
    group=Group.PLATFORM,
    condition=Comparison("vector(1)"),
    hold_s=0,
    severity=Severity.TICKET,  # routed by name to the dead man's switch
    owner=Owner.PLATFORM,
    by=(),
    board="platform",
    summary="Always firing: it proves that alerts arrive.",
    description="The dead man's switch calls somebody when this stops. If you read this as an alert, routing is wrong.",
    value="",
)
