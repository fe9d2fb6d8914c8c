"""Labels are masked before they are labels: of KPIs on their hop, of applications' metrics at the door."""

import math

import pytest
from support import otlp
from support.capture import capturing
from support.otelcol import running
from support.ports import free_ports
from support.prometheus import prometheus_at
from support.whole import collector_of, eventually, local_profile, up

from collector import redaction

MAIL = "maria.garcia@example.com"
KEY = "sk-ant-api03-" + "Zx9" * 20
MASKED = "****"
AGENTS = {
    f"agent of {MAIL}": f"agent of {MASKED}",
    f"agent of peter@example.org {KEY}": f"agent of {MASKED} {MASKED}",
    "4111 1111 1111 1111": MASKED,
    "4111111111111111": MASKED,
    "DE89370400440532013000": MASKED,
    "AKIA" + "ABCDEFGH23456789": MASKED,
    "xoxb-123456789012-" + "aB3" * 8: MASKED,
    "planner": "planner",
    "claude-sonnet-4-5-20250929": "claude-sonnet-4-5-20250929",
    "2025-04-14": "2025-04-14",
    "sha-ba7816bf8f01": "sha-ba7816bf8f01",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole collector of the local shape, and the Prometheus that it writes to."""
    folder = tmp_path_factory.mktemp("labels")
    with prometheus_at(folder / "prometheus") as prometheus, capturing() as store:
        collector = collector_of(local_profile(folder, prometheus.url, store), folder, store)
        with up(collector):
            yield collector, prometheus


def test_names_of_agents_are_masked_before_they_are_counted(whole):
    collector, prometheus = whole
    spans = [
        otlp.span("run", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}) for name in AGENTS
    ] * 2
    for number, span in enumerate(spans):
        span.span_id = number.to_bytes(8, "big")
    assert collector.send(otlp.traces(spans)).ok
    query = "sum by (agent_name) (agentic_agent_calls_total)"
    assert eventually(lambda: len(prometheus.query(query)) == len(set(AGENTS.values())), 60)
    found = {row["metric"]["agent_name"]: float(row["value"][1]) for row in prometheus.query(query)}
    wanted = dict.fromkeys(AGENTS.values(), 0)
    for name in AGENTS.values():
        wanted[name] += 2
    assert found == wanted
    assert "maria" not in str(prometheus.query('{__name__=~".+"}'))


def test_labels_of_an_applications_metrics_are_masked(whole):
    collector, prometheus = whole
    request = otlp.counter("jobs", 7, {"service.name": "app", "owner": MAIL})
    point = request.resource_metrics[0].scope_metrics[0].metrics[0].sum.data_points[0]
    point.attributes.extend(
        otlp.key_values(
            {
                "user": MAIL,
                "key": KEY,
                "queue": "orders",
                "empty": "",
                "password": "x1",
                "m": {"to": MAIL, "n": math.nan},
            }
        )
    )
    assert collector.send(request).ok
    assert eventually(lambda: prometheus.query("jobs_total"), 60)
    (row,) = prometheus.query("jobs_total")
    assert "empty" not in row["metric"], "a label without a value is none"
    labels = {key: row["metric"][key] for key in ("user", "key", "queue", "password", "m")}
    assert labels == {"user": MASKED, "key": MASKED, "queue": "orders", "password": MASKED, "m": MASKED}
    assert "maria" not in str(prometheus.query('{__name__=~".+"}'))


@pytest.mark.parametrize("kind", ["gauge", "sum", "histogram", "exponential_histogram", "summary"])
def test_points_of_every_type_and_their_exemplars(tmp_path, kind):
    """Straight through the processors: what an exporter would make of a type is no matter here."""
    http, health = free_ports(2)
    request = otlp.counter("x", 1, {"service.name": "app"})
    metric = request.resource_metrics[0].scope_metrics[0].metrics[0]
    point = getattr(metric, kind).data_points.add(time_unix_nano=1)
    point.attributes.extend(otlp.key_values({"user": MAIL}))
    if kind != "summary":
        point.exemplars.add(time_unix_nano=1).filtered_attributes.extend(otlp.key_values({"text": MAIL}))
    with capturing() as capture:
        processors = redaction.metric_processors()
        config = {
            "extensions": {"health_check": {"endpoint": f"127.0.0.1:{health}"}},
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{http}"}}}},
            "processors": processors,
            "exporters": {
                "otlp_http": {"endpoint": capture.url, "compression": "none", "sending_queue": {"enabled": False}}
            },
            "service": {
                "extensions": ["health_check"],
                "pipelines": {
                    "metrics": {"receivers": ["otlp"], "processors": [*processors], "exporters": ["otlp_http"]}
                },
                "telemetry": {"metrics": {"level": "none"}},
            },
        }
        with running(config, tmp_path, http, health) as collector:
            assert collector.send(request).ok
            capture.wait(lambda c: len(c.requests), 1)
    assert MAIL.encode() not in capture.requests[0].body
    assert MASKED.encode() in capture.requests[0].body
