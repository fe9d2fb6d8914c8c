"""Who is told of an alert, how, and what is kept from them: the Alertmanager configuration and its message templates.

Typed values in, a dict or text out. Not here: the alerts (`alerts.alerting`), where Alertmanager runs (`stacks`).
"""

from alerts.routing.document import config, render
from alerts.routing.inhibition import INHIBITIONS, Inhibition
from alerts.routing.messages import FILE, TEMPLATE
from alerts.routing.profiles import PROFILES, Profile, Routing, Team
from alerts.routing.receivers import Email, Opsgenie, PagerDuty, Receiver, RoutingError, Slack, Webhook

__all__ = [
    "FILE",
    "INHIBITIONS",
    "PROFILES",
    "TEMPLATE",
    "Email",
    "Inhibition",
    "Opsgenie",
    "PagerDuty",
    "Profile",
    "Receiver",
    "Routing",
    "RoutingError",
    "Slack",
    "Team",
    "Webhook",
    "config",
    "render",
]
