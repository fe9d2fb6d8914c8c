"""kube-linter and polaris: each rule holds on the manifests of every environment, or is accepted with a reason."""

import copy

import pytest
from support.clusters import ON_KUBERNETES, PERMISSIVE, planned
from support.foreign_rules import LEFT_OUT, RULES

from stacks.environments import EnvName
from stacks.generated import ROOT

_STATEFUL = (
    *("collector", "prometheus", "alertmanager", "loki", "tempo", "victorialogs", "jaeger", "grafana"),
    *("postgres", "clickhouse", "valkey", "objects"),
)
_ALONE = {
    *(f"StatefulSet/{name}" for name in _STATEFUL),
    *(f"Deployment/{name}" for name in ("kube-state-metrics", "langfuse-web", "langfuse-worker")),
}
_PAIRS = {"Deployment/collector", "Deployment/grafana", "Deployment/langfuse-web", "Deployment/langfuse-worker"}
_ONE_OF_TWO = "dev, and what shares no storage, runs once; a budget or a spread of one would only block a node's drain"
ACCEPTED = {
    "env-var-secret": ("the value is the path of a file, or the name of a user", {"*/grafana", "*/postgres"}),
    "read-secret-from-env-var": (
        "Langfuse reads secrets from nowhere else, the others put them into their configuration",
        {"*/clickhouse", "*/objects", "*/loki", "*/tempo", "*/langfuse-web", "*/langfuse-worker"},
    ),
    "minimum-three-replicas": ("two are enough in staging, one in dev", {*_ALONE, *_PAIRS}),
    "hpa-minimum-three-replicas": ("two are enough in staging", {"*/collector", "*/langfuse-web", "*/langfuse-worker"}),
    "deploymentMissingReplicas": (_ONE_OF_TWO, _ALONE),
    "missingPodDisruptionBudget": (_ONE_OF_TWO, _ALONE),
    "topologySpreadConstraint": (_ONE_OF_TWO, _ALONE),
}
"""A rule's name -> why it is accepted, and for which objects. Everything else must hold."""
MADE = [*((name, {}) for name in ON_KUBERNETES), *PERMISSIVE.items()]


@pytest.fixture(scope="module")
def plans():
    return [planned(name, **changed).manifests for name, changed in MADE]


@pytest.mark.parametrize("names", RULES, ids=lambda names: names[0] or names[1])
def test_a_rule_holds_or_is_accepted_with_a_reason(plans, names):
    name = names[0] or names[1]
    found = {broken for manifests in plans for broken in RULES[names](manifests)}
    allowed = ACCEPTED.get(name, ("", set()))[1]
    assert {each for each in found if not {each, f"*/{each.partition('/')[2]}"} & allowed} == set()


def test_what_is_accepted_is_still_needed(plans):
    for names, rule in RULES.items():
        if (name := names[0] or names[1]) in ACCEPTED:
            assert [broken for manifests in plans for broken in rule(manifests)], name


def test_every_rule_is_named_on_the_page_and_no_other():
    page = (ROOT / "stacks" / "docs" / "scanners.md").read_text("utf-8")
    for name in [part for names in RULES for part in names if part] + [*LEFT_OUT]:
        assert all(f"`{each}`" in page for each in name.split(", ")), name


# Kind, path of a value in its first object, another value, the rule that says so.
BROKEN = [
    ("Deployment", "spec.template.spec.hostNetwork", True, "host-ipc, host-network, host-pid"),
    ("Deployment", "spec.template.spec.serviceAccountName", "nobody", "non-existent-service-account"),
    ("Deployment", "spec.template.spec.containers.0.livenessProbe", {"tcpSocket": {"port": "x"}}, "liveness-port"),
    ("Deployment", "spec.template.spec.containers.0.env", [{"name": "A_SECRET", "value": "x"}], "env-var-secret"),
    ("Deployment", "spec.selector.matchLabels", {"a": "b"}, "mismatching-selector"),
    ("Service", "spec.selector", {"a": "b"}, "dangling-service"),
    ("Service", "spec.type", "NodePort", "exposed-services"),
    ("NetworkPolicy", "spec.podSelector", {"matchLabels": {"a": "b"}}, "dangling-networkpolicy"),
    ("PodDisruptionBudget", "spec.maxUnavailable", 0, "pdb-max-unavailable"),
    ("HorizontalPodAutoscaler", "spec.scaleTargetRef.name", "nobody", "dangling-horizontalpodautoscaler"),
    ("Ingress", "spec.rules.0.http.paths.0.backend.service.name", "nobody", "dangling-ingress"),
    ("Ingress", "spec.tls", [], "tlsSettingsMissing"),
    ("ClusterRole", "rules.0.resources", ["secrets"], "access-to-secrets"),
    ("ClusterRoleBinding", "roleRef.name", "cluster-admin", "cluster-admin-role-binding"),
]


@pytest.mark.parametrize(("kind", "path", "value", "name"), BROKEN)
def test_a_rule_sees_what_breaks_it(kind, path, value, name):
    manifests = copy.deepcopy([*planned(EnvName.PROD).manifests])
    target = next(each for each in manifests if each["kind"] == kind)
    (rule,) = (rule for names, rule in RULES.items() if name in names)
    whom = f"{kind}/{target['metadata']['name']}"
    assert whom not in set(rule(manifests))
    *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
    place = target
    for step in way:
        place = place[step]
    place[last] = value
    assert whom in set(rule(manifests))
