"""Alerts that compare: a new version with the one before, the canary with what is stable, today with last week."""

from collections.abc import Iterable
from typing import Final

from agentobs.contract import Label
from alerts.alerting import text
from alerts.alerting.condition import Comparison, Condition, any_of
from alerts.alerting.model import Alert
from alerts.catalogue import DIAGNOSED, MIN_BAD, Group, Owner, Severity
from alerts.catalogue.model import MINUTE
from alerts.recording import certainty, rule, tracks, versions

_MORE = "{{ $value | humanizePercentage }}"
_WORDS: Final = {
    Label.EVALUATION: "evaluation",
    Label.TOOL: "tool",
    Label.AGENT: "agent",
    Label.WORKFLOW: "workflow",
    Label.PROVIDER: "provider",
    Label.MODEL: "model",
    Label.SERVICE: "service",
}
# Each KPI has some of these labels, or none but the environment.
_WHERE: Final = (
    "".join(f"{{{{ with $labels.{label} }}}}of {word} {{{{ . }}}} {{{{ end }}}}" for label, word in _WORDS.items())
    + "in {{ $labels.environment }}"
)
# Version numbers repeat among tools and agents, so whose it is must match too; an absent label matches an empty one.
_IDENTITY: Final = ("dimension", *versions.ENTITIES, "version")
_SINCE: Final = (
    f"{{{{ range query (printf `{versions.CURRENT}{{{','.join(f'{label}=%q' for label in _IDENTITY)}}}`"
    f" {' '.join(f'$labels.{label}' for label in _IDENTITY)}) }}}}{{{{ .Value | humanizeTimestamp }}}}{{{{ end }}}}"
)


def alerts() -> Iterable[Alert]:
    """Regressions that page and that wait, the canary, last week, the baseline."""
    yield from (_regression(severity) for severity in (Severity.PAGE, Severity.TICKET))
    yield Alert(
        name="CanaryWorse",
        group=Group.VERSIONS,
        condition=_beyond_tolerance(tracks.WORSENING)
        & _certain(tracks.Z, tracks.NEEDED)
        & Comparison(tracks.BAD, ">=", MIN_BAD),
        hold_s=5 * MINUTE,
        severity=Severity.PAGE,
        owner=Owner.AGENTS,
        by=tracks.LABELS,
        also=("kpi", Label.TRACK),
        board="versions",
        summary=f"The canary's {{{{ $labels.kpi }}}} {_WHERE} is {_MORE} worse than what is stable.",
        description=(
            "Over the last hour the canary did worse than the stable track by more than the tolerance, and by more than"
            " chance explains. Stop the rollout before more traffic gets it."
        ),
        value=_MORE,
    )
    for name, series, before in (
        ("WorseThanLastWeek", rule.WEEK_WORSENING, "the same hour a week ago"),
        ("WorseThanBaseline", rule.BASELINE_WORSENING, "the recorded baseline"),
    ):
        yield Alert(
            name=name,
            group=Group.VERSIONS,
            condition=_beyond_tolerance(series),
            hold_s=30 * MINUTE,
            severity=Severity.TICKET,
            owner=Owner.AGENTS,
            by=("environment", "agent_name", "tool_name", "workflow"),
            also=("kpi", Label.SERVICE, Label.PROVIDER, Label.MODEL, Label.EVALUATION),
            board="versions",
            summary=f"{{{{ $labels.kpi }}}} {_WHERE} is {_MORE} worse than {before}.",
            description=(
                f"Over the last hour it was worse than {before} by more than the tolerance, a difference for shares and"
                f" a part of the old value for the rest, for 30 minutes. {text.versions(('environment',))}"
            ),
            value=_MORE,
        )


def _beyond_tolerance(series: str) -> Condition:
    return Comparison(series, ">", rule.TOLERANCE, "on (kpi) group_left()")


def _certain(z: str, needed: str) -> Condition:
    """What is hardly chance, all comparisons of an environment together: the level of `agentobs why`."""
    return Comparison(z, ">", needed, f"on ({Label.ENVIRONMENT}) group_left()")


def _regression(severity: Severity) -> Alert:
    """What can be tested must stand out from chance; of the rest there must be many events."""
    mine = [kpi for kpi in DIAGNOSED if kpi.regression is severity]
    tested, others = (
        certainty.of_kpis(kpi for kpi in mine if (kpi in certainty.TESTED) is wanted) for wanted in (True, False)
    )
    new, old = (f"kpi, {versions.WHOSE}, {label}" for label in ("version", "previous"))
    parts: list[Condition] = []
    if tested:
        worse = _beyond_tolerance(f"{versions.WORSENING}{tested}") & _certain(versions.Z, versions.NEEDED)
        parts.append(worse.and_on(new, Comparison(versions.BAD, ">=", MIN_BAD)))
    if others:
        worse = _beyond_tolerance(f"{versions.WORSENING}{others}")
        for label, events in ((new, versions.NEW_EVENTS), (old, versions.OLD_EVENTS)):
            worse = worse.and_on(label, Comparison(events, ">=", certainty.UNTESTED_EVENTS))
        parts.append(worse)
    return Alert(
        name="VersionRegression",
        group=Group.VERSIONS,
        condition=any_of(parts),
        hold_s=5 * MINUTE,
        severity=severity,
        owner=Owner.AGENTS,
        by=("environment", "agent_name", "tool_name", "workflow"),
        also=("kpi", "dimension", Label.PROMPT, "version", "previous"),
        board="versions",
        summary=(
            f"{{{{ $labels.kpi }}}} {_WHERE} got {_MORE} worse with {{{{ $labels.dimension }}}}"
            " {{ with $labels.prompt_name }}{{ . }} {{ end }}{{ $labels.version }} (was {{ $labels.previous }})."
        ),
        description=(
            "The {{ $labels.dimension }} changed from {{ $labels.previous }} to {{ $labels.version }}, first seen"
            f" {_SINCE}. Compared with the previous version's last day, {{{{ $labels.kpi }}}} got worse by {_MORE}"
            " (a difference for shares, a part of the old value for the rest). Roll the version back first."
        ),
        value=_MORE,
    )
