"""An alert: when it fires, how much it matters, what it says. Summary, links, severity and owner cannot be left out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from agentobs.contract import Label
from alerts.alerting import command
from alerts.alerting.condition import Condition
from alerts.alerting.naming import in_lines
from alerts.catalogue import Group, Kpi, Objective, Owner, Severity
from alerts.catalogue.model import MINUTE
from alerts.timing import Timing

_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]+")
# Labels of an alert that are variables of the boards, and their names there.
VARIABLES: Final[dict[str, str]] = {
    Label.ENVIRONMENT: "environment",
    Label.AGENT: "agent",
    Label.TOOL: "tool",
    Label.WORKFLOW: "workflow",
    Label.MODEL: "model",
    Label.SERVICE: "service",
}


class AlertError(ValueError):
    """An alert that must not be shipped; the message names it and the fix."""


def runbook_slug(name: str) -> str:
    """Slug of the board that shows the runbook of that name. Short, as a Grafana's uid holds 40 characters."""
    return f"rb-{name.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where pages are. `{name}` is the alert's name, `{board}` the board's slug, `{slug}` that of the runbook's board.

    `runbook` and `board` are addresses without variables; the variables of a board are added from an alert's labels.
    `stack` is which one a command has to ask; empty where it is the one of this computer.
    """

    runbook: str
    board: str
    stack: str = ""

    def runbook_url(self, name: str) -> str:
        """Address of the page that says what to do."""
        return self.runbook.format(name=name, slug=runbook_slug(name))

    def runbook_link(self, name: str, labels: tuple[str, ...]) -> str:
        """The same for an alert; a board is narrowed by its labels: a template that Prometheus fills in."""
        if "{slug}" not in self.runbook:
            return self.runbook_url(name)
        return "".join(
            [f"{self.runbook_url(name)}?from=now-6h&to=now", *_variables({label: label for label in labels})]
        )

    def board_url(self, slug: str, labels: tuple[str, ...]) -> str:
        """Address of the board, with the alert's labels as variables: a template that Prometheus fills in."""
        known = _variables({label: VARIABLES[label] for label in labels if label in VARIABLES})
        return "".join([f"{self.board.format(board=quote(slug))}?from=now-6h&to=now", *known])


def _variables(names: Mapping[str, str]) -> Iterator[str]:
    """Variables of a board, as a template: label -> name of the variable."""
    for label, name in names.items():
        yield f"{{{{ with $labels.{label} }}}}&var-{name}={{{{ . | urlquery }}}}{{{{ end }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alerting rule. `by` are the labels that tell its instances apart; all times in seconds of production.

    `also` are further labels that they have, such as those of the version. `description` says what, how bad, since when
    and which version; `value` and `objective` are for messages. `kpi` is the KPI that it is about, `watches` the
    promise of it that is broken, `job` the program whose own metrics it reads. Raises AlertError.
    """

    name: str
    group: Group
    condition: Condition
    hold_s: float
    severity: Severity
    owner: Owner
    by: tuple[str, ...]
    board: str
    summary: str
    description: str
    value: str = "{{ $value | humanize }}"
    objective: str = ""
    keep_firing_s: float = 0
    also: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    kpi: Kpi | None = None
    watches: Objective | None = None
    job: str = ""

    @property
    def expr(self) -> str:
        """The condition as PromQL."""
        return str(self.condition)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise AlertError(f"alert {self.name!r}: expected a name in CamelCase")
        if not self.summary or not self.description:
            raise AlertError(f"{self.name}: a summary and a description are needed at 3 a.m.; fix: write them")

    def document(self, timing: Timing, links: Links) -> dict[str, Any]:
        """Return the form Prometheus reads."""
        keep = {"keep_firing_for": timing.of(self.keep_firing_s)} if self.keep_firing_s else {}
        hold = {"for": timing.of(self.hold_s)} if self.hold_s else {}
        return {
            "alert": self.name,
            "expr": self.expr,
            **hold,
            **keep,
            "labels": {"severity": self.severity, "owner": self.owner, "family": self.group, **self.labels},
            "annotations": {
                "summary": in_lines(self.summary),
                "description": in_lines(self.description),
                "value": in_lines(self.value),
                **({"objective": self.objective} if self.objective else {}),
                "command": command.template(self.name, (*self.by, *self.also), links.stack),
                "runbook_url": links.runbook_link(self.name, self.by),
                "dashboard_url": links.board_url(self.board, self.by),
            },
        }


EVALUATED_EVERY_S: Final = MINUTE / 4
"""How often alerts are evaluated, in seconds of production time."""
