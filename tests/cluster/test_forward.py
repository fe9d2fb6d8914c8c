"""Ways through the real API server into pods: kubelets forward to what really listens on loopback in their place."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from support.control_plane import BROKEN, ControlPlane

from collector.document import to_yaml
from stacks.cluster.forward import ForwardError, Target, forwarded

NAMESPACE = "forwards"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"


@pytest.fixture(scope="module")
def namespace(plane: ControlPlane):
    """A pod with a service, both with a name for the port; one that is not ready; one with nothing behind it."""
    plane.make_namespace(NAMESPACE)
    for name, image in (("store", "good.example/store"), ("broken", f"{BROKEN}/store")):
        ports = [{"name": "http", "containerPort": 9090}]
        container = {"name": name, "image": image, "ports": ports}
        pod = {"metadata": {"name": name, "labels": {"app": name}}, "spec": {"containers": [container]}}
        plane.api("POST", _PODS, pod)
    for name in ("store", "broken", "empty"):
        spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
        plane.api("POST", _SERVICES, {"metadata": {"name": name}, "spec": spec})
    plane.await_true(lambda: plane.api("GET", f"{_PODS}/store")["status"].get("phase") == "Running")
    return NAMESPACE


@pytest.fixture
def kubeconfig(plane, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
    return plane.kubeconfig


def _store(service: str = "store", port: int = 80) -> dict[str, Target]:
    return {"prometheus": Target(namespace=NAMESPACE, service=service, port=port)}


@pytest.mark.usefixtures("kubeconfig", "namespace")
def test_answers_come_through_whole_and_many_at_once(prometheus):
    path = "/api/v1/label/__name__/values"
    direct = requests.get(prometheus.url + path, timeout=10).json()["data"]
    assert len(direct) > 20
    with forwarded("test", _store()) as ways:
        url = f"http://{ways['prometheus']}"
        with ThreadPoolExecutor(8) as readers:
            answers = list(readers.map(lambda _: requests.get(url + path, timeout=30).json()["data"], range(16)))
        session = requests.Session()
        assert [session.get(f"{url}/-/ready", timeout=10).status_code for _ in range(3)] == [200] * 3
    assert answers == [direct] * 16
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/-/ready", timeout=5)


@pytest.mark.usefixtures("kubeconfig", "namespace")
@pytest.mark.parametrize(
    ("target", "said"),
    [
        (_store("absent"), "there is no service absent in namespace forwards of test. Fix: agentobs pulumi"),
        (_store("broken"), "no pod of service broken in namespace forwards of test is ready: broken is Pending"),
        (_store("empty"), "no pod of service empty in namespace forwards of test is ready: there is none. Look:"),
        (_store("store", 81), "service store in namespace forwards of test has no port 81 with pods behind it"),
    ],
)
def test_what_is_missing_is_said_with_the_fix(target, said):
    with pytest.raises(ForwardError) as refused, forwarded("test", target):
        pass
    assert said in str(refused.value)


@pytest.mark.usefixtures("kubeconfig")
def test_an_unknown_context_is_said():
    with (
        pytest.raises(ForwardError, match=r"no context elsewhere.*kubectl config get-contexts"),
        forwarded("elsewhere", {}),
    ):
        pass


def _kubeconfig_of(plane, tmp_path, token: str, server: str = "") -> Path:
    """Another person at the same cluster, or the same at another one."""
    document = json.loads(json.dumps(plane.kubeconfig_document))
    document["users"][0]["user"]["token"] = token
    document["clusters"][0]["cluster"]["server"] = server or plane.url
    path = tmp_path / "kubeconfig"
    path.write_text(to_yaml(document))
    return path


def test_a_person_without_the_right_and_one_who_is_unknown_are_told(plane, namespace, tmp_path, monkeypatch):
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    plane.api("POST", account, {"metadata": {"name": "reader"}})
    token = plane.api("POST", f"{account}/reader/token", {"spec": {}})["status"]["token"]
    monkeypatch.setenv("KUBECONFIG", str(_kubeconfig_of(plane, tmp_path, token)))
    with (
        pytest.raises(ForwardError, match="you may not get pods/portforward in namespace forwards"),
        forwarded("test", _store()),
    ):
        pass
    monkeypatch.setenv("KUBECONFIG", str(_kubeconfig_of(plane, tmp_path, "nobody")))
    with (
        pytest.raises(ForwardError, match=r"the cluster of context test does not know you. Fix: sign in"),
        forwarded("test", _store()),
    ):
        pass
    away = _kubeconfig_of(plane, tmp_path, token, server="https://127.0.0.1:9")
    monkeypatch.setenv("KUBECONFIG", str(away))
    with pytest.raises(ForwardError, match="the cluster of context test does not answer"), forwarded("test", _store()):
        pass


@pytest.mark.usefixtures("kubeconfig", "namespace")
def test_a_port_where_nothing_listens_is_said(plane):
    spec = {"selector": {"app": "store"}, "ports": [{"port": 3100}]}
    plane.api("POST", _SERVICES, {"metadata": {"name": "silent"}, "spec": spec})
    with (
        pytest.raises(
            ForwardError, match=r"API server of test broke: prometheus \(pod store\): .*port 3100 (to|ended)"
        ),
        forwarded("test", _store("silent", 3100)) as ways,
    ):
        requests.get(f"http://{ways['prometheus']}/", timeout=10)
