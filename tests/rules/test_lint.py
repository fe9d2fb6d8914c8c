"""The checks of rules: production rules pass all of them, and each finds its planted mistake but not a near miss."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from alerts import lint, rules
from alerts.promql import known
from alerts.recording import BaselinePoint

RECORDING = [
    {
        "name": "recorded",
        "interval": "15s",
        "rules": [
            {
                "record": "kpi:task_success:ratio5m",
                "expr": "sum by (environment) (increase(agentic_task_calls_total[5m]))",
            },
            {
                "record": "kpi:task_latency:p95_5m",
                "expr": "sum by (environment, workflow) (increase(agentic_task_calls_total[5m]))",
            },
            {"record": "kpi:tolerance", "expr": "vector(0.05)", "labels": {"kpi": "task_success"}},
            {
                "record": "version:worsening1h",
                "expr": "sum by (environment, agent_name) (increase(agentic_agent_calls_total[5m]))",
                "labels": {"kpi": "task_success"},
            },
        ],
    }
]
GOOD = {
    "alert": "TasksFailing",
    "expr": "kpi:task_success:ratio5m < 0.9",
    "for": "5m",
    "labels": {"severity": "page", "owner": "agents", "family": "tasks"},
    "annotations": {
        "summary": "Task success in {{ $labels.environment }} is {{ $value | humanizePercentage }}.",
        "description": "Below what was promised.",
        "command": "agentobs runbooks run TasksFailing",
        "runbook_url": "runbooks/TasksFailing.md",
        "dashboard_url": "http://x/d/fleet",
    },
}


def alert(expr: str = GOOD["expr"], **changed: Any) -> dict[str, Any]:
    annotations = {**GOOD["annotations"], **changed.pop("annotations", {})}
    labels = {**GOOD["labels"], **changed.pop("labels", {})}
    made = {**GOOD, "expr": expr, "annotations": annotations, "labels": labels, **changed}
    return {key: value for key, value in made.items() if value is not None}


def summary(text: str) -> dict[str, Any]:
    return alert(annotations={"summary": text})


def record(expr: str, name: str = "kpi:tried:ratio5m", **more: Any) -> dict[str, Any]:
    return {"record": name, "expr": expr, **more}


@dataclass(frozen=True, kw_only=True)
class Planted:
    check: str
    bad: Mapping[str, Any] | tuple[Mapping[str, Any], ...]
    good: Mapping[str, Any] | tuple[Mapping[str, Any], ...] = field(default_factory=lambda: GOOD)
    says: str = ""
    interval: str = "15s"


def found(planted: Mapping[str, Any] | tuple[Mapping[str, Any], ...], check: str, interval: str = "15s") -> list[str]:
    documents = planted if isinstance(planted, tuple) else (planted,)
    groups = [*RECORDING, {"name": "tried", "interval": interval, "rules": list(documents)}]
    names = {str(document.get("alert") or document["record"]) for document in documents}
    return [each.message for each in lint.findings(groups) if each.check == check and each.rule in names and each.fix]


_LATENCY = "kpi:task_latency:p95_5m"
_CALLS = "agentic_task_calls_total"

PLANTED = (
    Planted(check="syntax", bad=alert("kpi:task_success:ratio5m <"), says="not PromQL"),
    Planted(
        check="variable",
        bad=record(f'sum(increase({_CALLS}{{workflow="$workflow"}}[5m]))'),
        good=record(f'label_replace({_CALLS}, "x", "$1", "workflow", "(.*)")'),
        says="$workflow",
    ),
    Planted(check="variable", bad=record(f"rate({_CALLS}[$__rate_interval])"), says="$__rate_interval"),
    Planted(
        check="duplicate",
        bad=(alert(), alert("kpi:task_success:ratio5m < 0.5")),
        good=(alert(), alert("kpi:task_success:ratio5m < 0.5", labels={"severity": "ticket"})),
        says="2 rules",
    ),
    Planted(
        check="duplicate",
        bad=(alert(), alert(alert="TasksFailingToo")),
        good=(alert(), alert("kpi:task_success:ratio5m < 0.5", alert="TasksFailingToo")),
        says="the same expression as",
    ),
    Planted(check="interval", bad=record("kpi:tolerance"), good=(), interval="6m", says="360 s"),
    Planted(
        check="expensive",
        bad=alert("max_over_time(kpi:task_success:ratio5m[1h:1m]) < 0.9"),
        good=alert("max_over_time(kpi:task_success:ratio5m[1h]) < 0.9"),
        says="subquery",
    ),
    Planted(
        check="counter",
        bad=alert(f"sum by (environment) ({_CALLS}) > 100"),
        good=alert(f"sum by (environment) (increase({_CALLS}[5m])) > 100"),
        says=f"{_CALLS} is a counter",
    ),
    Planted(
        check="counter",
        bad=alert("otelcol_exporter_send_failed_spans > 0"),
        good=alert("otelcol_exporter_queue_size > 0"),
        says="read as it stands",
    ),
    Planted(
        check="counter",
        bad=alert("(otelcol_exporter_send_failed_spans unless otelcol_exporter_send_failed_spans) > 0"),
        good=alert("(otelcol_exporter_send_failed_spans unless otelcol_exporter_send_failed_spans offset 10m) > 0"),
        says="read as it stands",
    ),
    Planted(
        check="gauge",
        bad=alert("increase(kpi:task_success:ratio5m[1h]) > 0"),
        good=alert("delta(kpi:task_success:ratio5m[1h]) > 0"),
        says="no counter",
    ),
    Planted(
        check="gauge",
        bad=alert("rate(otelcol_exporter_queue_size[5m]) > 0"),
        good=alert("rate(otelcol_exporter_sent_spans[5m]) > 0"),
        says="otelcol_exporter_queue_size",
    ),
    Planted(
        check="window",
        bad=record(f"sum(increase({_CALLS}[30s] anchored))"),
        good=record(f"sum(increase({_CALLS}[1m] anchored))"),
        says="over 30 s",
    ),
    Planted(check="unknown", bad=alert("kpi:task_sucess:ratio5m < 0.9"), says="no rule records it"),
    Planted(check="unknown", bad=alert("agentic_task_cals_total > 1"), says="no program here gives it"),
    Planted(check="unknown", bad=alert("otelcol_made_up > 1"), good=alert("up > 1"), says="otelcol_made_up"),
    Planted(
        check="unknown", bad=alert('{workflow="x"} > 1'), good=alert("kpi:spend:daily_budget > 1"), says="every series"
    ),
    Planted(
        check="impossible",
        bad=record(f'increase({_CALLS}{{outcome="sucess"}}[5m])'),
        good=record(f'increase({_CALLS}{{outcome="success"}}[5m])'),
        says="matches nothing",
    ),
    Planted(
        check="impossible",
        bad=record(f'increase({_CALLS}{{tool="x"}}[5m])'),
        good=record(f'increase({_CALLS}{{tool_name="x"}}[5m])'),
        says="has no label tool",
    ),
    Planted(
        check="impossible",
        bad=alert('version:worsening1h{kpi=~"task_sucess|agent"} > 1'),
        good=alert('version:worsening1h{kpi=~"task_success|agent"} > 1'),
        says="matches nothing",
    ),
    Planted(
        check="impossible",
        bad=record('increase(agentic_span_calls_total{family="tool",workflow="x"}[5m])'),
        good=record('increase(agentic_span_calls_total{family="task",workflow="x"}[5m])'),
        says="matches nothing",
    ),
    Planted(
        check="regexp",
        bad=record(f'increase({_CALLS}{{workflow=~"refund"}}[5m])'),
        good=record(f'increase({_CALLS}{{workflow=~"refund|order"}}[5m])'),
        says="needs no regular expression",
    ),
    Planted(
        check="regexp",
        bad=record(f'increase({_CALLS}{{workflow=~".*"}}[5m])'),
        good=record(f'increase({_CALLS}{{workflow=~".+x"}}[5m])'),
        says="everything",
    ),
    Planted(check="regexp", bad=record(f'increase({_CALLS}{{workflow=~""}}[5m])'), says="absent label"),
    Planted(
        check="regexp",
        bad=record(f'increase({_CALLS}{{workflow=~"^ref.+$"}}[5m])'),
        good=record(f'increase({_CALLS}{{workflow=~"ref.+"}}[5m])'),
        says="anchored anyway",
    ),
    Planted(
        check="regexp",
        bad=record(f'increase({_CALLS}{{workflow=~"a|b|a"}}[5m])'),
        good=record(f'increase({_CALLS}{{workflow=~"a|b|aa"}}[5m])'),
        says="repeated alternative",
    ),
    Planted(
        check="environment",
        bad=alert('kpi:task_success:ratio5m{environment="prod"} < 0.9'),
        says="ties the rule to an environment",
    ),
    Planted(check="comparison", bad=alert("kpi:task_success:ratio5m"), says="fires whenever"),
    Planted(
        check="comparison",
        bad=alert("kpi:task_success:ratio5m < bool 0.9"),
        good=alert("sum by (environment) (kpi:task_success:ratio5m < 0.9)"),
        says="fires whenever",
    ),
    Planted(
        check="comparison",
        bad=alert("kpi:task_success:ratio5m < 0.9 or kpi:task_success:ratio5m"),
        good=alert("kpi:task_success:ratio5m and kpi:task_success:ratio5m < 0.9"),
        says="fires whenever",
    ),
    Planted(check="hold", bad=alert(**{"for": None}), good=alert(alert="SeriesDropped", **{"for": None})),
    Planted(
        check="absent",
        bad=alert("absent(up)", **{"for": "15s"}),
        good=alert("absent(up)", **{"for": "5m"}),
        says="`for` of 15 s",
    ),
    Planted(check="labels", bad=alert(labels={"severity": "Page"}), says="severity 'Page' is unknown"),
    Planted(check="labels", bad=alert(labels={"owner": "nobody"}), says="owner 'nobody' is unknown"),
    Planted(
        check="labels", bad={**alert(), "labels": {"severity": "page", "owner": "agents"}}, says="family is missing"
    ),
    Planted(check="annotations", bad=summary(" "), says="no annotation summary"),
    Planted(check="annotations", bad=alert(annotations={"runbook_url": ""}), says="runbook_url"),
    Planted(check="annotations", bad=alert(annotations={"description": ""}), says="description"),
    Planted(check="annotations", bad=alert(annotations={"command": ""}), says="command"),
    Planted(check="annotations", bad=alert(annotations={"dashboard_url": ""}), says="dashboard_url"),
    Planted(
        check="topic",
        bad=summary("Tasks are slow."),
        good=alert(f"{_LATENCY} > 9", annotations={"summary": "Tasks are slow."}),
        says="'slow'",
    ),
    Planted(
        check="topic",
        bad=alert(labels={"kpi": "task_latency"}),
        good=alert(labels={"kpi": "task_success"}),
        says="label kpi is task_latency",
    ),
    Planted(check="template", bad=summary("{{ $value } is low"), says="do not close"),
    Planted(check="template", bad=summary("{{ $value | humanise }}"), says="no template function humanise"),
    Planted(
        check="template",
        bad=summary("{{ with $labels.environment }}in {{ . }}"),
        good=summary("{{ with $labels.environment }}in {{ . }}{{ else }}nowhere{{ end }}"),
        says="do not match their ends",
    ),
    Planted(check="template", bad=summary("{{ end }}{{ if true }}"), says="do not match their ends"),
    Planted(
        check="template",
        bad=summary("{{ $job }}"),
        good=summary("{{ $job := $labels.environment }}{{ $job }}"),
        says="no variable $job",
    ),
    Planted(
        check="template_label",
        bad=summary("Tasks of {{ $labels.workflow }} fail."),
        good=alert(
            f"{_LATENCY} > 9 and on (environment) kpi:task_success:ratio5m < 1",
            annotations={"summary": "Tasks of {{ $labels.workflow }}."},
        ),
        says="$labels.workflow",
    ),
    Planted(
        check="template_label",
        bad=summary("Tasks{{ with $labels.agent }} of {{ . }}{{ end }} fail."),
        good=summary("Tasks{{ with $labels.agent_name }} of {{ . }}{{ end }} fail."),
        says="$labels.agent",
    ),
    Planted(
        check="template_label",
        bad=summary("{{ range query `kpi:tolerance` }}{{ .Labels.agent }}{{ end }}"),
        good=summary("{{ range query `kpi:tolerance` }}{{ .Labels.agent_name }}{{ end }}"),
        says=".Labels.agent",
    ),
    Planted(
        check="template_query",
        bad=summary("{{ range query (printf `kpi:none{kpi=%q}` $labels.environment) }}x{{ end }}"),
        good=summary("{{ range query (printf `kpi:tolerance{kpi=%q}` $labels.environment) }}x{{ end }}"),
        says="kpi:none",
    ),
    Planted(check="template_query", bad=summary("{{ range query `kpi:tolerance{` }}x{{ end }}"), says="not PromQL"),
    Planted(
        check="template_query",
        bad=summary("{{ range query \"kpi:tolerance{tool='x'}\" }}x{{ end }}"),
        says="has no label tool",
    ),
    Planted(
        check="matching",
        bad=alert(f"{_LATENCY} > 9 and kpi:task_success:ratio5m < 0.9"),
        good=alert(f"{_LATENCY} > 9 and on (environment) kpi:task_success:ratio5m < 0.9"),
        says="no series can match",
    ),
    Planted(
        check="matching",
        bad=alert("version:worsening1h > kpi:tolerance"),
        good=alert("version:worsening1h > on (kpi) group_left() kpi:tolerance"),
        says="no series can match",
    ),
    Planted(
        check="matching",
        bad=alert('version:worsening1h > on (kpi) group_left() label_replace(vector(1), "kpi", "tools", "", "")'),
        good=alert(
            'version:worsening1h > on (kpi) group_left() label_replace(vector(1), "kpi", "task_success", "", "")'
        ),
        says="no series can match",
    ),
    Planted(
        check="many",
        bad=alert("version:worsening1h > on (kpi) kpi:tolerance"),
        good=alert("version:worsening1h > on (kpi) group_left() kpi:tolerance"),
        says="several series of the left side",
    ),
    Planted(
        check="many",
        bad=alert(f"kpi:task_success:ratio5m / on (environment) group_left() {_LATENCY} > 1"),
        good=alert(f"{_LATENCY} / on (environment) group_left() kpi:task_success:ratio5m > 1"),
        says="differ by workflow",
    ),
    Planted(
        check="carried",
        bad=alert("version:worsening1h > on (kpi) group_left(version) kpi:tolerance"),
        good=alert(f"kpi:task_success:ratio5m * on (environment) group_right() {_LATENCY} > 1"),
        says="nothing to take version from",
    ),
    Planted(
        check="fragile",
        bad=record("sum without (pod) (rate(up[5m])) / sum without (instance) (rate(up[5m]))"),
        good=record("sum without (pod) (rate(up[5m])) / sum without (pod) (rate(up[5m]))"),
        says="grouped by",
    ),
    Planted(
        check="fragile",
        bad=record("sum by (job) (go_goroutines) / sum by (job, instance) (go_goroutines)"),
        good=record("sum by (job, instance) (go_goroutines) / on (job) group_left() sum by (job) (go_goroutines)"),
        says="instance, job",
    ),
    Planted(
        check="instances",
        bad=alert("sum by (environment, pod) (process_open_fds) > 9"),
        good=alert("sum by (environment, pod) (process_open_fds) > 9", labels={"owner": "platform"}),
        says="groups by pod",
    ),
    Planted(
        check="unbounded",
        bad=alert("sum by (environment, session_id) (process_open_fds) > 9"),
        good=alert("sum by (environment, policy_id) (process_open_fds) > 9"),
        says="session_id",
    ),
)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.check}-{planted.says}")
def test_a_check_finds_its_planted_mistake_and_passes_a_near_miss(planted):
    messages = found(planted.bad, planted.check, planted.interval)
    assert messages, "the planted mistake was not found"
    assert any(planted.says in message for message in messages), messages
    assert found(planted.good, planted.check) == []


def test_every_check_has_a_planted_mistake():
    assert {planted.check for planted in PLANTED} == {lint.name(check) for check in lint.CHECKS}


def test_the_example_that_the_mistakes_are_planted_in_is_clean():
    groups = [*RECORDING, {"name": "tried", "interval": "15s", "rules": [GOOD]}]
    assert lint.findings(groups) == []


def test_production_rules_are_clean():
    point = BaselinePoint(kpi="task_success", labels={"environment": "prod", "workflow": "refund"}, value=0.9)
    for groups in (
        [*rules.recording_groups(), *rules.alert_groups()],
        [*rules.recording_groups(baseline=[point], daily_budget_usd=50), *rules.alert_groups()],
    ):
        assert [str(each) for each in lint.findings(groups)] == []


def test_the_labels_of_every_recorded_series_are_known():
    every = lint.RuleSet(tuple(lint.rules(rules.recording_groups())))
    assert [name for name, shape in every.recorded.items() if not shape] == []


def test_a_recorded_series_has_the_labels_of_its_rule():
    every = lint.RuleSet(tuple(lint.rules(rules.recording_groups())))
    (success,) = every.recorded["kpi:task_success:ratio5m"]
    assert success.names == {"environment", "workflow"}
    regressions = every.recorded["version:worsening1h"]
    assert all({"kpi", "dimension", "version", "previous", "environment"} <= each.names for each in regressions)
    assert {value for each in regressions for value in each.get("dimension")} == {"prompt", "tool", "model", "graph"}


def test_what_nobody_reads_is_listed():
    groups = [*RECORDING, {"name": "tried", "interval": "15s", "rules": [GOOD]}]
    assert lint.unread(groups) == ["kpi:task_latency:p95_5m", "kpi:tolerance", "version:worsening1h"]


def test_the_allow_lists_name_alerts_that_exist():
    alerts = {rule["alert"]: rule for group in rules.alert_groups() for rule in group["rules"]}
    assert set(known.ALWAYS) <= set(alerts)
    assert {name for name, rule in alerts.items() if "for" not in rule} == set(known.AT_ONCE)
