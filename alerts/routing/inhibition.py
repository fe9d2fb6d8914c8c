"""Which alert mutes which: a cause mutes the symptoms that it explains, no other problem; a ticket never mutes a page.

Alertmanager compares labels; a label that both sides lack counts as equal, so every rule demands its entity on the
source (the target must then have the same). Source and target of a rule are disjoint: an alert that is both would
switch the rule off for all others with its labels.
Not here: who calls what. `AgentFailing` has no `tool_name`, so no rule can tell that a tool is the reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from agentobs.contract import Label
from alerts.alerting.objectives import BURNS
from alerts.catalogue import Group, Severity
from alerts.promql import duration

PAGE: Final = f'severity="{Severity.PAGE}"'
TICKET: Final = f'severity="{Severity.TICKET}"'
# What an alert can be about; a page about one makes its tickets wait.
ENTITIES: Final = (Label.AGENT, Label.TOOL, Label.WORKFLOW, Label.SERVICE, Label.PROVIDER)
# Tickets that name what changed: whoever is paged for the effect needs them.
CLUES: Final = ("ToolSchemaChanged", "VersionRegression", "VersionUnpinned")
# What falls silent when nothing reaches Prometheus any more.
SILENCES: Final = ("TelemetryMissing", "EvaluationsStale", "ToolIdle", "TasksStuck")
# Jobs without which no KPI arrives. Loki or Tempo down explains no missing KPI.
KPI_PATH: Final = ("collector.*", "prometheus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """An alert that matches `source` mutes those that match `target` and have the same labels `equal`."""

    name: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    equal: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the form Alertmanager reads."""
        return {
            "name": self.name,
            "source_matchers": list(self.source),
            "target_matchers": list(self.target),
            **({"equal": [str(label) for label in self.equal]} if self.equal else {}),
        }


def _one_of(label: str, values: tuple[str, ...], *, negated: bool = False) -> str:
    return f'{label}{"!~" if negated else "=~"}"{"|".join(values)}"'


def _has(label: str) -> str:
    return f'{label}=~".+"'


def _rules() -> Iterator[Inhibition]:
    # One Alertmanager serves one platform, so no label has to be equal: agents' environments are not the platform's.
    yield Inhibition(
        name="platform-down-mutes-silence",
        source=(f'family="{Group.PLATFORM}"', PAGE, _one_of("job", KPI_PATH)),
        target=(_one_of("alertname", SILENCES),),
    )
    for entity in ENTITIES:
        yield Inhibition(
            name=f"page-mutes-tickets-of-{entity}",
            source=(PAGE, _has(entity)),
            target=(TICKET, _one_of("alertname", CLUES, negated=True)),
            equal=(Label.ENVIRONMENT, entity),
        )
    yield Inhibition(
        name="regression-page-mutes-ticket-of-same-version",
        source=(PAGE, 'alertname="VersionRegression"'),
        target=(TICKET, 'alertname="VersionRegression"'),
        equal=(Label.ENVIRONMENT, Label.AGENT, Label.PROMPT, Label.TOOL, Label.WORKFLOW, "dimension", "version"),
    )
    yield Inhibition(
        name="tool-failing-mutes-retries",
        source=('alertname="ToolFailing"', _has(Label.TOOL)),
        target=('alertname="RetryStorm"',),
        equal=(Label.ENVIRONMENT, Label.TOOL),
    )
    yield Inhibition(
        name="tool-timing-out-mutes-slow",
        source=('alertname="ToolTimingOut"', _has(Label.TOOL)),
        target=('alertname="ToolSlow"',),
        equal=(Label.ENVIRONMENT, Label.TOOL),
    )
    yield from _burns()


def _burns() -> Iterator[Inhibition]:
    """Of each severity the faster burn mutes the slower; between severities a page mutes tickets anyway."""
    for severity in Severity:
        windows = [duration(burn.long_s) for burn in BURNS if burn.severity is severity]
        for fast, slow in pairwise(windows):
            yield Inhibition(
                name=f"burn-{fast}-mutes-{slow}",
                source=('alertname=~".+BudgetBurn"', f'long="{fast}"'),
                target=(f'long="{slow}"',),
                equal=("alertname", Label.ENVIRONMENT, *ENTITIES),
            )


INHIBITIONS: Final = tuple(_rules())
