"""The seventeen rules of Grafana's dashboard linter, over the generated JSON; what is excluded has a written reason."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from alerts import alerting
from alerts.evidence import Mark, quick_checks
from alerts.timing import PRODUCTION
from alerts.watching import watched
from dashboards.lint import queries, templates, visuals
from dashboards.lint.model import Finding, Json, targets

Rule = Callable[[Json], Iterator[templates.Problem]]
RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "template-datasource-rule": templates.data_source,
        "template-job-rule": templates.job,
        "template-instance-rule": templates.instance,
        "template-label-promql-rule": templates.label_promql,
        "template-on-time-change-reload-rule": templates.reload,
        "panel-datasource-rule": visuals.data_source,
        "panel-title-description-rule": visuals.title_description,
        "panel-units-rule": visuals.units,
        "panel-no-targets-rule": visuals.no_targets,
        "target-logql-rule": queries.logql,
        "target-logql-auto-rule": queries.logql_auto,
        "target-promql-rule": queries.promql,
        "target-rate-interval-rule": queries.rate_interval,
        "target-job-rule": queries.job,
        "target-instance-rule": queries.instance,
        "target-counter-agg-rule": queries.counter,
        "uneditable-dashboard-rule": templates.uneditable,
    }
)
_NO_JOB: Final = (
    "KPIs carry neither job nor instance: all collectors count together, and the environment is what a reader chooses"
)
EXCLUDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "template-job-rule": _NO_JOB,
        "template-instance-rule": _NO_JOB,
        "target-job-rule": _NO_JOB,
        "target-instance-rule": _NO_JOB,
    }
)
"""Rule -> why it is not followed."""
ALERTS_OWN: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(
        ("target-rate-interval-rule", "target-counter-agg-rule"),
        "a panel of what an alert watches shows that very expression, so that both agree; rules have their own linter",
    )
)
"""Rule -> why it is not followed by panels that show what an alert watches."""


def lint(board: Json) -> list[Finding]:
    """Return what breaks a rule that is followed."""
    return [found for rule in RULES if rule not in EXCLUDED for found in check(rule, board)]


def check(rule: str, board: Json) -> list[Finding]:
    """Return what breaks one rule, followed or not; what is an alert's own is none."""
    found = [Finding(rule, str(board["uid"]), panel, message) for panel, message in RULES[rule](board)]
    if rule not in ALERTS_OWN:
        return found
    theirs = {target.panel["title"] for target in targets(board, "prometheus") if _is_an_alerts(target.expr)}
    return [each for each in found if each.panel not in theirs]


def _is_an_alerts(expr: str) -> bool:
    return expr.startswith(_watched())


@cache
def _watched() -> tuple[str, ...]:
    names = tuple(dict.fromkeys(alert.name for alert in alerting.alerts(PRODUCTION)))
    narrowed = (check.text for name in names for check in quick_checks(name, Mark.PATTERN))
    return (*(" ".join(each.value.split()) for name in names for each in watched(name)), *narrowed)


__all__ = ["ALERTS_OWN", "EXCLUDED", "RULES", "Finding", "check", "lint"]
