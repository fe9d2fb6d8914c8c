"""Jaeger and VictoriaLogs in clusters: nothing of the other pair is left, they are reached and read, and are safe."""

import json
import re

import pytest
import yaml
from support.clusters import EXTERNAL, ON_KUBERNETES, PERMISSIVE, planned, settings_of

from stacks.cluster import names, network
from stacks.cluster.outputs import outputs
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.policy import rules
from stacks.settings import SettingsError
from stacks.sizes import DEV, PROD, STAGING
from stacks.versions import IMAGES

GRAFANAS = re.compile(r"\b(tempo|loki)\b", re.IGNORECASE)
SIZES = {EnvName.DEV: DEV, EnvName.STAGING: STAGING, EnvName.PROD: PROD}
CLOUD, IN_CLUSTER = "Jaeger and VictoriaLogs in a cloud, prod", "Jaeger and VictoriaLogs of the cluster"
OURS = ("jaeger", "victorialogs")


@pytest.fixture(params=ON_KUBERNETES, scope="module")
def made(request):
    return planned(request.param, **PERMISSIVE[request.param])


@pytest.fixture(scope="module")
def plans():
    return {case: planned(EXTERNAL[case][0], **EXTERNAL[case][1]) for case in (CLOUD, IN_CLUSTER)}


def _workload(made, name):
    (found,) = (each for each in made.workloads if each.name == name)
    return found


def _object(made, kind, name):
    (found,) = (each for each in made.manifests if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def _samplers(made):
    """The collectors that write to the stores."""
    return [each for each in made.workloads if "jaeger-otlp" in each.calls]


def test_nothing_of_the_other_pair_is_left(made):
    """Texts of people about alerts may say what else there is, and no program may send under any store's name."""
    manifests = [each for each in made.manifests if not each["metadata"]["name"].startswith("grafana")]
    lines = [line for each in manifests for line in json.dumps(each, indent=1).replace("\\n", "\n").splitlines()]
    named = [line for line in lines if GRAFANAS.search(line)]
    assert [line for line in named if "metric.name" not in line and "service.name" not in line] == []
    grafana = _workload(made, "grafana")
    files = {name: text for name, text in grafana.files.items() if not name.startswith("runbooks/")}
    left = {name: found for name, text in files.items() if (found := GRAFANAS.findall(text))}
    assert left == {}
    assert {"tempo", "loki"} & {each.name for each in made.workloads} == set()


def test_the_collector_writes_and_grafana_and_prometheus_read_and_nobody_else_comes(made):
    flows = {(flow.source, flow.target, flow.number) for flow in network.flows(made.workloads) if flow.target in OURS}
    (sampler,) = {each.name for each in _samplers(made)}
    assert flows == {
        (sampler, "jaeger", 4337),
        (sampler, "victorialogs", 9428),
        ("grafana", "jaeger", 16686),
        ("grafana", "victorialogs", 9428),
        ("prometheus", "jaeger", 8889),
        ("prometheus", "victorialogs", 9428),
    }


def test_the_collector_sends_where_they_listen(made):
    (sampler,) = _samplers(made)
    exporters = yaml.safe_load(sampler.files["collector.yaml"])["exporters"]
    assert exporters["otlp_grpc/jaeger"]["endpoint"] == "jaeger:4337"
    assert exporters["otlp_http/victorialogs"]["endpoint"] == "http://victorialogs:9428/insert/opentelemetry"
    streams = "service.name,service.namespace,deployment.environment.name"
    assert exporters["otlp_http/victorialogs"]["headers"] == {"VL-Stream-Fields": streams}
    received = yaml.safe_load(_workload(made, "jaeger").files["jaeger.yaml"])["receivers"]["otlp"]["protocols"]
    assert received["grpc"]["endpoint"].endswith(":4337")
    assert "-httpListenAddr=0.0.0.0:9428" in [
        word.replace("=:", "=0.0.0.0:") for word in _workload(made, "victorialogs").command
    ]


def test_grafana_has_their_sources_and_no_other(made):
    text = _workload(made, "grafana").files["provisioning/datasources/agentobs.yaml"]
    sources = {each["type"]: each["url"] for each in yaml.safe_load(text)["datasources"]}
    assert sources == {
        "prometheus": "http://prometheus:9090",
        "victoriametrics-logs-datasource": "http://victorialogs:9428",
        "jaeger": "http://jaeger:16686",
    }


def test_one_of_each_runs_on_a_volume_of_its_own(made):
    for name in OURS:
        controller = _object(made, "StatefulSet", name)
        assert controller["spec"]["replicas"] == 1
        (claim,) = controller["spec"]["volumeClaimTemplates"]
        (container,) = rules.containers(controller)
        data = next(each for each in container["volumeMounts"] if each["name"] == claim["metadata"]["name"])
        said = json.dumps([container["args"], _workload(made, name).files])
        assert data["mountPath"] in said


def test_their_root_is_read_only_and_what_they_write_is_a_volume(made):
    """Jaeger and VictoriaLogs write nowhere but into their data, as a real one of each shows."""
    for name in OURS:
        (container,) = rules.containers(_object(made, "StatefulSet", name))
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert [each["name"] for each in container["volumeMounts"] if not each.get("readOnly")] == ["data"]


def test_a_slow_one_is_not_a_dead_one(made):
    """Readiness asks for an answer, liveness only for an open port: a long search restarts nothing."""
    for name, path in (("jaeger", "/status"), ("victorialogs", "/health")):
        (container,) = rules.containers(_object(made, "StatefulSet", name))
        assert container["readinessProbe"]["httpGet"]["path"] == path
        assert "tcpSocket" in container["livenessProbe"]


@pytest.mark.parametrize("name", ON_KUBERNETES)
def test_memory_is_collected_before_the_limit_ends_the_process(name):
    made = planned(name, **PERMISSIVE[name])
    for store in OURS:
        (container,) = rules.containers(_object(made, "StatefulSet", store))
        limit = int(container["resources"]["limits"]["memory"].removesuffix("Mi"))
        told = {each["name"]: each.get("value", "") for each in container["env"]}
        soft = int(told["GOMEMLIMIT"].removesuffix("MiB"))
        assert SIZES[name][store].memory_mib <= soft < 0.9 * limit


def test_the_images_are_theirs(made):
    for workload, image in (("jaeger", "jaeger"), ("victorialogs", "victoria-logs")):
        (container,) = rules.containers(_object(made, "StatefulSet", workload))
        assert container["image"] == IMAGES[image].at(None)


def test_on_a_volume_of_its_own_victorialogs_drops_its_oldest_days_before_it_is_full(made):
    assert "-retention.maxDiskUsagePercent=85" in _workload(made, "victorialogs").command


def test_they_are_read_through_the_api_server_and_named_in_the_outputs(made):
    name = next(name for name in ON_KUBERNETES if made.manifests == planned(name, **PERMISSIVE[name]).manifests)
    said = outputs(ENVIRONMENTS[name], made, settings_of(name, **PERMISSIVE[name]))
    assert {key: said["endpoints"][key] for key in OURS} == {
        "jaeger": "http://jaeger.agentobs:16686",
        "victorialogs": "http://victorialogs.agentobs:9428",
    }
    assert not {"tempo", "loki"} & {*said["endpoints"], *said["reach"], *said["web"]}


def test_those_of_somebody_else_run_not_here_and_are_logged_in_to(plans):
    made = plans[CLOUD]
    assert not set(OURS) & {each.name for each in made.workloads}
    config = yaml.safe_load(_workload(made, "collector-sampler").files["collector.yaml"])
    to_traces, to_logs = (config["exporters"][f"otlp_http/{name}"] for name in OURS)
    assert to_traces["endpoint"] == "https://otlp.example.com/traces"
    assert to_logs["endpoint"] == "https://logs.example.com/insert/opentelemetry"
    assert to_logs["headers"]["VL-Stream-Fields"].startswith("service.name,")
    logins = {name: config["extensions"][f"bearertokenauth/{name}"] for name in OURS}
    assert logins == {
        "jaeger": {"scheme": "Bearer", "filename": "/etc/otelcol/secrets/jaeger-login"},
        "victorialogs": {"scheme": "Basic", "filename": "/etc/otelcol/secrets/victorialogs-login"},
    }
    assert to_traces["auth"] == {"authenticator": "bearertokenauth/jaeger"}
    assert to_logs["auth"] == {"authenticator": "bearertokenauth/victorialogs"}
    for key in ("sending_queue", "retry_on_failure"):
        ours = yaml.safe_load(
            _workload(planned(EnvName.PROD, **PERMISSIVE[EnvName.PROD]), "collector-sampler").files["collector.yaml"]
        )
        assert to_traces[key] == ours["exporters"]["otlp_grpc/jaeger"][key]
        assert to_logs[key] == ours["exporters"]["otlp_http/victorialogs"][key]


def test_grafana_reads_those_of_somebody_else_and_logs_in_with_variables(plans):
    grafana = _workload(plans[CLOUD], "grafana")
    _, logs, traces = yaml.safe_load(grafana.files["provisioning/datasources/agentobs.yaml"])["datasources"]
    assert (traces["type"], traces["url"]) == ("jaeger", "https://traces.example.com:16443/jaeger")
    assert traces["secureJsonData"] == {"httpHeaderValue1": "Bearer ${JAEGER_TOKEN}"}
    assert (logs["url"], logs["basicAuthUser"]) == ("https://logs.example.com", "${VICTORIALOGS_USER}")
    assert logs["secureJsonData"] == {"basicAuthPassword": "${VICTORIALOGS_TOKEN}"}
    variables = {use.variable for use in grafana.secrets}
    assert {"JAEGER_TOKEN", "VICTORIALOGS_USER", "VICTORIALOGS_TOKEN"} <= variables
    assert not [each for each in variables if each.startswith(("TEMPO", "LOKI"))]


def test_policies_open_the_way_to_those_of_somebody_else(plans):
    def out(case, name):
        spec = _object(plans[case], "NetworkPolicy", name)["spec"]
        ports = {each["port"] for way in spec["egress"] if "ipBlock" in way["to"][0] for each in way["ports"]}
        spaces = [
            each["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for way in spec["egress"]
            for each in way["to"]
            if "namespaceSelector" in each and "podSelector" not in each
        ]
        return ports, spaces

    assert 16443 in out(CLOUD, "grafana")[0]
    assert 443 in out(CLOUD, "collector-sampler")[0]
    assert out(IN_CLUSTER, "collector-sampler")[1] == ["logging", "tracing"]
    assert out(IN_CLUSTER, "grafana")[1] == ["logging", "tracing"]


JAEGER = {"traces": "jaeger", "jaeger": "external", "jaegerUrl": "https://t.example.com"}
LOGS = {"logs": "victorialogs", "victorialogs": "external", "victorialogsUrl": "https://l.example.com"}
REFUSED = [
    # What is of the other store has no effect.
    (EnvName.STAGING, {"traces": "jaeger"}, "tempoBucket has no effect: traces go to jaeger"),
    (EnvName.STAGING, {"logs": "victorialogs"}, "lokiBucket has no effect: logs go to victorialogs"),
    (EnvName.DEV, {"traces": "jaeger", "tempo": "external"}, "tempo has no effect: traces go to jaeger"),
    (EnvName.DEV, {"traces": "jaeger", "tempoUrl": "https://t.example.com"}, "tempoUrl has no effect: traces go to"),
    (EnvName.DEV, {"jaeger": "external"}, "jaeger has no effect: traces go to tempo"),
    (EnvName.DEV, {"victorialogsUrl": "https://l.example.com"}, "victorialogsUrl has no effect: logs go to loki"),
    (EnvName.DEV, {"victorialogsAuth": "bearer"}, "victorialogsAuth has no effect: logs go to loki"),
    (EnvName.STAGING, PERMISSIVE[EnvName.DEV], "objectsEndpoint has no effect: nothing lies in object storage"),
    # What is managed has no address, what is external keeps as long as it says.
    (EnvName.DEV, {"traces": "jaeger", "jaegerUrl": "https://t.example.com"}, "jaegerUrl has no effect: jaeger is"),
    (EnvName.DEV, {"logs": "victorialogs", "victorialogsAuth": "basic"}, "victorialogsAuth has no effect: victorialo"),
    (EnvName.DEV, {**LOGS, "logsRetention": "48h"}, "logsRetention has no effect: the external VictoriaLogs stores"),
    (
        EnvName.DEV,
        {**JAEGER, "jaegerOtlpUrl": "https://o.example.com", "tracesRetention": "48h"},
        "tracesRetention has no effect: the external Jaeger stores as it says",
    ),
    # What an external one needs.
    (EnvName.DEV, JAEGER, "an external Jaeger needs jaegerOtlpUrl"),
    (EnvName.DEV, {**JAEGER, "jaegerUrl": None}, "an external Jaeger needs jaegerUrl, jaegerOtlpUrl"),
    (EnvName.DEV, {**LOGS, "victorialogsUrl": None}, "an external VictoriaLogs needs victorialogsUrl"),
    (EnvName.DEV, {**LOGS, "victorialogsAuth": "bearer"}, "agentobs:victorialogsToken of stack dev is missing"),
    (
        EnvName.DEV,
        {**LOGS, "victorialogsAuth": "basic", "victorialogsToken": "x"},
        "agentobs:victorialogsUser of stack",
    ),
    # What is unsafe, and what is no value.
    (
        EnvName.DEV,
        {**LOGS, "victorialogsUrl": "http://logs.example.com", "victorialogsAuth": "bearer"},
        "victorialogsUrl would send victorialogsToken over http outside the cluster",
    ),
    (
        EnvName.PROD,
        {**PERMISSIVE[EnvName.PROD], **JAEGER, "jaegerOtlpUrl": "http://o.example.com"},
        "jaegerOtlpUrl is http outside the cluster, which prod refuses",
    ),
    (EnvName.DEV, {"traces": "zipkin"}, "agentobs:traces of stack dev: Input should be 'tempo' or 'jaeger'"),
    (EnvName.DEV, {"logs": "VictoriaLogs"}, "agentobs:logs of stack dev: Input should be 'loki' or 'victorialogs'"),
    (EnvName.DEV, {**LOGS, "victorialogsUrl": "logs.example.com"}, "this is no address; write https://host[:port]"),
]


@pytest.mark.parametrize(("name", "changed", "said"), REFUSED)
def test_a_setting_of_stores_that_does_nothing_or_lacks_something_is_refused(name, changed, said):
    with pytest.raises(SettingsError) as refused:
        planned(name, **changed)
    assert said in str(refused.value)
    assert "fix: pulumi config" in str(refused.value).lower()


@pytest.mark.parametrize(
    ("changed", "runs"),
    [({"traces": "jaeger"}, {"jaeger", "loki"}), ({"logs": "victorialogs"}, {"tempo", "victorialogs"})],
)
def test_one_may_be_chosen_without_the_other(changed, runs):
    made = planned(EnvName.DEV, **changed)
    assert {each.name for each in made.workloads} & {"tempo", "loki", *OURS} == runs
    assert rules.violations(made.manifests) == []
    reached = {flow.target for flow in network.flows(made.workloads) if flow.source == "collector"}
    assert runs <= reached


def test_the_owner_of_each_of_their_ports_is_known():
    assert {names.owner(port) for port in ("jaeger", "jaeger-otlp", "jaeger-grpc", "jaeger-metrics")} == {"jaeger"}
    assert names.owner("victorialogs") == "victorialogs"
