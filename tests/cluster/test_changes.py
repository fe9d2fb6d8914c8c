"""What happens to a running dev: a changed setting, a rollout that fails, drift, and an `up` after it."""

import json

import pytest

from stacks.environments import EnvName

_TOLD = {
    "agentobs:tickets": "slack",
    "agentobs:slackChannel": "#alerts",
    "agentobs:domain": "agents.example.com",
    "agentobs:oidcClientId": "grafana",
    "agentobs:oidcAuthUrl": "https://id.example.com/authorize",
    "agentobs:oidcTokenUrl": "https://id.example.com/token",
    "agentobs:oidcApiUrl": "https://id.example.com/userinfo",
    "agentobs:oidcRolePath": "'Viewer'",
}
_APPS = "/apis/apps/v1/namespaces/agentobs"


@pytest.fixture(scope="module")
def running(make_stack):
    stack = make_stack(EnvName.DEV, langfuse="off")
    stack.up()
    yield stack
    stack.force_down()


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

from stacks.cluster import realise

realise.FORMER = {
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
