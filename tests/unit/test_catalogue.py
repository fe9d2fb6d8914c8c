"""The catalogue refuses KPIs that cannot be measured or promised, and a KPI's file is all there is to write."""

from dataclasses import replace
from pathlib import Path

import pytest

from agentobs.contract import METRICS, Label
from alerts import alerting, catalogue, recording
from alerts.catalogue import CATALOGUE, TASK_LATENCY, TASK_SUCCESS, TOOL_SUCCESS, CatalogueError, Group, Unit
from alerts.catalogue.counts import COUNTS
from alerts.catalogue.model import DAY, MINUTE, Objective, Severity
from alerts.timing import PRODUCTION, Timing

OBJECTIVE = Objective(alert="X", target=0.9, window_s=5 * MINUTE, hold_s=0, severity=Severity.PAGE)


@pytest.mark.parametrize(
    ("kpi", "change", "said"),
    [
        (TASK_SUCCESS, {"key": "Task Success"}, "expected a key of lower-case letters"),
        (TASK_SUCCESS, {"by": (Label.TOKEN_TYPE,)}, "task_success: `by` has labels that its counters lack"),
        (TOOL_SUCCESS, {"quantiles": (0.95,)}, "quantiles need a histogram"),
        (TOOL_SUCCESS, {"objectives": (replace(OBJECTIVE, window_s=7),)}, "X looks at 7 s, which is not recorded"),
        (TOOL_SUCCESS, {"objectives": (replace(OBJECTIVE, target=90),)}, "X promises 90; a ratio is 0 to 1"),
        (TASK_LATENCY, {"objectives": (replace(OBJECTIVE, quantile=0.9),)}, "X needs quantile 0.9 in `quantiles`"),
    ],
)
def test_a_kpi_that_cannot_be_is_refused(kpi, change, said):
    with pytest.raises(CatalogueError, match=said):
        replace(kpi, **change)


def test_every_kpi_of_the_playbook_is_there():
    wanted = {
        "task_success", "plan_completion", "agent_retries", "tool_success", "human_score", "judge_score",
        "hallucination", "policy_violations", "agent_latency", "tool_latency", "request_tokens", "task_cost",
        "agent_success", "task_timeouts", "tool_timeouts",
    }  # fmt: skip
    assert wanted <= {kpi.key for kpi in CATALOGUE}
    assert {count.key for count in COUNTS} >= {"process_starts", "spend"}  # crash loops, money


def test_every_file_of_a_family_is_in_the_catalogue():
    folder = Path(catalogue.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if "\nKPIS: Final" in path.read_text()}
    assert files == {"tasks", "agents", "tools", "models", "quality", "safety", "cost"}
    assert {str(kpi.group) for kpi in CATALOGUE} == files


def test_every_kpi_is_recorded_and_every_objective_alerts():
    recorded = {rule.name for group in recording.groups(PRODUCTION) for rule in group.rules}
    alerts = {alert.name: alert for alert in alerting.alerts(PRODUCTION)}
    for kpi in CATALOGUE:
        assert {f"kpi:{kpi.key}:events5m", f"kpi:{kpi.key}:events1h"} <= recorded
        for objective in kpi.objectives:
            assert alerts[objective.alert].labels["kpi"] == kpi.key
            assert alerts[objective.alert].severity is objective.severity


def test_names_of_alerts_and_units_are_what_people_read():
    names = [objective.alert for kpi in CATALOGUE for objective in kpi.objectives]
    assert len(set(names)) == len(names)
    assert all(kpi.unit in Unit and kpi.group in Group and kpi.meaning.endswith(".") for kpi in CATALOGUE)


def test_no_kpi_is_sliced_by_what_has_no_bound():
    stable = {
        Label.ENVIRONMENT, Label.SERVICE, Label.AGENT, Label.TOOL, Label.WORKFLOW, Label.PROVIDER, Label.MODEL,
        Label.EVALUATION,
    }  # fmt: skip
    for sliced in (*CATALOGUE, *COUNTS):
        assert set(sliced.by) <= stable


def test_a_rehearsal_shortens_windows_and_keeps_names_and_thresholds():
    slow, fast = recording.groups(PRODUCTION), recording.groups(Timing(60))
    assert [rule.name for group in slow for rule in group.rules] == [
        rule.name for group in fast for rule in group.rules
    ]
    texts = {rule.name: rule.expr for group in fast for rule in group.rules}
    assert "[5s] anchored" in texts["kpi:tool_success:events5m"]
    assert "[72m] anchored" in texts["kpi:task_success:events3d"]
    production = {rule.name: rule.expr for group in slow for rule in group.rules}
    assert f"[{3 * DAY // DAY}d] anchored" in production["kpi:task_success:events3d"]
    document = alerting.alerts(Timing(60))[1].document(Timing(60), alerting.Links(runbook="r", board="b"))
    assert document["for"] == "2s"
    with pytest.raises(ValueError, match=r"alert speed 0\.5: expected 1"):
        Timing(0.5)


def test_every_series_a_count_reads_is_one_the_collector_makes():
    made = {name for metric in METRICS for name in (metric.series, metric.sum, metric.count)}
    assert {count.of.series for count in COUNTS} - made == {"agentic_span_calls_total"}
