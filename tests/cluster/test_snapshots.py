"""Snapshots of all volumes and the way back, on the real API server; a small controller plays the storage driver."""

import threading
import time

import pytest
import requests
from support.control_plane import ControlPlane

from stacks.cluster import rollout
from stacks.cluster.snapshots import GROUP, SnapshotError, Snapshots

NAMESPACE = "snapshots"
_SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets"
_CLAIMS = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"
_SNAPSHOTS = f"/apis/{GROUP}/v1/namespaces/{NAMESPACE}/volumesnapshots"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_REFUSED = "refused"


def _definition() -> dict[str, object]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema, "subresources": {"status": {}}}
    names = {"plural": "volumesnapshots", "singular": "volumesnapshot", "kind": "VolumeSnapshot"}
    meta = {
        "name": f"volumesnapshots.{GROUP}",
        # The group is reserved: without the word of a reviewer the API server refuses it.
        "annotations": {
            "api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter/pull/419"
        },
    }
    return {"metadata": meta, "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]}}


def _driver(plane: ControlPlane, ending: threading.Event) -> None:
    """Every snapshot is whole at once, unless its class says otherwise."""
    while not ending.wait(0.2):
        try:
            for each in plane.listed(_SNAPSHOTS):
                refused = each["spec"].get("volumeSnapshotClassName") == _REFUSED
                status = {"error": {"message": "no such class"}} if refused else {"readyToUse": True}
                if each.get("status") != status:
                    plane.api("PATCH", f"{_SNAPSHOTS}/{each['metadata']['name']}/status", {"status": status})
        except (AssertionError, requests.RequestException):
            continue  # the definition is not there yet


@pytest.fixture(scope="module")
def watched(plane: ControlPlane):
    """A stateful workload of ours with two volumes, ready."""
    plane.make_namespace(NAMESPACE)
    labels = {"app.kubernetes.io/name": "store", "app.kubernetes.io/instance": "agentobs"}
    container = {
        "name": "store",
        "image": "good.example/store",
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    claim = {
        "metadata": {"name": "data", "labels": labels},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    spec = {
        "serviceName": "store",
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        "volumeClaimTemplates": [claim],
    }
    plane.api("POST", _SETS, {"metadata": {"name": "store", "labels": labels}, "spec": spec})
    ending = threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(plane.kubeconfig))
        rollout.wait("test", NAMESPACE, 30)
        yield plane, ending
    ending.set()


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture
def snapshots(watched, told) -> Snapshots:
    assert watched
    return Snapshots("test", NAMESPACE, 20, told.append)


def test_a_cluster_that_takes_no_snapshots_is_said(snapshots):
    with pytest.raises(SnapshotError, match=r"knows no VolumeSnapshot. Fix: install the snapshot controller"):
        snapshots.create("dev-0", None)


@pytest.fixture(scope="module")
def driven(watched):
    """The same with a driver that takes snapshots."""
    plane, ending = watched
    plane.api("POST", _CRDS, _definition())
    plane.await_true(lambda: _served(plane))
    threading.Thread(target=_driver, args=(plane, ending), daemon=True).start()
    return plane


def _served(plane: ControlPlane) -> bool:
    try:
        return plane.listed(_SNAPSHOTS) == []
    except AssertionError:
        return False


def test_every_volume_is_in_a_backup_and_it_is_listed(snapshots, driven, told):
    made = snapshots.create("dev-1", None)
    assert (made.name, made.volumes, made.ready) == ("dev-1", 2, 2)
    assert {each["spec"]["source"]["persistentVolumeClaimName"] for each in driven.listed(_SNAPSHOTS)} == {
        "data-store-0",
        "data-store-1",
    }
    assert [each.name for each in snapshots.backups()] == ["dev-1"]
    assert "2 volumes: data-store-0, data-store-1" in told


def test_a_driver_that_refuses_is_quoted(snapshots, driven):
    with pytest.raises(SnapshotError, match="the storage driver refused: dev-2-data-store-0: no such class"):
        snapshots.create("dev-2", _REFUSED)
    with pytest.raises(SnapshotError, match="dev-2 has volumes that are not whole: dev-2-data-store-0"):
        snapshots.restore("dev-2")
    assert _replicas(driven) == 2


def _replicas(plane: ControlPlane) -> int:
    return int(plane.api("GET", f"{_SETS}/store")["spec"]["replicas"])


def test_a_restore_replaces_every_volume_by_its_snapshot_and_all_runs_again(snapshots, driven):
    before = {each["metadata"]["name"]: each for each in driven.listed(_CLAIMS)}
    snapshots.restore("dev-1")
    rollout.wait("test", NAMESPACE, 30)
    after = {each["metadata"]["name"]: each for each in driven.listed(_CLAIMS)}
    assert before.keys() == after.keys()
    for name, claim in after.items():
        assert claim["metadata"]["uid"] != before[name]["metadata"]["uid"]
        assert claim["metadata"]["labels"] == before[name]["metadata"]["labels"]
        assert claim["spec"]["resources"] == before[name]["spec"]["resources"]
        assert claim["spec"]["storageClassName"] == before[name]["spec"]["storageClassName"]
        assert claim["spec"]["dataSource"] == {"apiGroup": GROUP, "kind": "VolumeSnapshot", "name": f"dev-1-{name}"}
    assert _replicas(driven) == 2


def test_a_restore_that_broke_off_is_finished_by_a_second_one(snapshots, driven):
    """It had scaled down: how many ran is at the object."""
    snapshots._stop({"store"})
    assert _replicas(driven) == 0
    snapshots.restore("dev-1")
    assert _replicas(driven) == 2
    rollout.wait("test", NAMESPACE, 30)
    assert "annotations" not in driven.api("GET", f"{_SETS}/store")["metadata"]


def test_a_backup_that_does_not_exist_is_said_with_those_that_do(snapshots, driven):
    began = time.monotonic()
    with pytest.raises(SnapshotError, match="the backup dev-9 does not exist; there are: dev-"):
        snapshots.restore("dev-9")
    assert time.monotonic() - began < 5
    assert _replicas(driven) == 2
