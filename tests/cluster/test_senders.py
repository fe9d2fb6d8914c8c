"""Which pod telemetry comes from, asked of a real API server: the one that is connected, whatever it claims to be."""

import os
import time

import pytest
from support import otlp
from support.capture import capturing
from support.otelcol import Collector, transforming
from support.ports import free_ports

from collector import tiers

_PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture(scope="module")
def pods(plane) -> dict[str, dict]:
    """Two pods that never start: `sender` has this computer's address, so that it is who is connected."""
    deadline = time.monotonic() + 60
    while not plane.listed("/api/v1/namespaces/default/serviceaccounts") and time.monotonic() < deadline:
        time.sleep(0.2)
    made = {}
    for name, address in (("sender", "127.0.0.1"), ("victim", "10.9.9.9")):
        spec = {"schedulingGates": [{"name": "example.com/never"}], "containers": [{"name": "c", "image": "x"}]}
        plane.api("POST", _PODS, {"metadata": {"name": name}, "spec": spec})
        status = {"status": {"podIP": address, "podIPs": [{"ip": address}]}}
        made[name] = plane.api("PATCH", f"{_PODS}/{name}/status", status)
    yield made
    for name in made:
        plane.api("DELETE", f"{_PODS}/{name}")


def test_a_sender_cannot_claim_the_identity_of_another_pod(plane, pods, tmp_path):
    processors = tiers.kubernetes_attributes()
    processors["k8s_attributes"] |= {"auth_type": "kubeConfig"}
    http, health = free_ports(2)
    victim = pods["victim"]
    claims = {
        "k8s.pod.uid": victim["metadata"]["uid"],
        "k8s.pod.ip": victim["status"]["podIP"],
        "k8s.pod.name": "victim",
        "k8s.namespace.name": "elsewhere",
        "k8s.deployment.name": "victims",
    }
    with capturing() as capture:
        collector = Collector(transforming(processors, capture.url, http, health), tmp_path, http, health)
        try:
            collector.start(env={**os.environ, "KUBECONFIG": str(plane.kubeconfig)})
            found = _known(collector, capture, claims)
        finally:
            collector.kill()
    assert found["k8s.pod.name"] == "sender"
    assert found["k8s.pod.uid"] == pods["sender"]["metadata"]["uid"]
    assert found["k8s.namespace.name"] == "default"
    assert not {"k8s.deployment.name", "k8s.pod.ip"} & found.keys()


def _known(collector: Collector, capture, claims, timeout_s: float = 60) -> dict[str, object]:
    """The resource of a span as soon as the collector has learned of the pods."""
    deadline, count = time.monotonic() + timeout_s, 0
    while time.monotonic() < deadline:
        count += 1
        assert collector.send(otlp.traces([otlp.span(f"s{count}")], {**otlp.SERVICE, **claims})).ok
        capture.wait(lambda c: len(c.spans), count)
        found = capture.span(f"s{count}")["resource"]
        assert found.get("k8s.pod.name") != "victim"
        if "k8s.pod.name" in found:
            return found
        time.sleep(0.2)
    pytest.fail(f"no pod was found: {collector.log[-2000:]}")
