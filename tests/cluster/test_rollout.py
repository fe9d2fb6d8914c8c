"""Waiting for a rollout, and the doctor's look at a cluster, on the real API server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.clusters import SETTINGS
from support.control_plane import BROKEN, ControlPlane

from collector.document import to_yaml
from stacks.cluster import rollout
from stacks.environments import EnvName

_ELSEWHERE = {
    "prometheus": "external",
    "prometheusUrl": "http://prometheus-k8s.monitoring.svc:9090",
    "prometheusNamespace": "monitoring",
}
_SETS = "/apis/apps/v1/namespaces/rollouts/statefulsets"


@pytest.fixture
def watched(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
    plane.api("POST", "/api/v1/namespaces", {"metadata": {"name": "rollouts"}})
    yield plane
    plane.api("DELETE", "/api/v1/namespaces/rollouts")
    plane.await_gone("rollouts")


def _stateful_set(image: str) -> dict[str, object]:
    labels = {"app": "sample"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "sample", "image": image}]}}
    spec = {"serviceName": "sample", "replicas": 2, "selector": {"matchLabels": labels}, "template": pod}
    return {"metadata": {"name": "sample"}, "spec": spec}


def test_a_rollout_is_waited_for_and_a_failing_update_is_said(watched):
    watched.api("POST", _SETS, _stateful_set("good.example/sample"))
    rollout.wait("test", "rollouts", 30)
    (sample,) = watched.listed(_SETS)
    assert sample["status"]["readyReplicas"] == 2

    broken = {"spec": {"template": {"spec": {"containers": [{"name": "sample", "image": f"{BROKEN}/sample"}]}}}}
    watched.api("PATCH", f"{_SETS}/sample", broken)
    with pytest.raises(rollout.RolloutError) as late:
        rollout.wait("test", "rollouts", 6)
    assert "not rolled out after 6 s: StatefulSet sample" in str(late.value)
    assert "ImagePullBackOff" in str(late.value)
    assert "kubectl --context test -n rollouts get pods" in str(late.value)


def _doctor(plane: ControlPlane, folder: Path, name: EnvName, **changed: str) -> subprocess.CompletedProcess[str]:
    values = {**SETTINGS[name], **{f"agentobs:{key}": value for key, value in changed.items()}}
    config = {
        key: {"secure": "v1:encrypted"} if value.startswith("sentinel-") else value for key, value in values.items()
    }
    file = folder / f"Pulumi.{name}.yaml"
    file.write_text(to_yaml({"config": config}))
    command = [str(Path(sys.executable).parent / "agentobs"), "doctor", "-s", str(name), "--settings", str(file)]
    environment = {**os.environ, "KUBECONFIG": str(plane.kubeconfig)}
    return subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, check=False)


def test_the_doctor_finds_nothing_wrong_where_dev_can_go_up(plane, tmp_path):
    done = _doctor(plane, tmp_path, EnvName.DEV)
    found = json.loads(done.stdout)
    assert [each for each in found if not each["good"]] == []
    assert done.returncode == 0
    assert any("cpu: " in each["what"] and "on 3 nodes" in each["what"] for each in found)
    assert any(each["what"] == "storage class standard, the default" for each in found)


def test_the_doctor_sees_a_service_whose_pods_listen_on_another_port(plane, tmp_path):
    plane.api("POST", "/api/v1/namespaces", {"metadata": {"name": "measured"}})
    service = {"metadata": {"name": "metrics"}, "spec": {"ports": [{"port": 80, "targetPort": 9090}]}}
    plane.api("POST", "/api/v1/namespaces/measured/services", service)
    settings = {
        "prometheus": "external",
        "prometheusUrl": "http://metrics.measured.svc",
        "prometheusNamespace": "measured",
    }
    said, fix = "metrics.measured:80 leads to port 9090", 'agentobs:servicePodPorts["metrics.measured:80"]\' 9090'
    bad = [each for each in json.loads(_doctor(plane, tmp_path, EnvName.DEV, **settings).stdout) if not each["good"]]
    assert [said in each["what"] and fix in each["fix"] for each in bad] == [True]
    settings["servicePodPorts"] = '{"metrics.measured:80": 9090}'
    assert _doctor(plane, tmp_path, EnvName.DEV, **settings).returncode == 0


@pytest.mark.parametrize(
    "case",
    [
        (EnvName.DEV, {"storageClass": "fast"}, "storage class fast", "one of standard"),
        (EnvName.DEV, {"context": "elsewhere"}, "the cluster of context elsewhere", "kubectl config get-contexts"),
        (EnvName.DEV, {"pullSecret": "hub"}, "secret hub in agentobs is missing", "create it in namespace agentobs"),
        (EnvName.PROD, {}, "secret collector-tls in agentobs is missing", "cert-manager"),
        (EnvName.DEV, {"snapshotClass": "fast"}, "snapshot class fast is missing", "agentobs:snapshotClass"),
        (EnvName.DEV, _ELSEWHERE, "service prometheus-k8s in monitoring is missing", "agentobs:prometheusUrl"),
        (EnvName.DEV, _ELSEWHERE, "namespace monitoring is missing", "agentobs:prometheusNamespace"),
    ],
)
def test_the_doctor_names_what_is_missing_in_the_cluster(plane, tmp_path, case):
    name, changed, said, fix = case
    done = _doctor(plane, tmp_path, name, **changed)
    bad = [each for each in json.loads(done.stdout) if not each["good"]]
    assert done.returncode == 1
    assert any(said in each["what"] and fix in each["fix"] for each in bad), bad
