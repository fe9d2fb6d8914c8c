"""The store of releases on a real API server: two writers, a role that cannot change history, a new process."""

import threading

import pytest
from kubernetes import client
from support.control_plane import ControlPlane
from support.delivered import ENVIRONMENT, Desk, release, request

from delivery.environments.operations import Kill, Target
from delivery.releases import Dim
from delivery.store import Store, StoreError, Taken
from stacks.cluster.release_store import ConfigMapBlobs
from stacks.cluster.releases import VERBS
from stacks.cluster.rollout import connect

NAMESPACE = "agentobs-releases"


@pytest.fixture(scope="module")
def namespace(plane: ControlPlane) -> str:
    plane.make_namespace(NAMESPACE)
    return NAMESPACE


@pytest.fixture
def api(plane, namespace, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
    core = client.CoreV1Api(connect("test"))
    core.delete_collection_namespaced_config_map(namespace)
    return connect("test")


@pytest.fixture
def restricted(api, plane, namespace):
    """A client that may do what an operator of releases may, and nothing else."""
    rules = [client.V1PolicyRule(api_groups=[""], resources=["configmaps"], verbs=list(VERBS))]
    rbac, core = client.RbacAuthorizationV1Api(api), client.CoreV1Api(api)
    meta = client.V1ObjectMeta(name="operator")
    for make, body in (
        (core.create_namespaced_service_account, client.V1ServiceAccount(metadata=meta)),
        (rbac.create_namespaced_role, client.V1Role(metadata=meta, rules=rules)),
        (
            rbac.create_namespaced_role_binding,
            client.V1RoleBinding(
                metadata=meta,
                role_ref=client.V1RoleRef(api_group="rbac.authorization.k8s.io", kind="Role", name="operator"),
                subjects=[client.RbacV1Subject(kind="ServiceAccount", name="operator", namespace=namespace)],
            ),
        ),
    ):
        make(namespace, body)
    token = core.create_namespaced_service_account_token(
        "operator", namespace, client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[]))
    ).status.token
    settings = client.Configuration(host=plane.url)
    settings.ssl_ca_cert = str(plane.authority)
    settings.api_key = {"authorization": f"Bearer {token}"}
    yield client.ApiClient(settings)
    for remove in (
        core.delete_namespaced_service_account,
        rbac.delete_namespaced_role,
        rbac.delete_namespaced_role_binding,
    ):
        remove("operator", namespace)


def desk_of(api) -> Desk:
    desk = Desk.__new__(Desk)
    desk.store = Store(ConfigMapBlobs(api, NAMESPACE))
    return desk


def test_releases_and_rollback_work_there_as_in_files_and_a_new_process_goes_on(api):
    desk = desk_of(api)
    desk.promote(release())
    desk.promote(release(planner="13", search="4.0.0"))
    desk.roll_back(Dim.PROMPT, "12", agent="planner")
    again = desk_of(api)
    assert again.running.agents["planner"].prompt.version == "12"
    assert again.running.agents["planner"].tools["search"].version == "4.0.0"
    assert [revision.revision for revision in again.store.history(ENVIRONMENT)] == [3, 2, 1]
    assert sorted(again.store.releases()) == sorted([release().id, release(planner="13", search="4.0.0").id])
    assert again.store.environments() == [ENVIRONMENT]


def test_of_two_writers_one_is_first_and_both_operations_stand(api):
    desk_of(api).promote(release())
    go = threading.Barrier(8)

    def operate(number: int) -> None:
        desk = desk_of(connect("test"))
        go.wait()
        desk.do(Kill(request=request(id=f"op-{number}"), target=Target(agent=f"agent-{number}")))

    threads = [threading.Thread(target=operate, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    head = desk_of(api).head
    assert (head.revision, len(head.killed.agents)) == (9, 8)


def test_a_key_that_is_there_is_taken_whatever_the_bytes(api):
    blobs = ConfigMapBlobs(api, NAMESPACE)
    blobs.create("content/abc", b"1")
    with pytest.raises(Taken):
        blobs.create("content/abc", b"2")
    assert (blobs.read("content/abc"), blobs.read("content/abd")) == (b"1", None)


def test_the_role_is_enough_to_operate_and_not_to_change_history(restricted):
    desk = desk_of(restricted)
    desk.promote(release())
    core = client.CoreV1Api(restricted)
    name = f"environments.{ENVIRONMENT}.00000001"
    for attempt in (
        lambda: core.delete_namespaced_config_map(name, NAMESPACE),
        lambda: core.patch_namespaced_config_map(name, NAMESPACE, {"binaryData": {"blob": "AA=="}}),
        lambda: core.list_namespaced_secret(NAMESPACE),
    ):
        with pytest.raises(client.ApiException) as refused:
            attempt()
        assert refused.value.status == 403
    assert desk.head.stable.release == release().id


def test_not_even_an_administrator_changes_a_revision(api):
    desk_of(api).promote(release())
    core = client.CoreV1Api(api)
    with pytest.raises(client.ApiException) as refused:
        core.patch_namespaced_config_map(
            f"environments.{ENVIRONMENT}.00000001", NAMESPACE, {"binaryData": {"blob": "AA=="}}
        )
    assert refused.value.status == 422


def test_a_namespace_that_is_not_there_is_named_with_the_fix(api):
    blobs = ConfigMapBlobs(api, "nowhere-releases")
    with pytest.raises(StoreError, match=r"no namespace nowhere-releases; fix: agentobs pulumi"):
        blobs.create("content/abc", b"1")


def test_a_blob_that_no_configmap_holds_is_refused_before_it_is_sent(api):
    with pytest.raises(StoreError, match="700,001 bytes"):
        ConfigMapBlobs(api, NAMESPACE).create("content/abc", b"x" * 700_001)
