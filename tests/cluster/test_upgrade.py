"""From the program of an earlier commit to this one and back: data and secrets stay; what is replaced has a name."""

import subprocess
import sys
from pathlib import Path

import pytest

from stacks.environments import EnvName

BASE = "2736f29f3dc85a11ec1bcf3df6a4e98cd6dacb46"
"""The commit to come from and to go back to. A release moves it."""
ROOT = Path(__file__).resolve().parents[2]
_KINDS = (
    "v1/persistentvolumeclaims",
    "v1/secrets",
    "v1/services",
    "v1/serviceaccounts",
    "v1/configmaps",
    "apps/v1/statefulsets",
    "apps/v1/deployments",
    "networking.k8s.io/v1/networkpolicies",
    "rbac.authorization.k8s.io/v1/roles",
)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory) -> Path:
    """The tree of the base, as a plain clone has it."""
    tree = tmp_path_factory.mktemp("earlier")
    packed = subprocess.run(["git", "archive", BASE], cwd=ROOT, capture_output=True, check=False)
    assert packed.returncode == 0, (
        f"the commit {BASE} is not in this clone, which is shallow or of another project. Fix: git fetch --unshallow"
    )
    subprocess.run(["tar", "-x", "-C", str(tree)], input=packed.stdout, check=True)
    (tree / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return tree


@pytest.fixture(scope="module")
def running(make_stack, earlier):
    stack = make_stack(EnvName.DEV, langfuse="off")
    stack.tree = earlier
    stack.up()
    yield stack
    stack.force_down()


def _objects(running) -> dict[tuple[str, str], dict[str, object]]:
    return {
        (kind.rpartition("/")[2], each["metadata"]["name"]): each
        for kind in _KINDS
        for each in running.objects(kind)
        if each["metadata"]["name"] != "kube-root-ca.crt"
    }


def _replaced(before, after) -> set[tuple[str, str]]:
    """What is not the same object any more; the digest in a name left out."""
    uids = [{key: each["metadata"]["uid"] for key, each in objects.items()} for objects in (before, after)]
    gone = {key for key in uids[0] if uids[1].get(key) != uids[0][key]}
    return {(kind, name.rpartition("-")[0] if kind == "configmaps" else name) for kind, name in gone}


def _moved(running, tree: Path) -> tuple[dict[tuple[str, str], dict[str, object]], set[tuple[str, str]]]:
    """Bring the stack up with the program of another tree; returns the objects and what was replaced."""
    before = _objects(running)
    running.tree = tree
    running.up()
    after = _objects(running)
    claims = [key for key in before if key[0] == "persistentvolumeclaims"]
    assert claims
    for key in claims:
        assert after[key]["metadata"]["uid"] == before[key]["metadata"]["uid"]
        assert after[key]["spec"]["volumeName"] == before[key]["spec"]["volumeName"]
    for key in before:
        if key[0] == "secrets":
            assert after[key]["data"] == before[key]["data"]
    return after, _replaced(before, after)


def test_an_upgrade_and_a_downgrade_replace_configurations_only(running, earlier):
    for tree in (ROOT, earlier):
        after, replaced = _moved(running, tree)
        assert {kind for kind, _ in replaced} <= {"configmaps"}, replaced
        ready = [
            (each["status"].get("readyReplicas"), each["spec"]["replicas"])
            for (kind, _), each in after.items()
            if kind in {"statefulsets", "deployments"}
        ]
        assert ready
        assert all(have == want for have, want in ready)
