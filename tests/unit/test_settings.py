"""Operator settings: read strictly, each error names the key, what was expected and the fix."""

import json

import pytest

from collector.stores import GRAFANA, PERMISSIVE
from stacks.deployment import Deployment
from stacks.environments import LOCAL, Retention
from stacks.ports import PORTS
from stacks.settings import Settings, SettingsError, parse


def test_no_settings_leave_every_decision_to_the_environment():
    assert parse({}, "local").deployment(LOCAL) == Deployment.of(LOCAL)


def test_settings_of_other_namespaces_are_not_ours():
    assert parse({"kubernetes:context": "kind"}, "local") == Settings()


def test_a_retention_overrides_the_environment():
    chosen = parse({"agentobs:logsRetention": "30d"}, "local")
    assert chosen.deployment(LOCAL).logs_retention == Retention(720)


@pytest.mark.parametrize("stores", [GRAFANA, PERMISSIVE], ids=["tempo, loki", "jaeger, victorialogs"])
def test_the_stores_are_those_that_the_operator_names_and_one_may_be_named_alone(stores):
    both = parse({"agentobs:traces": str(stores.traces), "agentobs:logs": str(stores.logs)}, "local")
    assert both.deployment(LOCAL).stores == stores
    alone = parse({"agentobs:traces": str(stores.traces)}, "local").deployment(LOCAL).stores
    assert (alone.traces, alone.logs) == (stores.traces, LOCAL.stores.logs)


def test_a_moved_port_leaves_the_others_where_they_were():
    chosen = parse({"agentobs:ports": json.dumps({"loki": 13100})}, "local")
    assert chosen.port("loki") == 13100
    assert chosen.port("tempo") == PORTS["tempo"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("metricRetention", "7d", "did you mean agentobs:metricsRetention? Fix: pulumi config rm"),
        ("colour", "red", "the settings are traces, logs, metricsRetention"),
        ("metricsRetention", "7 days", "write whole hours or days, such as 36h or 15d"),
        ("metricsRetention", "0d", "'0d' is not a duration"),
        ("metricsRetention", "-1d", "'-1d' is not a duration"),
        ("metricsRetention", "", "'' is not a duration"),
        ("logsRetention", "23h", "shorter than the 24h that stores of logs accept"),
        ("traces", "zipkin", "Input should be 'tempo' or 'jaeger'"),
        ("traces", "loki", "Input should be 'tempo' or 'jaeger'"),
        ("traces", "", "Input should be 'tempo' or 'jaeger'"),
        ("logs", "Loki", "Input should be 'loki' or 'victorialogs'"),
        ("ports", '{"jaeger": 9428}', "jaeger and victorialogs are both 9428"),
        ("ports", "9090", "agentobs:ports of stack prod"),
        ("ports", "{", "expected a map of port names to numbers"),
        ("ports", '{"prometeus": 1}', "'prometeus' is not a port; the ports are otlp-grpc"),
        ("ports", '{"prometheus": 0}', "prometheus is 0, expected 1 to 65535"),
        ("ports", '{"prometheus": 70000}', "prometheus is 70000, expected 1 to 65535"),
        ("ports", '{"prometheus": "x"}', "agentobs:ports.prometheus of stack prod"),
        ("ports", '{"prometheus": 3100}', "loki and prometheus are both 3100"),
        ("alertWebhok", "https://example.com", "did you mean agentobs:alertWebhook?"),
        ("alertWebhook", "http://example.com/alerts", "expected https://... or, on this computer, http://127.0.0.1:"),
        ("alertWebhook", "http://127.0.0.1.example.com/", "expected https://..."),
        ("alertWebhook", "https:///alerts", "expected https://..."),
        ("alertWebhook", "https://user:secret@example.com", "without user and password"),
        ("alertWebhook", "https://example.com/{{ .Status }}", "expected https://..."),
        ("alertWebhook", "", "expected https://..."),
        ("deadMansSwitchUrl", "ftp://127.0.0.1/", "expected https://..."),
        ("alertSpeed", "0.5", "greater than or equal to 1"),
        ("alertSpeed", "fast", "should be a valid number"),
        ("alertSpeed", "nan", "should be a finite number"),
        ("alertSpeed", "3601", "less than or equal to 3600"),
        ("maxRequestMib", "0", "greater than or equal to 1"),
        ("maxRequestMib", "9", "less than or equal to 8"),
        ("maxRequestMib", "4 MiB", "should be a valid integer"),
        ("cutOff", 'shop" or true', "should match pattern"),
        ("cutOff", "shop,$(id)", "should match pattern"),
    ],
)
def test_a_bad_setting_is_refused_with_key_expectation_and_fix(key, value, said):
    with pytest.raises(SettingsError) as refused:
        parse({f"agentobs:{key}": value}, "prod")
    assert said in str(refused.value)
    assert f"agentobs:{key}" in str(refused.value)
    assert "pulumi config" in str(refused.value)


def test_a_refused_address_is_not_repeated_because_it_may_hold_a_token():
    with pytest.raises(SettingsError) as refused:
        parse({"agentobs:alertWebhook": "http://hooks.example.com/T0KEN"}, "local")
    assert "T0KEN" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.com/T0KEN", "http://127.0.0.1:8080/a", "http://localhost:8080", "http://[::1]:8080/a"],
)
def test_alerts_go_anywhere_over_tls_and_to_this_computer_without(url):
    chosen = parse({"agentobs:alertWebhook": url, "agentobs:deadMansSwitchUrl": url}, "local").deployment(LOCAL)
    assert (chosen.alert_webhook, chosen.dead_mans_switch_url) == (url, url)


def test_a_rehearsal_is_as_fast_as_the_operator_says():
    assert parse({"agentobs:alertSpeed": "60"}, "local").deployment(LOCAL).alert_speed == 60


def test_how_large_a_request_may_be_is_the_operator_s_choice():
    assert parse({}, "local").deployment(LOCAL).max_request_mib == 4
    assert parse({"agentobs:maxRequestMib": "8"}, "local").deployment(LOCAL).max_request_mib == 8


def test_senders_are_cut_off_by_service_or_tenant():
    assert parse({}, "local").deployment(LOCAL).cut_off == ()
    assert parse({"agentobs:cutOff": "shop, team-a~"}, "local").deployment(LOCAL).cut_off == ("shop", "team-a~")


def test_default_ports_are_distinct():
    assert len(set(PORTS.values())) == len(PORTS)
