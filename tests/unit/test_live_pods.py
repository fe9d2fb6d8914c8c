"""Live checks of pods: objects of the Kubernetes client as an API server tells them, against the plan."""

import json

import pytest
from kubernetes import client
from support.clusters import planned

from stacks.cluster import live
from stacks.environments import EnvName
from stacks.policy.rules import containers


@pytest.fixture(scope="module", name="made")
def _made():
    return planned(EnvName.DEV)


def pod(name: str, images: list[str], *, ready: bool = True, waiting: str = "") -> client.V1Pod:
    """As the client reads it from JSON."""
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    status = {"name": name, "ready": ready, "restartCount": 2, "image": "x", "imageID": "x", "state": state}
    document = {
        "metadata": {"name": f"{name}-0", "namespace": "agentobs", "labels": {"app.kubernetes.io/name": name}},
        "spec": {"containers": [{"name": name, "image": image} for image in images]},
        "status": {"phase": "Pending", "containerStatuses": [status]},
    }
    return client.ApiClient().deserialize(json.dumps(document), "V1Pod", "application/json")


@pytest.fixture
def images(made):
    return {
        each["metadata"]["name"]: [container["image"] for container in each["spec"]["template"]["spec"]["containers"]]
        for each in made.manifests
        if containers(each)
    }


def judged(pods, made):
    return {(each.subject, each.what): each for each in live.checks(pods, made)}


def test_pods_that_are_ready_and_as_planned_are_good(made, images):
    found = judged([pod(name, each) for name, each in images.items()], made)
    assert len(found) == 2 * len(images)
    assert all(each.good for each in found.values())
    assert found["processes", "loki-0"].message == "ready, 2 restarts"


def test_a_workload_without_pods_is_named(made, images):
    found = judged([pod(name, each) for name, each in images.items() if name != "tempo"], made)
    assert found["processes", "tempo"].message == "has no pod"


def test_a_pod_that_waits_says_for_what(made, images):
    found = judged([pod("loki", images["loki"], ready=False, waiting="ImagePullBackOff")], made)["processes", "loki-0"]
    assert (found.good, found.message) == (False, "not ready: ImagePullBackOff")
    assert found.fix == "kubectl -n agentobs describe pod loki-0"


def test_an_image_that_is_not_planned_is_named(made):
    found = judged([pod("loki", ["docker.io/grafana/loki:latest"])], made)["versions", "loki-0"]
    assert not found.good
    assert "runs docker.io/grafana/loki:latest, which is not planned" in found.message


def test_disks_are_asked_inside_pods_with_a_shell(made, images, tmp_path, monkeypatch):
    """A `kubectl` that answers every command with the `df` of this machine: there is no pod, the rest is real."""
    fake = tmp_path / "kubectl"
    fake.write_text('#!/bin/sh\necho "$*" >> "$0.log"\nexec df -Pk /\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    rooms = [*live.room([pod("prometheus", images["prometheus"]), pod("loki", images["loki"])], made, "kind-agents")]
    assert [room.what for room in rooms] == ["disk of prometheus-0"]
    assert 0 < rooms[0].free <= 1
    asked = (tmp_path / "kubectl.log").read_text()
    assert "--context=kind-agents -n agentobs -c prometheus exec prometheus-0 -- /bin/sh -c" in asked
    assert "/var/lib/agentobs/prometheus" in asked
