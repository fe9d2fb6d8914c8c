"""The analysis of the telemetry check: what it finds in spans, label values and counters, and what it leaves alone."""

from dataclasses import replace

import pytest
from support.sample_spans import AGENT, CHAT, GOOD, NOW, RESOURCE, SERVED, TASK, TOOL, span

from agentobs.contract import DESCRIPTIONS, Attr, Label, Need, Place
from collector import check
from collector.check import COLLECTOR, Counted, Finding, Kind, Severity, Span, Value
from collector.check.fixes import fix
from collector.series_key import OVERSIZED


def everything(traces) -> list[Finding]:
    torn = [*check.orphaned(traces, NOW), *check.detached(traces), *check.untasked(traces)]
    return [*check.missing(traces), *torn]


def test_a_complete_trace_has_no_finding():
    assert everything([GOOD]) == []


@pytest.mark.parametrize(
    ("attributes", "kind", "lost"),
    [
        (base, kind, attr)
        for base, kind, place in (
            (TASK, "internal", Place.TASK),
            (AGENT, "internal", Place.AGENT),
            (CHAT, "client", Place.MODEL),
            (TOOL, "internal", Place.TOOL),
        )
        for attr, description in DESCRIPTIONS.items()
        if place in description.places and description.need is Need.REQUIRED
        # Without these it is no such span.
        if attr not in {Attr.OPERATION, Attr.SPAN_ROLE}
    ],
)
def test_every_required_attribute_is_missed_where_it_belongs(attributes, kind, lost):
    (found,) = check.missing([[span({k: v for k, v in attributes.items() if k != lost}, kind=kind)]])
    assert (found.severity, found.subject, found.count, found.of) == (Severity.REQUIRED, lost, 1, 1)
    assert found.trace_id == "abc"
    assert found.service == "desk"
    assert lost in found.what
    assert found.fix


@pytest.mark.parametrize("lost", [Attr.SERVICE_NAME, Attr.SERVICE_VERSION, Attr.ENVIRONMENT])
def test_required_attributes_of_the_resource(lost):
    resource = {k: v for k, v in RESOURCE.items() if k != lost}
    (found,) = check.missing([[span(CHAT, kind="client", resource=resource)]])
    assert found.subject == lost
    assert "OTEL_RESOURCE_ATTRIBUTES" in found.fix


def test_the_name_that_an_sdk_makes_up_is_no_service_name():
    resource = {**RESOURCE, Attr.SERVICE_NAME: "unknown_service:python"}
    (found,) = check.missing([[span(CHAT, kind="client", resource=resource)]])
    assert found.subject == Attr.SERVICE_NAME
    assert found.service == "(no service.name)"


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_value_is_none(value):
    (found,) = check.missing([[span({**CHAT, Attr.PROMPT_VERSION: value}, kind="client")]])
    assert found.subject == Attr.PROMPT_VERSION


def test_a_first_attempt_needs_no_number_where_retries_have_theirs():
    first = {key: value for key, value in TOOL.items() if key != Attr.RETRY_ATTEMPT}
    failed = span({**first, Attr.ERROR_TYPE: "x"}, "1", "9", failed=True)
    again = span({**TOOL, Attr.RETRY_ATTEMPT: 1}, "2", "9")

    def is_missed(*spans: Span) -> bool:
        return Attr.RETRY_ATTEMPT in {finding.subject for finding in check.missing([spans])}

    assert is_missed(failed)
    assert not is_missed(failed, again)
    assert not is_missed(span(first, "1", "9")), "nothing failed, nothing was tried again"


def test_a_failed_call_needs_an_error_type_and_no_tokens():
    attributes = {k: v for k, v in CHAT.items() if k not in {Attr.INPUT_TOKENS, Attr.OUTPUT_TOKENS}}
    (found,) = check.missing([[span(attributes, kind="client", failed=True)]])
    assert found.subject == Attr.ERROR_TYPE
    assert check.missing([[span({**attributes, Attr.ERROR_TYPE: "504"}, kind="client", failed=True)]]) == []


def test_spans_that_no_kpi_reads_need_nothing():
    assert check.missing([[span({"http.request.method": "GET"}, kind="server", resource={})]]) == []


def test_the_start_of_a_program_needs_no_conversation():
    assert check.missing([[span({Attr.MCP_METHOD: "tools/list"}, kind="client")]]) == []


def test_the_track_may_be_on_the_resource():
    attributes = {k: v for k, v in CHAT.items() if k != Attr.TRACK}
    assert check.missing([[span(attributes, kind="client", resource={**RESOURCE, Attr.TRACK: "canary"})]]) == []
    (found,) = check.missing([[span(attributes, kind="client")]])
    assert (found.severity, found.subject) == (Severity.RECOMMENDED, Attr.TRACK)


def test_shares_are_told_per_agent():
    without = {k: v for k, v in TOOL.items() if k != Attr.TOOL_VERSION}
    spans = [span(TOOL, "1"), span(without, "2"), span({**without, Attr.AGENT_NAME: "executor"}, "3")]
    found = {(f.agent, f.count, f.of) for f in check.missing([spans])}
    assert found == {("planner", 1, 2), ("executor", 1, 1)}


def test_a_span_without_its_parent_is_an_orphan_once_its_trace_has_settled():
    torn = [s for s in GOOD if s.span_id != "2"]
    found = check.orphaned([torn], NOW)
    assert {(f.kind, f.agent, f.count) for f in found} == {(Kind.ORPHANED, "planner", 2)}
    still_running = [*torn, replace(torn[0], span_id="9", end=NOW + 1)]
    assert check.orphaned([still_running], NOW) == []


def test_a_tool_server_outside_the_trace_is_told_apart_from_an_orphan():
    alone = span(SERVED, kind="server")
    (found,) = everything([[alone]])
    assert (found.kind, found.subject) == (Kind.DETACHED, "traceparent")
    assert check.detached([[span({Attr.MCP_METHOD: "tools/list"}, kind="server")]]) == []


def test_agents_without_a_task_are_told_at_the_root():
    root = span({"http.request.method": "POST"}, kind="server")
    (found,) = check.untasked([[root, span(AGENT, "2", "1")]])
    assert (found.severity, found.kind, found.count, found.of) == (Severity.REQUIRED, Kind.UNTASKED, 1, 1)
    assert check.untasked([[span(AGENT, "2", "gone")]]) == [], "its task may be what is gone"
    assert check.untasked([[span(CHAT, kind="client")]]) == [], "a program without agents has no tasks"


def values(label, names, agent="planner") -> list[Value]:
    return [Value(label=label, value=name, service="desk", agent=agent, series=3) for name in names]


@pytest.mark.parametrize(
    ("label", "names"),
    [
        (Label.AGENT, [f"support-user-{n}" for n in range(1000, 1010)]),
        (Label.AGENT, [f"agent {n:012x}" for n in range(10)]),
        (Label.TOOL, [f"mail to u{n}@example.org" for n in range(10)]),
        (Label.TASK_TYPE, [f"0f8fad5b-d9cb-469f-a165-70867728950{n}" for n in range(10)]),
        (Label.TOOL, ["".join(chr(97 + n // 26**i % 26) for i in range(3)) for n in range(51)]),
        (Label.PROMPT_VERSION, [f"v{n}" for n in range(21)]),
        (Label.ENVIRONMENT, [*"abcdefghijk"]),
    ],
)
def test_a_label_explodes(label, names):
    (found,) = check.exploding(values(label, names))
    assert (found.kind, found.subject, found.count) == (Kind.EXPLODING, label, len(set(names)))
    assert found.agent == ("" if label is Label.AGENT else "planner")


@pytest.mark.parametrize(
    ("label", "names"),
    [
        (Label.AGENT, ["planner", "executor", "none", ""]),
        (Label.AGENT, [f"worker-{n}" for n in range(5)]),
        (Label.TOOL_VERSION, [f"1.{n}.0" for n in range(20)]),
        (Label.PROMPT_VERSION, [f"sha-{n:012x}" for n in range(20)]),
        (Label.IS_RETRY, [*"abcdefghijklmnop"]),
        (Label.TOOL, ["s3_get", "s3_put", "ec2_list", "route53_list"]),
    ],
)
def test_a_label_does_not_explode(label, names):
    assert check.exploding(values(label, names)) == []


def test_a_workflow_that_has_its_agents_names_is_told_once():
    names = [f"worker_{n:012x}" for n in range(20)]
    (found,) = check.exploding([*values(Label.WORKFLOW, names), *values(Label.AGENT, names)])
    assert found.subject == Label.AGENT
    (found,) = check.exploding([*values(Label.WORKFLOW, [*names, "x"]), *values(Label.TOOL, names[:5])])
    assert found.subject == Label.WORKFLOW


def test_no_agent_is_blamed_for_what_all_do():
    names = [f"job {n}" for n in range(40)]
    mixed = values(Label.TASK_TYPE, names[:20], "a") + values(Label.TASK_TYPE, names[20:], "b")
    (found,) = check.exploding(mixed)
    assert not found.agent


def test_labels_that_were_too_long_are_told_once():
    rows = [
        Value(label=label, value=OVERSIZED, service=OVERSIZED, agent=OVERSIZED, series=4)
        for label in (Label.AGENT, Label.TOOL, Label.SERVICE)
    ]
    (found,) = check.exploding(rows)
    assert (found.service, found.count) == (COLLECTOR, 4)


def test_a_model_without_a_price():
    labels = {Label.SERVICE: "desk", Label.AGENT: "planner", Label.MODEL: "m-9", Label.PROVIDER: "p"}
    (found,) = check.unpriced([Counted("x", labels, 3.0), Counted("x", {**labels, Label.MODEL: "m-1"}, 0.0)])
    assert (found.service, found.agent, found.subject, found.count) == ("desk", "planner", "m-9", 3)


def test_events_that_lack_a_label():
    labels = {Label.SERVICE: "desk", Label.AGENT: "none"}
    rows = [Counted("", {**labels, Label.POLICY: "none"}, 2.0), Counted("", {**labels, Label.POLICY: "no-pii"}, 6.0)]
    (found,) = check.unnamed_events(Label.POLICY, rows)
    assert (found.severity, found.agent, found.subject) == (Severity.REQUIRED, "", Attr.POLICY_ID)
    assert found.share == 0.25


@pytest.mark.parametrize(
    ("name", "labels", "value", "told"),
    [
        ("otelcol_receiver_refused_spans", {"receiver": "otlp"}, 7, "spans refused at the door"),
        ("otelcol_exporter_enqueue_failed_log_records", {"exporter": "otlp_http/loki"}, 7, "(otlp_http/loki)"),
        ("otelcol_exporter_send_failed_metric_points", {"exporter": "e"}, 7, "metric points dropped"),
        ("otelcol_deltatocumulative_datapoints", {"error": "delta.ErrOutOfOrder"}, 7, "(delta.ErrOutOfOrder)"),
        ("otelcol_deltatocumulative_datapoints", {}, 7, None),
        ("otelcol_receiver_refused_spans", {"receiver": "otlp"}, 0, None),
        ("otelcol_exporter_sent_spans", {"exporter": "e"}, 7, None),
    ],
)
def test_losses_of_the_collector(name, labels, value, told):
    found = check.losses([Counted(name, labels, value)])
    assert [told in f.what and f.service == COLLECTOR and f.count == 7 for f in found] == ([True] if told else [])


def test_every_missing_attribute_has_a_fix_that_names_it():
    for attr, description in DESCRIPTIONS.items():
        if description.need in {Need.REQUIRED, Need.RECOMMENDED}:
            for place in description.places:
                assert attr in fix(attr, place)


def test_a_report_counts_what_it_rests_on_and_puts_the_worst_first():
    recommended = check.missing([[span({k: v for k, v in CHAT.items() if k != Attr.TRACK}, kind="client")]])
    required = check.missing([[span({k: v for k, v in TOOL.items() if k != Attr.TOOL_VERSION})]])
    report = check.build([GOOD], [*recommended, *required], (0.0, NOW))
    assert (report.traces, report.spans) == (1, 5)
    assert [(s.name, s.spans, s.agents) for s in report.services] == [("desk", 5, ["planner"])]
    assert [f.severity for f in report.findings] == [Severity.REQUIRED, Severity.RECOMMENDED]
    assert report.lacks_required
    assert not check.build([GOOD], recommended, (0.0, NOW)).lacks_required
    assert check.build([], [], (0.0, NOW)).is_empty


@pytest.mark.parametrize(
    ("reason", "what", "line"),
    [
        ("unusable", "no whole numbers", "whole numbers"),
        ("cache_above_input", "more tokens from the cache than sent", "gen_ai.usage.total_tokens"),
        ("reasoning_above_output", "more tokens of reasoning", "gen_ai.usage.total_tokens"),
    ],
)
def test_doubtful_token_counts_are_found_with_agent_library_and_line(reason, what, line):
    bad = replace(span({**CHAT, Attr.USAGE_DOUBTFUL: reason}, kind="client"), scope="pydantic-ai", name="chat")
    (found,) = check.doubtful([[bad, bad, span(CHAT, kind="client")], GOOD])
    assert (found.kind, found.count, found.agent, found.scope) == (Kind.DOUBTFUL, 2, "planner", "pydantic-ai")
    assert what in found.what
    assert line in found.fix
    assert "Pydantic AI made these spans" in found.fix
    assert (found.trace_id, found.example) != ("", "")


def test_doubtful_calls_in_no_trace_are_found_by_their_series_once():
    labels = {Label.SERVICE: "desk", Label.AGENT: "planner"}
    counted = [
        Counted("", labels, 7),
        Counted("", {**labels, Label.AGENT: "none"}, 3),
        Counted("", {**labels, Label.AGENT: "quiet"}, 0),
    ]
    bad = span({**CHAT, Attr.USAGE_DOUBTFUL: "unusable"}, kind="client")
    seen, unseen = check.doubtful([[bad]], counted)
    assert (seen.agent, seen.count) == ("planner", 1)
    assert (unseen.agent, unseen.count, unseen.of) == ("", 3, 0)
    assert "--traces 1000" in unseen.fix


def test_a_stated_cost_that_differs_is_found_with_both_ways_out():
    bad = replace(span({**CHAT, Attr.COST_DIFFERS: True}, kind="client"), scope="litellm")
    (found,) = check.costs([[bad], GOOD])
    assert (found.kind, found.service, found.agent, found.count) == (Kind.COSTS_DIFFER, "desk", "planner", 1)
    assert "agentobs:pricesFile" in found.fix
    assert "agentobs:costAuthority sender" in found.fix
    assert "LiteLLM" in found.fix


@pytest.mark.parametrize(
    ("attributes", "kind", "last"),
    [(TASK, "internal", 28_800), (AGENT, "internal", 14_400), (CHAT, "client", 900), (TOOL, "internal", 1800)],
)
def test_work_longer_than_the_last_bucket_is_found_and_work_as_long_is_not(attributes, kind, last):
    within, over = (
        replace(span(attributes, kind=kind), start=NOW - seconds, end=NOW) for seconds in (last, last + 0.5)
    )
    assert check.beyond([[within]]) == []
    (found,) = check.beyond([[within, over, over]])
    assert (found.kind, found.count, found.of) == (Kind.BEYOND, 2, 3)
    assert f"{last} s" in found.what


def test_what_an_application_may_not_send_is_told_and_what_other_filters_drop_is_not():
    name = "otelcol_processor_filter_datapoints_filtered"
    grown = [Counted(name, {"filter": each}, 5) for each in ("filter/reserved", "filter/plain", "filter/exemplars")]
    (found,) = check.losses(grown)
    assert (found.kind, found.service, found.count) == (Kind.UNSTORED, COLLECTOR, 5)
    assert found.what.startswith("metric points of applications refused")


@pytest.mark.parametrize(
    ("exporter", "kind"),
    [
        ("otlp_http/prometheus", Kind.LOST),
        ("otlp_http/applications", Kind.UNSTORED),
        ("otlp_http/exponential", Kind.UNSTORED),
    ],
)
def test_a_metric_of_an_application_that_a_store_refuses_is_no_lost_kpi(exporter, kind):
    counter = Counted("otelcol_exporter_send_failed_metric_points", {"exporter": exporter}, 5)
    (found,) = check.losses([counter])
    assert (found.kind, found.count) == (kind, 5)
    assert exporter in found.what


@pytest.mark.parametrize(
    ("start", "end", "what"),
    [
        (NOW - 60, NOW - 61, "end before they begin"),
        (NOW - 60, 0, "or never"),
        (NOW + 3600, NOW + 3601, "spans of the future"),
        (NOW - 60, NOW - 60, ""),
        (NOW + 59, NOW + 59, ""),
    ],
)
def test_a_clock_that_is_wrong_is_found(start, end, what):
    found = check.clocks([[replace(span(CHAT, kind="client"), start=start, end=end), span(TOOL)]], NOW)
    assert [(each.kind, each.count, each.agent) for each in found] == ([(Kind.CLOCK, 1, "planner")] if what else [])
    assert all(what in each.what for each in found)
