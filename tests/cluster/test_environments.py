"""`pulumi up` of every environment on a real API server that enforces Pod Security `restricted`.

Everything becomes ready, a second `up` has nothing to do, and `destroy` leaves what the environment says.
"""

import base64
import json
import time

import pytest
from support.clusters import ON_KUBERNETES, SECRETS, planned
from support.langfuse_configs import configs_api

from stacks.environments import ENVIRONMENTS, EnvName

_AUTOSCALED_S = 60  # an autoscaler looks every 15 seconds
_NAMESPACE = "/api/v1/namespaces/agentobs"


@pytest.fixture(scope="module", params=ON_KUBERNETES)
def running(request, make_stack):
    """The environment, up; taken down by force at the end, whatever is protected."""
    stack = make_stack(request.param)
    stack.up()
    yield stack
    stack.force_down()


def test_everything_is_ready(running):
    wanted = {workload.name for workload in planned(running.name).workloads}
    ready = {}
    for kind in ("apps/v1/statefulsets", "apps/v1/deployments"):
        for each in running.objects(kind):
            status = each["status"]
            ready[each["metadata"]["name"]] = status.get("readyReplicas", 0) == status.get("replicas") > 0
    assert ready == dict.fromkeys(wanted, True)


def test_replicas_are_spread_over_zones(running, plane):
    zones = {
        node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"]
        for node in plane.listed("/api/v1/nodes")
    }
    sizes = ENVIRONMENTS[running.name].cluster.sizes
    wanted = {workload.name: sizes[workload.name].replicas for workload in planned(running.name).workloads}
    deadline = time.monotonic() + _AUTOSCALED_S
    while (found := _zones(running, zones)) != wanted and time.monotonic() < deadline:
        time.sleep(1)
    assert found == wanted


def _zones(running, zones) -> dict[str, int]:
    """Workload -> number of zones that it has pods in."""
    found: dict[str, set[str]] = {}
    for pod in running.objects("v1/pods"):
        name = pod["metadata"]["labels"]["app.kubernetes.io/name"]
        found.setdefault(name, set()).add(zones.get(pod["spec"].get("nodeName"), "none"))
    return {name: len(where) for name, where in found.items()}


@pytest.mark.usefixtures("running")
def test_a_pod_that_is_not_restricted_is_refused(plane):
    pod = {"metadata": {"name": "root"}, "spec": {"containers": [{"name": "root", "image": "x"}]}}
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        plane.api("POST", f"{_NAMESPACE}/pods", pod)


@pytest.mark.usefixtures("running")
def test_a_container_beyond_the_bounds_of_the_namespace_is_refused(plane):
    resources = {"limits": {"cpu": "999"}, "requests": {"cpu": "1m"}}
    pod = {
        "metadata": {"name": "greedy"},
        "spec": {"containers": [{"name": "g", "image": "x", "resources": resources}]},
    }
    with pytest.raises(AssertionError, match="maximum cpu usage per Container is"):
        plane.api("POST", f"{_NAMESPACE}/pods", pod)


def test_the_quota_counts_and_has_room_left(running):
    (quota,) = running.objects("v1/resourcequotas")
    assert quota["status"]["hard"] == quota["spec"]["hard"]
    used, hard = int(quota["status"]["used"]["pods"]), int(quota["status"]["hard"]["pods"])
    assert 0 < used < hard


def test_a_second_up_changes_nothing(running):
    secrets = _values(running)
    said = running.up()
    assert "agentobs@v" in said  # the policy pack, which let it pass
    assert "can't run policy" not in said
    assert "unchanged" in said
    assert " created" not in said.rsplit("Resources:", 1)[1]
    assert " updated" not in said.rsplit("Resources:", 1)[1]
    assert _values(running) == secrets


def _values(running) -> dict[str, dict[str, str]]:
    return {each["metadata"]["name"]: each["data"] for each in running.objects("v1/secrets")}


def test_no_secret_is_outside_of_secrets_and_none_is_plain_in_the_state(running):
    values = [*SECRETS.values()]
    values += [value for data in _decoded(running).values() for value in data.values() if len(value) > 12]
    state = (running.home / "pulumi" / "state" / ".pulumi" / "stacks" / "agentobs" / f"{running.name}.json").read_text()
    elsewhere = json.dumps([running.objects(kind) for kind in ("v1/configmaps", "v1/pods", "v1/services")])
    assert values
    assert not [value for value in values if value in state]
    assert not [value for value in values if value in elsewhere]


def _decoded(running) -> dict[str, dict[str, str]]:
    return {
        name: {key: base64.b64decode(value).decode() for key, value in data.items()}
        for name, data in _values(running).items()
    }


def test_outputs_tell_where_everything_is(running):
    outputs = json.loads(running.pulumi("stack", "output", "--json").stdout)
    assert outputs["endpoints"]["otlp_http"] == "http://collector.agentobs:4318"
    assert outputs["boards"][0] == "agentobs-fleet"
    services = {each["metadata"]["name"] for each in running.objects("v1/services")}
    assert {url.removeprefix("http://").partition(".")[0] for url in outputs["endpoints"].values()} <= services


def test_pods_wait_for_large_texts_of_their_own_and_for_no_others(running):
    """Boards and rules come late, because Pulumi writes all it has once more with every object."""
    resources = json.loads(running.pulumi("stack", "export").stdout)["deployment"]["resources"]
    waits = {
        each["urn"].rpartition("::")[2].partition("-")[2]: {urn.rpartition("::")[2] for urn in each["dependencies"]}
        for each in resources
        if each["type"].startswith("kubernetes:apps/")
    }
    large = {"grafana": "configmap-grafana-fleet", "prometheus": "configmap-prometheus-rules"}
    for owner, text in large.items():
        assert [name for name, before in waits.items() if text in before] == [owner]


@pytest.mark.usefixtures("prometheus")
def test_commands_reach_the_stores_through_the_api_server(running):
    status = running.agentobs("status", "--json")
    assert status.returncode == 0, status.stderr
    tables = {table["key"]: table["rows"] for table in json.loads(status.stdout)["tables"]}
    assert sum(row["events"] for row in tables["tasks"]) == 20
    why = running.agentobs("why", "--json")
    assert why.returncode == 0, why.stderr
    assert json.loads(why.stdout)["verdict"] != "no_data"


def test_langfuse_gets_its_score_configs_with_the_keys_that_the_stack_made(running, plane):
    keys = [_decoded(running)["langfuse-web-secrets"][key] for key in ("langfusePublicKey", "langfuseSecretKey")]
    with configs_api(plane.forwards[3000]) as api:
        api.login = ":".join(keys)
        done = running.agentobs("langfuse", "configure")
        assert done.returncode == 0, done.stderr
        assert [each["name"] for each in api.configs] == ["hallucination", "task_quality"]
    assert not [key for key in keys if key in done.stdout + done.stderr]


def test_destroy_leaves_what_the_environment_says(running, plane):
    if running.name is not EnvName.DEV:
        refused = running.pulumi("destroy", "--yes", ok=False)
        assert refused.returncode != 0
        assert "protected" in refused.stdout + refused.stderr
        assert running.objects("apps/v1/statefulsets")
    values, kept = _values(running), ["--exclude-protected"] if running.name is not EnvName.DEV else []
    running.pulumi("destroy", "--yes", "--skip-preview", *kept)
    left = {each["metadata"]["name"] for each in plane.listed("/api/v1/namespaces")}
    if running.name is EnvName.DEV:
        assert "agentobs" not in left
        return
    assert running.objects("v1/persistentvolumeclaims")
    assert bool(running.objects("apps/v1/statefulsets")) is (running.name is EnvName.PROD)
    if running.name is EnvName.STAGING:
        running.up()
        assert _values(running) == values


def test_destroy_deletes_protected_data_when_that_is_said_first(running, plane):
    running.pulumi("state", "unprotect", "--all", "--yes")
    running.pulumi("destroy", "--yes", "--skip-preview")
    plane.await_gone("agentobs")
    assert plane.listed("/api/v1/persistentvolumeclaims") == []
    roles = plane.listed("/apis/rbac.authorization.k8s.io/v1/clusterroles")
    assert not [each for each in roles if each["metadata"]["name"].startswith("agentobs-")]
    assert json.loads(running.pulumi("stack", "export").stdout)["deployment"].get("resources", []) == []
