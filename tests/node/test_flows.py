"""NetworkPolicies enforced: each allowed flow works and every other is refused, from the data that draws them."""

import pytest
from support.node import settings
from support.node.flows import addresses, between_pods, reached
from support.node.images import SMALL
from support.node.platform import AGENTS, RESTRICTED, demo_pod, eventually, planned_dev

from stacks.cluster import network
from stacks.workload import Outside

STRANGERS = "strangers"
_DNS, _DNS_HEALTH = 53, 8080


@pytest.fixture(scope="module")
def workloads():
    return planned_dev().workloads


@pytest.fixture(scope="module")
def pods(platform) -> dict[str, dict]:
    """Workload -> its pod."""
    return platform.by_workload()


def test_flows_between_pods_are_those_of_the_plan_and_no_other(workloads, pods):
    matrix = between_pods(pods, workloads)
    assert matrix.open == matrix.wanted
    assert len(matrix.tried) > 5 * len(matrix.wanted) > 0


def test_only_those_who_ask_for_it_reach_the_api_server_and_all_reach_names(platform, workloads, pods):
    (dns,) = platform.objects("v1/pods", "kube-system")
    api, lookup, health = (
        (settings.ADDRESS, settings.API_PORT),
        (dns["status"]["podIP"], _DNS),
        (dns["status"]["podIP"], _DNS_HEALTH),
    )
    found = reached(pods, [api, lookup, health])
    assert {name for name, targets in found.items() if api in targets} == {
        workload.name for workload in workloads if Outside.API in workload.outside
    }
    assert {name for name, targets in found.items() if lookup in targets} == set(pods)
    assert not [name for name, targets in found.items() if health in targets]


@pytest.fixture(scope="module")
def visitors(platform) -> dict[str, dict]:
    """A pod in the namespace that may send telemetry, and one in a namespace that may not."""
    node, made = platform.node, {}
    node.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STRANGERS}})
    for namespace in (AGENTS, STRANGERS):
        container = {"name": "visitor", "image": SMALL, "args": ["-c", "sleep 600"], "securityContext": RESTRICTED}
        pod = demo_pod("visitor", [], containers=[container], terminationGracePeriodSeconds=0)
        pod["metadata"]["namespace"] = namespace
        node.make(pod)
        path = f"/api/v1/namespaces/{namespace}/pods/visitor"
        made[namespace] = eventually(lambda p=path: node.api("GET", p), lambda pod: pod["status"].get("podIP"), 30)
    yield made
    for namespace in made:
        node.api("DELETE", f"/api/v1/namespaces/{namespace}/pods/visitor")


def test_agents_reach_the_collector_alone_and_strangers_nothing(visitors, pods, workloads):
    ports = addresses(pods, workloads)
    found = reached(visitors, ports)
    assert {ports[target] for target in found[AGENTS]} == {("collector", port) for port in network.OTLP}
    assert found[STRANGERS] == set()
