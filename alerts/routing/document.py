"""The Alertmanager configuration: routes, receivers, inhibitions. Groups never have pods, runs or instances in them."""

from collections.abc import Iterable
from typing import Any, Final

from agentobs.contract import Label
from alerts.alerting import WATCHDOG
from alerts.catalogue import Owner, Severity
from alerts.catalogue.model import DAY, HOUR, MINUTE
from alerts.routing.inhibition import INHIBITIONS, PAGE
from alerts.routing.messages import FILE
from alerts.routing.profiles import Profile, Routing
from alerts.routing.receivers import Receiver
from alerts.timing import Timing
from collector.document import to_yaml

SHOW: Final = "show"
DEAD_MANS_SWITCH: Final = "dead-mans-switch"
GROUP_BY: Final = ("alertname", Label.ENVIRONMENT, Label.AGENT, Label.TOOL, Label.WORKFLOW)
_REPEAT_S: Final = {Severity.PAGE: 4 * HOUR, Severity.TICKET: DAY}
# Alertmanager looks once per group interval whether to repeat: with this one a minute is 70 seconds at most.
_WATCHDOG_INTERVAL_S: Final = 10


def render(routing: Routing) -> str:
    """Return the configuration as YAML text."""
    return to_yaml(config(routing))


def config(routing: Routing) -> dict[str, Any]:
    """Return alertmanager.yml as a dict."""
    return {
        "route": _root(routing),
        "receivers": [*_people(routing), _switch(routing)],
        "inhibit_rules": [rule.document() for rule in INHIBITIONS],
        "templates": [FILE],
    }


def receiver_of(routing: Routing, owner: Owner, severity: Severity) -> str:
    """Name of the receiver of an owner's alerts. Where nobody is woken, pages go where tickets go."""
    if routing.profile is Profile.SHOW:
        return SHOW
    effective = severity if routing.profile is Profile.PAGES else Severity.TICKET
    return f"{owner}-{effective}" if owner is Owner.PLATFORM and routing.platform else str(effective)


def _root(routing: Routing) -> dict[str, Any]:
    """An alert without a severity is a ticket, one without an owner is for the team of the agents."""
    timing = routing.timing
    page = {"matchers": [PAGE], **_severity(routing, Severity.PAGE)}
    owners = _platform(routing, Severity.PAGE)
    return {
        **_severity(routing, Severity.TICKET),
        "group_by": [str(label) for label in GROUP_BY],
        "group_wait": timing.of(30),
        "group_interval": timing.interval(5 * MINUTE),
        "routes": [
            _watchdog(timing),
            {**page, "routes": owners} if owners else page,
            *_platform(routing, Severity.TICKET),
        ],
    }


def _severity(routing: Routing, severity: Severity) -> dict[str, Any]:
    return {
        "receiver": receiver_of(routing, Owner.AGENTS, severity),
        "repeat_interval": routing.timing.interval(_REPEAT_S[severity]),
    }


def _platform(routing: Routing, severity: Severity) -> list[dict[str, Any]]:
    mine, others = (receiver_of(routing, owner, severity) for owner in (Owner.PLATFORM, Owner.AGENTS))
    return [] if mine == others else [{"matchers": [f'owner="{Owner.PLATFORM}"'], "receiver": mine}]


def _watchdog(timing: Timing) -> dict[str, Any]:
    """To the dead man's switch at once and every minute; never to people, as this is the first route that matches."""
    return {
        "matchers": [f'alertname="{WATCHDOG.name}"'],
        "receiver": DEAD_MANS_SWITCH,
        "group_wait": "0s",
        "group_interval": timing.interval(_WATCHDOG_INTERVAL_S),
        "repeat_interval": timing.interval(MINUTE),
    }


def _people(routing: Routing) -> list[dict[str, Any]]:
    if routing.profile is Profile.SHOW:
        return [_receiver(SHOW, routing.everybody)]
    # By name: owners who share a receiver, and pages that are tickets, appear once.
    found = {}
    for severity in Severity:
        for owner in Owner:
            team = routing.team(owner)
            pages = severity is Severity.PAGE and routing.profile is Profile.PAGES
            name = receiver_of(routing, owner, severity)
            found[name] = _receiver(name, team.pages if pages else team.tickets)
    return list(found.values())


def _switch(routing: Routing) -> dict[str, Any]:
    switch = routing.dead_mans_switch
    if switch is None:
        return {"name": DEAD_MANS_SWITCH}
    # That the Watchdog has ended is what the switch exists to notice: it must not be told.
    return {"name": DEAD_MANS_SWITCH, switch.kind: [{**switch.document(), "send_resolved": False}]}


def _receiver(name: str, receivers: Iterable[Receiver]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name}
    for receiver in receivers:
        found.setdefault(receiver.kind, []).append(receiver.document())
    return found
