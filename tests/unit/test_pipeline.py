"""The collector configuration: no dangling component, the contract's labels everywhere, the traps avoided."""

import re

import pytest
import yaml

from collector import connectors, labels, normalise
from collector.pipeline import Profile, assemble, render
from collector.signals import ABSENT, METRICS, Event, Label, MetricKind


@pytest.fixture
def config() -> dict:
    profile = Profile(
        otlp_grpc="127.0.0.1:1",
        otlp_http="127.0.0.1:2",
        health="127.0.0.1:3",
        self_metrics_host="127.0.0.1",
        self_metrics_port=4,
        tempo_grpc="127.0.0.1:5",
        prometheus_url="http://127.0.0.1:6",
        loki_url="http://127.0.0.1:7",
        queue_dir="/q",
        instance="collector-0",
    )
    rendered = yaml.safe_load(render(profile))
    assert rendered == assemble(profile), "the text says what the dict says"
    return rendered


def test_every_component_of_a_pipeline_is_defined_and_every_defined_one_is_used(config):
    ends = set(config["connectors"])
    for kind, defined in (
        ("receivers", set(config["receivers"]) | ends),
        ("exporters", set(config["exporters"]) | ends),
    ):
        used = {name for pipeline in config["service"]["pipelines"].values() for name in pipeline[kind]}
        assert used == defined, kind
    used = {name for pipeline in config["service"]["pipelines"].values() for name in pipeline["processors"]}
    assert used == set(config["processors"])
    assert set(config["service"]["extensions"]) == set(config["extensions"])


def test_every_pipeline_that_takes_otlp_limits_memory_first(config):
    taking = [p for p in config["service"]["pipelines"].values() if p["receivers"] == ["otlp"]]
    assert len(taking) == 3
    assert all(p["processors"][0] == "memory_limiter" for p in taking)


def test_every_contract_metric_has_exactly_one_source(config):
    from_spans = {
        f"{body['namespace']}.{suffix}"
        for name, body in config["connectors"].items()
        if name.startswith("span_metrics/")
        for suffix in ("calls", "duration")
    }
    entries = (
        config["connectors"]["signal_to_metrics/spans"]["spans"]
        + config["connectors"]["signal_to_metrics/events"]["logs"]
    )
    from_values = {entry["name"] for entry in entries}
    assert from_spans & from_values == set()
    assert from_spans | from_values == {metric.name for metric in METRICS}


def test_labels_and_buckets_are_those_of_the_contract(config):
    for source in connectors.SPAN_SOURCES:
        body = config["connectors"][f"span_metrics/{source.key}"]
        dimensions = {d["name"] for d in body["dimensions"]}
        calls = dimensions | {d["name"] for d in body.get("calls_dimensions", [])}
        assert dimensions == set(source.duration.labels)
        assert calls == set(source.calls.labels)
        assert all(d["default"] in {ABSENT, "false"} for d in body["dimensions"])
        assert len(body["histogram"]["explicit"]["buckets"]) == len(source.duration.buckets)
        assert body["histogram"]["unit"] == "s"


def test_value_metrics_name_their_resource_attributes_else_points_get_lost(config):
    entries = (
        config["connectors"]["signal_to_metrics/spans"]["spans"]
        + config["connectors"]["signal_to_metrics/events"]["logs"]
    )
    assert entries
    assert all(entry["include_resource_attributes"] == [{"key": "service.name"}] for entry in entries)


def test_no_set_statement_can_write_nil():
    statements = [s for group in labels.processor()["trace_statements"] for s in group["statements"]]
    statements += [s for group in labels.processor()["log_statements"] for s in group["statements"]]
    copies = [s for s in statements if re.match(r"set\([^,]+, (String\()?\w+\.attributes", s)]
    assert len(copies) > 20
    assert all("!= nil" in statement for statement in copies)


def test_keep_keys_on_the_resource_runs_in_a_group_of_its_own():
    for groups in (labels.processor()["trace_statements"], labels.processor()["log_statements"]):
        assert len(groups) == 2
        assert groups[1]["statements"][0].startswith("keep_keys(resource.attributes")


def test_the_label_filter_keeps_every_label_and_number_the_connectors_read():
    keep = next(
        s for g in labels.processor()["trace_statements"] for s in g["statements"] if s.startswith("keep_matching")
    )
    pattern = re.compile(re.search(r'"(.*)"', keep)[1].replace("\\\\", "\\"))
    from_spans = [m for m in METRICS if not m.name.startswith(("agentic.eval", "agentic.policy", "agentic.process"))]
    fixed = {Label.TOKEN_TYPE, Label.STATE}
    for label in {label for metric in from_spans for label in metric.labels} - fixed:
        assert pattern.match(label), label
    for key in ("gen_ai.usage.input_tokens", "agentic.cost.usd", "agentic.task.cost_usd", "agentic.plan.steps_planned"):
        assert pattern.match(key), key
    for key in ("gen_ai.input.messages", "user.id", "gen_ai.conversation.id"):
        assert not pattern.match(key), key


def test_every_event_that_feeds_a_kpi_passes_the_event_filter():
    condition = labels.event_filter()["log_conditions"][0]
    assert all(f'!= "{event}"' in condition for event in Event)


@pytest.mark.parametrize(
    ("error_type", "expected"),
    [
        ("TimeoutError", "timeout"),
        ("httpx.ReadTimeout", "timeout"),
        ("openai.APITimeoutError", "timeout"),
        ("-32001", "timeout"),
        ("504", "timeout"),
        ("DEADLINE_EXCEEDED", "timeout"),
        ("openai.RateLimitError", "rate_limited"),
        ("429", "rate_limited"),
        ("asyncio.CancelledError", "cancelled"),
        ("builtins.ValueError", "invalid_input"),
        ("-32602", "invalid_input"),
        ("tool_error", "tool_error"),
        ("ToolExecutionError", "tool_error"),
        ("KeyError", None),
        ("1504", None),
    ],
)
def test_error_types_fall_into_the_first_class_that_matches(error_type, expected):
    matched = [name for name, pattern in normalise._ERROR_CLASSES if re.search(pattern, error_type)]
    assert (matched[0] if matched else None) == expected


def test_prometheus_names_follow_otlp_translation():
    names = {metric.name: metric.series for metric in METRICS}
    assert names["agentic.tool.calls"] == "agentic_tool_calls_total"
    assert names["agentic.tool.duration"] == "agentic_tool_duration_seconds"
    assert names["agentic.cost.usd"] == "agentic_cost_usd_total"
    assert names["agentic.eval.score"] == "agentic_eval_score"
    assert all(metric.buckets for metric in METRICS if metric.kind is MetricKind.HISTOGRAM)
