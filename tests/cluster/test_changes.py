"""What happens to a running dev: an earlier program and this one again, a changed setting, a failing rollout, drift.

One dev for all, as it takes longer to bring one up than to change it. The tests stand in an order: the first finds it
as this program makes it, and each leaves it ready.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.cluster_stack import ROOT

from stacks.environments import EnvName

BASE = "2736f29f3dc85a11ec1bcf3df6a4e98cd6dacb46"
"""The commit to go back to and to come from. A release moves it."""
_ADDED = {("secrets", "prometheus-secrets")}
"""What the base has not. A release empties it."""
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

_TOLD = {
    "agentobs:tickets": "slack",
    "agentobs:slackChannel": "#alerts",
    "agentobs:domain": "agents.example.com",
    "agentobs:oidcClientId": "grafana",
    "agentobs:oidcAuthUrl": "https://id.example.com/authorize",
    "agentobs:oidcTokenUrl": "https://id.example.com/token",
    "agentobs:oidcApiUrl": "https://id.example.com/userinfo",
    "agentobs:oidcRolePath": "email && 'Viewer'",
}
_APPS = "/apis/apps/v1/namespaces/agentobs"


@pytest.fixture(scope="module")
def running(make_stack):
    stack = make_stack(EnvName.DEV, langfuse="off")
    stack.checkpoints = True  # once as it is for everybody
    stack.up()
    stack.checkpoints = False
    yield stack
    stack.force_down()


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
    try:
        running.up()
    finally:
        running.tree = ROOT  # also where it fails, for the tests that follow
    after = _objects(running)
    claims = [key for key in before if key[0] == "persistentvolumeclaims"]
    assert claims
    for key in claims:
        assert after[key]["metadata"]["uid"] == before[key]["metadata"]["uid"]
        assert after[key]["spec"]["volumeName"] == before[key]["spec"]["volumeName"]
    for key in before:
        if key[0] == "secrets" and key not in _ADDED:
            kept = before[key]["data"].keys() & after[key]["data"].keys()
            assert kept
            assert {name: after[key]["data"][name] for name in kept} == {
                name: before[key]["data"][name] for name in kept
            }
    return after, _replaced(before, after)


def test_a_downgrade_and_an_upgrade_replace_configurations_only(running, earlier):
    """Data and secrets stay; what is replaced has a name. First, as later settings are unknown to the earlier one."""
    for tree in (earlier, ROOT):
        after, replaced = _moved(running, tree)
        assert {kind for kind, _ in replaced - _ADDED} <= {"configmaps"}, replaced
        ready = [
            (each["status"].get("readyReplicas"), each["spec"]["replicas"])
            for (kind, _), each in after.items()
            if kind in {"statefulsets", "deployments"}
        ]
        assert ready
        assert all(have == want for have, want in ready)


def _versions(running) -> dict[tuple[str, str], str]:
    """Generation of what runs pods, and versions of configurations and services."""
    found = {}
    for kind in ("apps/v1/statefulsets", "apps/v1/deployments"):
        for each in running.objects(kind):
            found[kind, each["metadata"]["name"]] = str(each["metadata"]["generation"])
    for kind in ("v1/configmaps", "v1/services", "v1/secrets"):
        for each in running.objects(kind):
            found[kind, each["metadata"]["name"]] = each["metadata"]["resourceVersion"]
    return found


def _changed(before, after) -> set[tuple[str, str]]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def test_a_changed_retention_rolls_one_workload(running):
    before = _versions(running)
    running.set("tracesRetention", "5d")
    running.up()
    changed = _changed(before, _versions(running))
    assert {kind for kind, _ in changed} == {"v1/configmaps", "apps/v1/statefulsets"}
    assert {name.partition("-")[0] for _, name in changed} == {"tempo"}
    assert len([name for kind, name in changed if kind == "v1/configmaps"]) == 2  # the old one is gone


def test_changed_links_reach_rules_and_boards_without_a_restart(running):
    before = _versions(running)
    running.set("runbooksUrl", "https://runbooks.example.com")
    running.up()
    changed = _changed(before, _versions(running))
    assert {kind for kind, _ in changed} == {"v1/configmaps"}
    assert ("v1/configmaps", "prometheus-rules") in changed


def test_a_new_secret_means_new_pods_where_it_counts_only_at_a_start(running):
    pairs = ["=".join(pair) for pair in _TOLD.items()]
    running.pulumi("config", "set-all", *(word for pair in pairs for word in ("--plaintext", pair)))
    for key in ("oidcClientSecret", "slackWebhookUrl"):
        running.set(key, "https://first.example.com")
    running.up()
    before = _versions(running)
    for key in ("oidcClientSecret", "slackWebhookUrl"):
        running.set(key, "https://second.example.com")
    running.up()
    assert _changed(before, _versions(running)) == {
        ("v1/secrets", "grafana-secrets"),
        ("v1/secrets", "alertmanager-secrets"),
        ("apps/v1/statefulsets", "grafana"),
    }
    running.pulumi("config", "rm-all", "agentobs:tickets", "agentobs:slackChannel", "agentobs:slackWebhookUrl")


def test_a_rollout_that_fails_is_said_and_can_be_taken_back(running):
    running.set("registry", "broken.example")
    running.set("rolloutTimeout", "20s")
    said = running.up(ok=False)
    assert "kube-state-metrics" in said
    assert "failed to fully initialize" in said
    # One replica at a time: what is not replaced goes on.
    running.pulumi("config", "rm", "agentobs:registry")
    running.set("rolloutTimeout", "3m")
    running.up()
    pods = running.objects("v1/pods")
    assert pods
    assert all(container["ready"] for pod in pods for container in pod["status"]["containerStatuses"])
    assert "broken.example" not in json.dumps(pods)


def test_drift_is_seen_and_repaired(running, plane):
    plane.api("DELETE", "/api/v1/namespaces/agentobs/services/loki")
    plane.api("PATCH", f"{_APPS}/statefulsets/tempo", {"spec": {"replicas": 0}})
    seen = running.pulumi("preview", "--refresh", "--expect-no-changes", ok=False)
    assert seen.returncode != 0
    assert "service-loki" in seen.stdout
    assert "statefulset-tempo" in seen.stdout
    running.pulumi("up", "--yes", "--skip-preview", "--refresh")
    assert "loki" in {each["metadata"]["name"] for each in running.objects("v1/services")}
    (tempo,) = [each for each in running.objects("apps/v1/statefulsets") if each["metadata"]["name"] == "tempo"]
    assert tempo["status"]["readyReplicas"] == 1


def test_a_bad_setting_is_one_error_and_touches_nothing(running):
    before = _versions(running)
    running.set("tickets", "pigeon")
    said = running.up(ok=False)
    running.pulumi("config", "rm", "agentobs:tickets")
    assert "agentobs:tickets" in said
    assert "Traceback" not in said
    assert _changed(before, _versions(running)) == set()


_RENAMED = """
from pulumi import Alias

from stacks.cluster import provision

provision.FORMER = {
    "service-loki": (Alias(name="service-logs"),),
    "grafanaSecretKey": (Alias(name="grafanaKey"),),
}
"""


def test_what_is_renamed_with_an_alias_stays_what_it_is(running):
    before = _versions(running)
    exported = json.loads(running.pulumi("stack", "export").stdout)["deployment"]["resources"]
    urns = {each["urn"].rpartition("::")[2]: each["urn"] for each in exported}
    for now, former in (("service-loki", "service-logs"), ("grafanaSecretKey", "grafanaKey")):
        running.pulumi("state", "rename", urns[now], former, "--yes")
    running.programmed("renamed", _RENAMED)
    said = running.up()
    running.program = None
    assert _changed(before, _versions(running)) == set()
    assert " created" not in said.rsplit("Resources:", 1)[1]
    assert " deleted" not in said.rsplit("Resources:", 1)[1]
    assert "service-logs" not in running.pulumi("stack", "export").stdout
