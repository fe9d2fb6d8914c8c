"""The policy: what breaks a rule is named with its object, and nothing is declared."""

import copy
import functools
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy
from support.clusters import SECRETS, SETTINGS, planned

from stacks.cluster import program
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.policy import pack, rules
from stacks.workspace import Workspace


@functools.cache
def _prod() -> tuple[dict[str, object], ...]:
    return planned(EnvName.PROD).manifests


def _broken(kind: str, path: str, value: object) -> list[dict[str, object]]:
    """Manifests of prod with one value of the first object of a kind changed; None takes it out."""
    index = next(index for index, each in enumerate(_prod()) if each["kind"] == kind)
    manifests = [*_prod()]
    place = manifests[index] = copy.deepcopy(manifests[index])
    *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return manifests


_POD = "spec.template.spec"
_FIRST = f"{_POD}.containers.0"


@pytest.mark.parametrize(
    ("rule", "kind", "path", "value", "said"),
    [
        ("images-pinned", "Deployment", f"{_FIRST}.image", "grafana/grafana:13", "give a digest: name:tag@sha256"),
        ("images-pinned", "Deployment", f"{_FIRST}.image", f"g/g:latest@sha256:{'0' * 64}", "a tag that says the"),
        ("resources-bounded", "StatefulSet", f"{_FIRST}.resources.limits", {"cpu": "1"}, "no limits for memory, eph"),
        ("pod-security-restricted", "StatefulSet", f"{_POD}.securityContext.runAsUser", 0, "may run as root"),
        ("pod-security-restricted", "StatefulSet", f"{_POD}.securityContext.seccompProfile", None, "set Runtime"),
        ("pod-security-restricted", "StatefulSet", f"{_POD}.hostNetwork", True, "has hostNetwork; leave it out"),
        ("pod-security-restricted", "StatefulSet", f"{_POD}.volumes.0", {"name": "h", "hostPath": {}}, "node shares"),
        ("pod-security-restricted", "Deployment", f"{_FIRST}.securityContext.privileged", True, "is privileged"),
        ("pod-security-restricted", "Deployment", f"{_FIRST}.securityContext.capabilities", {}, "drop ALL and add"),
        ("pod-security-restricted", "Deployment", f"{_FIRST}.ports.0.hostPort", 80, "takes a port of its node"),
        ("probes-differ", "Deployment", f"{_FIRST}.livenessProbe", None, "has no livenessProbe"),
        ("no-default-token", "ServiceAccount", "automountServiceAccountToken", None, "automountServiceAccountToken: f"),
        ("no-default-token", "Deployment", f"{_POD}.serviceAccountName", "default", "the shared account of the"),
        ("no-secret-in-plain", "Deployment", f"{_FIRST}.env.0", {"name": "DB_PASSWORD", "value": "x"}, "use secretKey"),
        ("no-secret-in-plain", "Deployment", f"{_FIRST}.args", ["--api-key=abc"], "argument --api-key of container"),
        ("nothing-offered-outside", "Service", "spec.type", "LoadBalancer", "use ClusterIP and the ingress"),
        ("least-rights", "ClusterRole", "rules.0.verbs", ["delete"], "it grants delete, which changes things"),
        ("least-rights", "ClusterRole", "rules.0.resources", ["*"], "it grants everything (*)"),
        ("least-rights", "Role", "rules.0.verbs", ["create"], "it grants create, which changes things"),
        ("namespace-restricted", "Namespace", "metadata.labels", {}, "it admits every pod; label it"),
        ("denied-by-default", "NetworkPolicy", "spec.egress", [{}], "no NetworkPolicy that denies everything"),
        ("survives-a-node", "StatefulSet", f"{_POD}.topologySpreadConstraints", None, "may all run on one node"),
        ("namespace-limited", "ResourceQuota", "kind", "ConfigMap", "namespace agentobs has no ResourceQuota"),
        ("survives-a-node", "PodDisruptionBudget", "spec.selector.matchLabels", {}, "and no PodDisruptionBudget"),
    ],
)
def test_what_breaks_a_rule_is_said_with_rule_object_and_fix(rule, kind, path, value, said):
    found = rules.violations(_broken(kind, path, value))
    assert len(found) == 1
    assert found[0].startswith(f"{rule}: ")
    assert said in found[0]


def test_every_rule_is_a_policy_with_a_sentence():
    served: list[list[object]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "PolicyPack", lambda *arguments: served.append([*arguments]))
        pack.run()
    [[name, policies, level]] = served
    assert (name, level) == ("agentobs", pack.EnforcementLevel.MANDATORY)
    assert {each.name: each.description for each in policies}.keys() == {*rules.RULES, *rules.STACK_RULES}
    assert all(each.description.endswith(".") for each in policies)


def test_what_a_preview_cannot_know_is_not_taken_for_absent():
    props = {"kind": "Deployment", "spec": {"image": UNKNOWN_STRING_VALUE, "ports": [1.0]}, "stringData": {"a": "b"}}
    seen = pack.manifest(unknown_checking_proxy(props))
    assert seen == {"kind": "Deployment", "spec": {"image": pack.UNKNOWN, "ports": [1.0]}}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_program_that_breaks_a_rule_declares_nothing(monkeypatch, name):
    made = planned(name)
    role = {"kind": "Role", "metadata": {"name": "all"}, "rules": [{"verbs": ["*"]}]}
    monkeypatch.setattr(program.plan, "make", lambda *_: replace(made, manifests=(*made.manifests, role)))
    monkeypatch.setattr(program.k8s, "Provider", lambda *_, **__: pytest.fail("something was declared"))
    with pytest.raises(rules.PolicyError) as refused:
        program.declare(ENVIRONMENTS[name], SETTINGS[name], SECRETS)
    assert "least-rights: Role all: it grants everything (*); name groups, resources and verbs" in str(refused.value)
    assert "nothing was changed" in str(refused.value)


@pytest.mark.parametrize("verb", ["up", "preview"])
@pytest.mark.parametrize("name", SETTINGS)
def test_the_command_adds_the_pack_to_what_deploys_to_a_cluster(name, verb):
    command = _command(name, verb, "--yes")
    pack_folder = command[command.index("--policy-pack") + 1]
    assert yaml.safe_load((Path(pack_folder) / "PulumiPolicy.yaml").read_text())["runtime"]["name"] == "python"


def test_the_command_adds_it_to_nothing_else():
    assert "--policy-pack" not in _command(EnvName.LOCAL, "up")
    assert "--policy-pack" not in _command(EnvName.PROD, "destroy")
    assert "--policy-pack" not in _command(EnvName.PROD)


def _command(name: EnvName, *arguments: str) -> list[str]:
    workspace = Workspace(name)
    vars(workspace)["_binary"] = Path("pulumi")  # found only where it was built
    return workspace.command(*arguments)
