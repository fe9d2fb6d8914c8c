"""External backends: what is left out, where telemetry goes, how it logs in, what the policies open."""

import json

import pytest
import yaml
from support.clusters import EXTERNAL, planned, settings_of
from support.kubernetes_schemas import validate

from stacks.cluster import secrets
from stacks.cluster.outputs import outputs
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.policy import rules

KUBERNETES = "1.36"
CLOUD, IN_CLUSTER = "everything in a cloud, prod", "Prometheus and Grafana of the cluster"
LONG_TERM, GRAPH = "a long-term store and an Alertmanager", "service graph into a long-term store"


@pytest.fixture(params=EXTERNAL, scope="module")
def made(request):
    name, changed = EXTERNAL[request.param]
    return planned(name, **changed)


@pytest.fixture(scope="module")
def plans():
    return {case: planned(name, **changed) for case, (name, changed) in EXTERNAL.items()}


@pytest.mark.filterwarnings("ignore")
def test_manifests_are_valid_and_safe(made):
    for manifest in made.manifests:
        validate(manifest, KUBERNETES)
    assert rules.violations(made.manifests) == []


def test_no_login_is_in_a_manifest_and_each_is_held_by_the_secret_of_who_uses_it(made):
    assert "sentinel-" not in json.dumps(made.manifests)
    held = {
        (each["metadata"]["name"], key)
        for each in made.manifests
        if each["kind"] == "Secret"
        for key in each["stringData"]
    }
    used = {
        (secrets.secret_of(workload.name), use.value)
        for workload in made.workloads
        for use in workload.secrets
        if not use.secret
    }
    assert used == held
    assert {value for _, value in held} <= set(secrets.VALUES)


def _workloads(made) -> set[str]:
    return {workload.name for workload in made.workloads}


def test_what_somebody_else_runs_is_not_run_here(plans):
    ours = {"prometheus", "kube-state-metrics", "alertmanager", "loki", "tempo", "grafana"}
    assert _workloads(plans[CLOUD]) & ours == set()
    assert _workloads(plans[IN_CLUSTER]) & ours == {"alertmanager", "loki", "tempo"}
    assert _workloads(plans[LONG_TERM]) & ours == ours - {"alertmanager"}
    assert _workloads(plans[GRAPH]) & ours == {"loki", "tempo", "grafana"}


def _config(made, workload: str, file: str):
    (found,) = (each for each in made.workloads if each.name == workload)
    return yaml.safe_load(found.files[file])


def test_the_collector_sends_there_and_logs_in_with_a_file(plans):
    config = _config(plans[CLOUD], "collector-sampler", "collector.yaml")
    assert {name: each["endpoint"] for name, each in config["exporters"].items() if "kpi" not in name} == {
        "otlp_http/prometheus": "https://otlp.example.com/otlp",
        "otlp_http/loki": "https://logs.example.com/otlp",
        "otlp_http/tempo": "https://otlp.example.com/otlp",
        "otlp_http/langfuse": "http://langfuse-web:3000/api/public/otel",
    }
    logins = {name: config["extensions"][f"bearertokenauth/{name}"] for name in ("prometheus", "loki", "tempo")}
    assert logins == {
        "prometheus": {"scheme": "Basic", "filename": "/etc/otelcol/secrets/prometheus-login"},
        "loki": {"scheme": "Basic", "filename": "/etc/otelcol/secrets/loki-login"},
        "tempo": {"scheme": "Bearer", "filename": "/etc/otelcol/secrets/tempo-login"},
    }
    for name in logins:
        assert config["exporters"][f"otlp_http/{name}"]["auth"] == {"authenticator": f"bearertokenauth/{name}"}
    assert set(config["service"]["extensions"]) >= {f"bearertokenauth/{name}" for name in logins}


def test_an_edge_holds_the_login_for_metrics_only(plans):
    (edge,) = (each for each in plans[CLOUD].workloads if each.name == "collector")
    logins = [use.value for use in edge.secrets if use.value.endswith(("Login", "Token"))]
    assert logins == ["samplerToken", "prometheusLogin"]
    assert [*edge.reaches] == ["https://otlp.example.com/otlp"]


def test_queues_on_disk_and_retry_are_those_of_our_own_stores(plans):
    ours = _config(planned(EnvName.PROD), "collector-sampler", "collector.yaml")["exporters"]
    theirs = _config(plans[CLOUD], "collector-sampler", "collector.yaml")["exporters"]
    for key in ("sending_queue", "retry_on_failure"):
        assert theirs["otlp_http/prometheus"][key] == ours["otlp_http/prometheus"][key]
        assert theirs["otlp_http/loki"][key] == ours["otlp_http/loki"][key]
        assert theirs["otlp_http/tempo"][key] == ours["otlp_grpc/tempo"][key]


def test_prometheus_writes_to_the_long_term_store_and_tells_the_other_alertmanager(plans):
    config = _config(plans[LONG_TERM], "prometheus", "prometheus.yml")
    (write,) = config["remote_write"]
    assert write["url"] == "https://mimir.example.com/api/v1/push"
    assert write["authorization"] == {"credentials_file": "/etc/agentobs/secrets/remoteWriteToken"}
    (told,) = config["alerting"]["alertmanagers"]
    assert (told["scheme"], told["path_prefix"]) == ("https", "/alertmanager")
    assert told["static_configs"] == [{"targets": ["alerts.example.com"]}]
    assert told["basic_auth"] == {
        "username_file": "/etc/agentobs/secrets/alertmanagerUser",
        "password_file": "/etc/agentobs/secrets/alertmanagerToken",
    }


def test_two_replicas_say_which_they_are_to_the_store_and_not_to_the_alertmanager(plans):
    config = _config(plans[LONG_TERM], "prometheus", "prometheus.yml")
    assert config["global"]["external_labels"]["__replica__"] == "${POD_NAME}"
    assert config["alerting"]["alert_relabel_configs"] == [{"action": "labeldrop", "regex": "__replica__"}]
    assert (
        "__replica__" not in _config(planned(EnvName.PROD), "prometheus", "prometheus.yml")["global"]["external_labels"]
    )


def test_tempo_writes_its_service_graph_where_metrics_are_taken_or_makes_none(plans):
    (write,) = _config(plans[GRAPH], "tempo", "tempo.yaml")["metrics_generator"]["storage"]["remote_write"]
    assert write["url"] == "https://metrics.example.com/api/v1/write"
    assert "metrics_generator" not in _config(plans[IN_CLUSTER], "tempo", "tempo.yaml")


def test_rules_of_a_store_without_the_modifier_are_plain():
    plain = planned(EnvName.DEV, plainRules="true")
    (prometheus,) = (each for each in plain.workloads if each.name == "prometheus")
    assert "anchored" not in prometheus.files["rules.yml"]
    assert "increase(" in prometheus.files["rules.yml"]


def test_grafana_reads_there_and_logs_in_with_variables():
    changed = {key: value for key, value in EXTERNAL[CLOUD][1].items() if not key.startswith(("grafana", "oidc"))}
    made = planned(EnvName.PROD, **changed)
    sources = _config(made, "grafana", "provisioning/datasources/agentobs.yaml")["datasources"]
    metrics, _, traces = sources
    assert metrics["url"] == "https://metrics.example.com/api/prom"
    assert (metrics["basicAuth"], metrics["basicAuthUser"]) == (True, "${PROMETHEUS_USER}")
    assert metrics["secureJsonData"] == {"basicAuthPassword": "${PROMETHEUS_TOKEN}"}
    assert traces["jsonData"]["httpHeaderName1"] == "Authorization"
    assert traces["secureJsonData"] == {"httpHeaderValue1": "Bearer ${TEMPO_TOKEN}"}
    (grafana,) = (each for each in made.workloads if each.name == "grafana")
    variables = {use.variable for use in grafana.secrets}
    assert {"PROMETHEUS_USER", "PROMETHEUS_TOKEN", "LOKI_USER", "LOKI_TOKEN", "TEMPO_TOKEN"} <= variables


def _policy(made, name: str):
    (found,) = (each for each in made.manifests if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == name)
    return found["spec"]


def _out(made, name: str) -> set[int]:
    """Ports on which a workload reaches the world outside."""
    ways = [way for way in _policy(made, name)["egress"] if "ipBlock" in way["to"][0]]
    return {port["port"] for way in ways for port in way["ports"]}


def _space(name: str):
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def test_policies_open_the_ports_of_what_is_outside_and_nothing_more(plans):
    langfuse = plans["an external Langfuse"]
    assert _out(langfuse, "collector") == {443, 6443, 8443}
    assert _out(planned(EnvName.DEV, langfuse="off"), "collector") == {443, 6443}
    assert _out(plans[LONG_TERM], "prometheus") == {443, 6443}


def test_policies_open_the_namespace_of_a_service_of_the_cluster(plans):
    made = plans[IN_CLUSTER]
    way = {"to": [_space("monitoring")], "ports": [{"protocol": "TCP", "port": 9090}]}
    assert way in _policy(made, "collector")["egress"]
    assert 9090 not in _out(made, "collector")


def test_an_external_prometheus_may_scrape_all_and_tell_our_alertmanager_and_grafana_may_read(plans):
    made = plans[IN_CLUSTER]
    come: dict[str, set[int]] = {}
    for workload in made.workloads:
        ways = _policy(made, workload.name)["ingress"]
        come[workload.name] = {
            port["port"] for way in ways if _space("monitoring") in way["from"] for port in way["ports"]
        }
    assert come["alertmanager"] == {9093}
    assert come["loki"] == {3100}
    assert come["collector"] == {8888}
    silent = {workload.name for workload in made.workloads if not workload.metrics_port}
    assert {name for name, ports in come.items() if not ports} == silent


@pytest.mark.parametrize("case", EXTERNAL)
def test_outputs_hold_no_login_and_a_way_only_to_what_runs_here(plans, case):
    said = _outputs(plans, case)
    assert "sentinel-" not in json.dumps(said)
    assert said["cluster"] == {"context": "test", "namespace": "agentobs", "snapshotClass": None}
    assert {way.split("service/")[1].split()[0] for way in said["reach"].values()} <= _workloads(plans[case])


def _outputs(plans, case):
    name, changed = EXTERNAL[case]
    return outputs(ENVIRONMENTS[name], plans[case], settings_of(name, **changed))


def test_outputs_say_where_everything_is_and_what_to_load_there(plans):
    cloud = _outputs(plans, CLOUD)
    assert cloud["endpoints"]["prometheus"] == "https://metrics.example.com/api/prom"
    assert cloud["external"]["loki"] == {"url": "https://logs.example.com", "auth": "basic"}
    assert cloud["web"]["grafana"] == "https://boards.example.com"
    assert any("agentobs dashboards push --url https://boards.example.com" in each for each in cloud["next"])
    assert any("agentobs render rules -s prod" in each for each in cloud["next"])
