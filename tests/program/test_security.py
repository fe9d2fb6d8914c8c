"""What the security page claims and no scanner knows: who may sign in, where pods may go, who hides behind a door."""

import itertools

import pytest
import yaml
from support.clusters import EXTERNAL, ON_KUBERNETES, PERMISSIVE, planned

from stacks.cluster import hardening, ingress, network, rules
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.policy.rules import containers, pod_spec
from stacks.settings import SettingsError

DEV, STAGING, PROD = EnvName.DEV, EnvName.STAGING, EnvName.PROD
OTLP = {4317, 4318}
LANGFUSE_SSO = {
    "langfuseOidcIssuer": "https://id.example.com",
    "langfuseOidcClientId": "langfuse",
    "langfuseOidcClientSecret": "sentinel-langfuseOidcClientSecret",
}


@pytest.fixture(params=ON_KUBERNETES, scope="module")
def made(request):
    return planned(request.param)


def _workload(made, name):
    (found,) = (each for each in made.workloads if each.name == name)
    return found


def _spec(made, kind, name):
    (found,) = (each for each in made.manifests if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found["spec"]


def _out(made, name) -> set[int]:
    """Ports on which a workload reaches any address outside."""
    ways = [way for way in _spec(made, "NetworkPolicy", name)["egress"] if "ipBlock" in way["to"][0]]
    return {port["port"] for way in ways for port in way["ports"]}


def _from(made, name, space) -> set[int]:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}}}
    ways = [way for way in _spec(made, "NetworkPolicy", name)["ingress"] if peer in way["from"]]
    return {port["port"] for way in ways for port in way["ports"]}


# Who may sign in.


def test_grafana_takes_no_password_in_a_header_and_gives_nobody_a_role_unasked(made):
    env = _workload(made, "grafana").env
    assert env["GF_AUTH_BASIC_ENABLED"] == "false"
    assert env["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert env["GF_USERS_AUTO_ASSIGN_ORG_ROLE"] == "None"


def test_grafanas_metrics_want_a_password_that_prometheus_has(made):
    """People come to the same port through the ingress."""
    grafana, prometheus = _workload(made, "grafana"), _workload(made, "prometheus")
    assert grafana.env["GF_METRICS_BASIC_AUTH_PASSWORD"].endswith("/grafanaMetricsPassword}")
    jobs = {job["job_name"]: job for job in yaml.safe_load(prometheus.files["prometheus.yml"])["scrape_configs"]}
    login = jobs["grafana"]["basic_auth"]
    assert login["username"] == grafana.env["GF_METRICS_BASIC_AUTH_USERNAME"]
    assert login["password_file"] in {use.file for use in prometheus.secrets if use.value == "grafanaMetricsPassword"}
    shown = [job["job_name"] for job in jobs.values() if "basic_auth" in job]
    assert shown == ["grafana"], "no other pod is shown the password"
    assert [_filter(job) for job in jobs.values()] == [
        ("drop", "kube-state-metrics|grafana"),
        ("keep", "kube-state-metrics"),
        ("keep", "grafana"),
    ]


def _filter(job) -> tuple[str, str]:
    return next(
        (step["action"], step["regex"])
        for step in job["relabel_configs"]
        if step.get("source_labels") == ["__meta_kubernetes_pod_label_app_kubernetes_io_name"] and "action" in step
    )


def test_a_prometheus_of_somebody_else_is_told_of_the_password(tmp_path):
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config: {agentobs:context: test}")
    jobs = yaml.safe_load(rules.documents(ENVIRONMENTS[DEV], file)[rules.SCRAPE])["scrape_configs"]
    assert [("basic_auth" in job, _filter(job)[0]) for job in jobs] == [(False, "drop"), (True, "keep")]


def test_without_our_grafana_prometheus_has_no_such_password():
    name, changed = EXTERNAL["Jaeger and VictoriaLogs in a cloud, prod"]
    own = dict.fromkeys(("grafanaDatabase", *(f"oidc{key}" for key in _OIDC)))
    made = planned(name, **changed, **own, grafana="external", grafanaUrl="https://g.example.com")
    assert "grafanaMetricsPassword" not in {use.value for use in _workload(made, "prometheus").secrets}


_OIDC = ("ClientId", "AuthUrl", "TokenUrl", "ApiUrl", "RolePath")


@pytest.mark.parametrize(
    "path",
    [
        "'Viewer'",
        "contains(groups, 'platform') && 'Admin' || 'Viewer'",
        "contains(groups, 'a') && 'Admin' || (contains(groups, 'b') && 'Editor' || 'Viewer')",
        "contains(groups, 'platform') && 'Admin' ||  `\"Editor\"` ",
    ],
)
def test_a_role_without_a_condition_is_refused(path):
    with pytest.raises(SettingsError, match="agentobs:oidcRolePath of stack prod: it gives a role without a condition"):
        planned(PROD, oidcRolePath=path)


def test_roles_with_conditions_are_taken_strictly():
    path = "contains(groups, 'a') && 'Admin' || contains(groups, 'b') && 'Viewer'"
    env = _workload(planned(PROD, oidcRolePath=path), "grafana").env
    assert env["GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH"] == path
    assert env["GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_STRICT"] == "true"


def test_langfuse_with_single_sign_on_has_no_passwords_and_without_it_no_sign_up():
    without, with_it = (_workload(planned(PROD, **more), "langfuse-web") for more in ({}, LANGFUSE_SSO))
    assert without.env["AUTH_DISABLE_SIGNUP"] == "true"
    assert not [key for key in without.env if key.startswith("AUTH_CUSTOM")]
    assert ("AUTH_DISABLE_USERNAME_PASSWORD", "true") in with_it.env.items()
    assert with_it.env["AUTH_CUSTOM_ISSUER"] == "https://id.example.com"
    assert "AUTH_CUSTOM_CLIENT_SECRET" in {use.variable for use in with_it.secrets}
    assert "AUTH_CUSTOM_CLIENT_SECRET" not in {use.variable for use in without.secrets}


# Where pods may go.


def test_the_ingress_controller_reaches_what_has_an_entrance_and_nothing_else():
    for name in (STAGING, PROD):
        made = planned(name)
        offered = {
            (rule["backend"]["service"]["name"], rule["backend"]["service"]["port"]["name"])
            for each in made.manifests
            if each["kind"] == "Ingress"
            for host in each["spec"]["rules"]
            for rule in host["http"]["paths"]
        }
        assert offered
        reached = {workload.name: _from(made, workload.name, "ingress-nginx") for workload in made.workloads}
        assert {name for name, ports in reached.items() if ports} == {service for service, _ in offered}
        assert not OTLP & set(itertools.chain(*reached.values()))
    assert set(network.PUBLIC) == set(ingress.HOSTS)


def test_every_way_out_names_its_ports():
    cases = [(name, {}) for name in ON_KUBERNETES] + [*PERMISSIVE.items()] + [*EXTERNAL.values()]
    for name, changed in cases:
        for each in planned(name, **changed).manifests:
            if each["kind"] == "NetworkPolicy":
                ways = each["spec"].get("egress", ())
                assert all(way["to"] and way["ports"] for way in ways), each["metadata"]["name"]


@pytest.mark.parametrize(
    ("name", "changed", "workload", "ports"),
    [
        (DEV, {}, "grafana", set()),
        (DEV, {}, "alertmanager", set()),
        (DEV, {}, "langfuse-web", set()),
        (DEV, PERMISSIVE[DEV], "grafana", {443}),  # the plugin
        (STAGING, {}, "grafana", {443, 5432}),
        (STAGING, {}, "loki", {443}),
        (STAGING, {"objectsEndpoint": "s3.example.com:9000"}, "tempo", {9000}),
        (PROD, {"objectsEndpoint": "s3.example.com:9000"}, "loki", {9000}),
        (PROD, {"objectsEndpoint": "s3.example.com:9000", "objectsKeys": "false"}, "loki", {443, 9000}),
        (PROD, {"grafanaDatabase": "postgres.example.com:6432/grafana"}, "grafana", {443, 6432}),
        (PROD, {}, "alertmanager", {443}),
        (PROD, {}, "langfuse-web", {443, 5432, 6379, 8443, 9440}),
        (PROD, {}, "langfuse-worker", {443, 5432, 6379, 8443}),
    ],
)
def test_ways_out_are_those_that_the_settings_need(name, changed, workload, ports):
    assert _out(planned(name, **changed), workload) == ports


def test_mail_alone_opens_the_port_of_the_mail_server():
    mail = {
        "tickets": "email",
        "emailTo": "a@example.com",
        "emailFrom": "b@example.com",
        "emailSmarthost": "mail.example.com:465",
        "emailUsername": "b",
        "emailPassword": "sentinel-emailPassword",
    }
    assert _out(planned(DEV, **mail), "alertmanager") == {465}


def test_no_way_out_but_to_the_api_server_leads_to_the_metadata_of_a_machine():
    for each in planned(PROD, remoteWriteUrl="https://m.example.com").manifests:
        if each["kind"] == "NetworkPolicy":
            for way in each["spec"].get("egress", ()):
                block = way["to"][0].get("ipBlock", {})
                if block and [port["port"] for port in way["ports"]] != [443, 6443]:
                    assert block["except"] == ["169.254.0.0/16"], each["metadata"]["name"]


def test_a_service_of_the_cluster_is_reached_on_the_port_of_its_pods():
    name, changed = EXTERNAL["Jaeger and VictoriaLogs of the cluster"]
    tracing = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tracing"}}}

    def ports(**more) -> list[int]:
        ways = _spec(planned(name, **changed, **more), "NetworkPolicy", "collector-sampler")["egress"]
        return [port["port"] for way in ways if tracing in way["to"] for port in way["ports"]]

    assert ports() == [4318]
    assert ports(servicePodPorts='{"jaeger.tracing:4318": 14318}') == [14318]


# Who hides behind a door.


def test_in_prod_a_sampler_takes_only_who_has_the_edges_token():
    made = planned(PROD)
    edge, sampler = (
        yaml.safe_load(_workload(made, name).files["collector.yaml"]) for name in ("collector", "collector-sampler")
    )
    hop = edge["exporters"]["load_balancing/samplers"]["protocol"]["otlp"]
    door = sampler["receivers"]["otlp"]["protocols"]
    shown = edge["extensions"][hop["auth"]["authenticator"]]["filename"]
    for protocol in door.values():
        assert sampler["extensions"][protocol["auth"]["authenticator"]]["filename"] == shown
        assert protocol["tls"]["client_ca_file"]
    holders = {each.name for each in made.workloads if "samplerToken" in {use.value for use in each.secrets}}
    assert holders == {"collector", "collector-sampler"}


def test_the_senders_pod_is_the_one_that_is_connected_whatever_it_claims(made):
    config = yaml.safe_load(_workload(made, "collector").files["collector.yaml"])
    looked_up = config["processors"]["k8s_attributes"]
    assert looked_up["pod_association"] == [{"sources": [{"from": "connection"}]}]
    dropped = {each["key"] for each in config["processors"]["resource/claims"]["attributes"]}
    assert set(looked_up["extract"]["metadata"]) < dropped


# What a namespace may use.


def test_the_quota_has_room_for_all_pods_of_two_releases_and_no_more_than_twice(made):
    quota = _spec(made, "ResourceQuota", "agentobs")["hard"]
    cpu = memory = pods = 0
    scaled = {
        m["spec"]["scaleTargetRef"]["name"]: m["spec"]["maxReplicas"] for m in made.manifests if "Auto" in m["kind"]
    }
    for each in made.manifests:
        count = scaled.get(each["metadata"]["name"]) or each.get("spec", {}).get("replicas", 0)
        for container in containers(each):
            pods += 2 * count
            cpu += 2 * count * int(container["resources"]["limits"]["cpu"].removesuffix("m"))
            memory += 2 * count * int(container["resources"]["limits"]["memory"].removesuffix("Mi"))
    assert 0 <= int(quota["pods"]) - pods <= 4
    assert cpu <= int(quota["limits.cpu"].removesuffix("m")) < cpu + 1000
    assert memory <= int(quota["limits.memory"].removesuffix("Mi")) < memory + 1024
    assert quota["services.loadbalancers"] == quota["services.nodeports"] == "0"


def test_every_container_and_volume_is_within_the_bounds(made):
    bounds = {each["type"]: each for each in _spec(made, "LimitRange", "agentobs")["limits"]}
    units = {"cpu": "m", "memory": "Mi", "ephemeral-storage": "Mi", "storage": "Mi"}

    def number(resource, quantity) -> int:
        return int(quantity.removesuffix(units[resource]))

    limits = [c["resources"]["limits"] for m in made.manifests for c in containers(m)]
    for resource, most in bounds["Container"]["max"].items():
        assert max(number(resource, each[resource]) for each in limits) == number(resource, most)
    claims = [claim for m in made.manifests for claim in m.get("spec", {}).get("volumeClaimTemplates", ())]
    largest = max(number("storage", claim["spec"]["resources"]["requests"]["storage"]) for claim in claims)
    assert number("storage", bounds["PersistentVolumeClaim"]["max"]["storage"]) == 2 * largest


def test_a_pod_has_users_of_its_own_where_the_cluster_can(made):
    specs = [pod_spec(each) for each in made.manifests if pod_spec(each)]
    assert not [each for each in specs if "hostUsers" in each]
    apart = planned(DEV, userNamespaces="true")
    assert all(pod_spec(each)["hostUsers"] is False for each in apart.manifests if pod_spec(each))
    assert hardening.LEAST_FOR_USERS == (1, 33)
