"""Prometheus rule files: recording rules and alerts as one document each."""

from collections.abc import Iterable
from typing import Any, Final

from alerts import alerting, promql, recording
from alerts.alerting import Links
from alerts.alerting.model import EVALUATED_EVERY_S
from alerts.catalogue import Group
from alerts.recording import BaselinePoint
from alerts.timing import PRODUCTION, Timing
from collector.document import to_yaml

# Where nobody has said where pages and boards are: the checkout, and a Grafana on this computer.
LINKS: Final = Links(runbook="runbooks/generated/{name}.md", board="http://127.0.0.1:3000/d/agentobs-{board}")


def recording_groups(
    timing: Timing = PRODUCTION, baseline: Iterable[BaselinePoint] = (), daily_budget_usd: float | None = None
) -> list[dict[str, Any]]:
    """Groups of recording rules as Prometheus reads them."""
    return [group.document(timing) for group in recording.groups(timing, baseline, daily_budget_usd)]


def alert_groups(timing: Timing = PRODUCTION, links: Links = LINKS) -> list[dict[str, Any]]:
    """Groups of alerts as Prometheus reads them: one per family."""
    every = alerting.alerts(timing)
    families = {family: [alert for alert in every if alert.group is family] for family in Group}
    return [
        {
            "name": f"alerts-{family}",
            "interval": timing.interval(EVALUATED_EVERY_S),
            "rules": [alert.document(timing, links) for alert in members],
        }
        for family, members in families.items()
        if members
    ]


def render(
    timing: Timing = PRODUCTION,
    links: Links = LINKS,
    baseline: Iterable[BaselinePoint] = (),
    daily_budget_usd: float | None = None,
) -> str:
    """Return the rule file as YAML text."""
    return to_yaml({"groups": [*recording_groups(timing, baseline, daily_budget_usd), *alert_groups(timing, links)]})


def in_plain_form(group: dict[str, Any]) -> dict[str, Any]:
    """A group of rules for stores that do not know `anchored`; see `promql.plain` for what that costs."""
    return {**group, "rules": [{**rule, "expr": promql.plain(rule["expr"])} for rule in group["rules"]]}
