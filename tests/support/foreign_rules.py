"""The built-in rules of kube-linter and polaris, which cannot be installed as Go modules, said anew on plain manifests.

Each gives the names of objects that break it. Rules that both have stand once.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from stacks.policy.rules import containers, pod_spec

Manifest = Mapping[str, Any]
Rule = Callable[[Sequence[Manifest]], Iterator[str]]
_SECRET: Final = re.compile(r"(?i)secret|password|token|api_?key")
_CREDENTIAL: Final = re.compile(r"(?i)(.*[_.-])?(password|secret|token|access_?key|private_?key)")
_HOST: Final = ("hostIPC", "hostNetwork", "hostPID")


def _of(kind: str, manifests: Sequence[Manifest]) -> list[Manifest]:
    return [each for each in manifests if each["kind"] == kind]


def _runs(manifests: Sequence[Manifest]) -> list[Manifest]:
    return [each for each in manifests if pod_spec(each)]


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def _each_pod(broken: Callable[[Mapping[str, Any]], bool]) -> Rule:
    return lambda manifests: (_name(each) for each in _runs(manifests) if broken(pod_spec(each)))


def _each_container(broken: Callable[[Mapping[str, Any]], bool]) -> Rule:
    return lambda manifests: (_name(each) for each in _runs(manifests) if any(map(broken, containers(each))))


def _security(container: Mapping[str, Any]) -> Mapping[str, Any]:
    context: Mapping[str, Any] = container["securityContext"]
    return context


def _lacks(part: str, resource: str) -> Rule:
    return _each_container(lambda each: resource not in each["resources"].get(part, {}))


def _labels(manifest: Manifest) -> dict[str, str]:
    labels: dict[str, str] = manifest["spec"]["template"]["metadata"]["labels"]
    return labels


def _selects(selector: Mapping[str, str], manifests: Sequence[Manifest]) -> bool:
    return any(selector.items() <= _labels(each).items() for each in _runs(manifests))


def _replicas(manifest: Manifest, manifests: Sequence[Manifest]) -> int:
    scaled = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"]["minReplicas"]
        for each in _of("HorizontalPodAutoscaler", manifests)
    }
    count: int = manifest["spec"].get("replicas") or scaled.get(manifest["metadata"]["name"], 1)
    return count


def _fewer(least: int, kind: str) -> Rule:
    return lambda manifests: (_name(e) for e in _of(kind, manifests) if _replicas(e, manifests) < least)


def dangling_service(manifests: Sequence[Manifest]) -> Iterator[str]:
    return (_name(each) for each in _of("Service", manifests) if not _selects(each["spec"]["selector"], manifests))


def dangling_policy(manifests: Sequence[Manifest]) -> Iterator[str]:
    for each in _of("NetworkPolicy", manifests):
        if not _selects(each["spec"]["podSelector"].get("matchLabels", {}), manifests):
            yield _name(each)


def dangling_peer(manifests: Sequence[Manifest]) -> Iterator[str]:
    for each in _of("NetworkPolicy", manifests):
        ways = [*each["spec"].get("ingress", ()), *each["spec"].get("egress", ())]
        for peer in (peer for way in ways for peer in (*way.get("from", ()), *way.get("to", ()))):
            if "podSelector" in peer and "namespaceSelector" not in peer:
                yield from () if _selects(peer["podSelector"]["matchLabels"], manifests) else (_name(each),)


def dangling_autoscaler(manifests: Sequence[Manifest]) -> Iterator[str]:
    known = {(each["kind"], each["metadata"]["name"]) for each in _runs(manifests)}
    for each in _of("HorizontalPodAutoscaler", manifests):
        target = each["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) not in known:
            yield _name(each)


def dangling_ingress(manifests: Sequence[Manifest]) -> Iterator[str]:
    known = {(s["metadata"]["name"], port["name"]) for s in _of("Service", manifests) for port in s["spec"]["ports"]}
    for each in _of("Ingress", manifests):
        backends = [path["backend"]["service"] for rule in each["spec"]["rules"] for path in rule["http"]["paths"]]
        if any((backend["name"], backend["port"]["name"]) not in known for backend in backends):
            yield _name(each)


def without_tls(manifests: Sequence[Manifest]) -> Iterator[str]:
    for each in _of("Ingress", manifests):
        covered = {host for entry in each["spec"].get("tls", ()) for host in entry["hosts"]}
        if {rule["host"] for rule in each["spec"]["rules"]} - covered:
            yield _name(each)


def unknown_account(manifests: Sequence[Manifest]) -> Iterator[str]:
    known = {each["metadata"]["name"] for each in _of("ServiceAccount", manifests)}
    return (_name(each) for each in _runs(manifests) if pod_spec(each)["serviceAccountName"] not in known)


def mismatching_selector(manifests: Sequence[Manifest]) -> Iterator[str]:
    for each in _runs(manifests):
        if not each["spec"]["selector"]["matchLabels"].items() <= _labels(each).items():
            yield _name(each)


def isolated(manifests: Sequence[Manifest]) -> Iterator[str]:
    chosen = [each["spec"]["podSelector"].get("matchLabels", {}) for each in _of("NetworkPolicy", manifests)]
    for each in _runs(manifests):
        if not any(selector and selector.items() <= _labels(each).items() for selector in chosen):
            yield _name(each)


def unspread(manifests: Sequence[Manifest]) -> Iterator[str]:
    several = [each for each in _runs(manifests) if _replicas(each, manifests) > 1]
    return (_name(e) for e in several if not pod_spec(e).get("affinity", {}).get("podAntiAffinity"))


def probe_ports(probe: str) -> Rule:
    def broken(container: Mapping[str, Any]) -> bool:
        asked = [container[probe][kind]["port"] for kind in ("httpGet", "tcpSocket") if kind in container[probe]]
        return not set(asked) <= {port["name"] for port in container["ports"]}

    return _each_container(broken)


def granting(resources: set[str], verbs: set[str]) -> Rule:
    def found(manifests: Sequence[Manifest]) -> Iterator[str]:
        for each in (*_of("Role", manifests), *_of("ClusterRole", manifests)):
            for rule in each["rules"]:
                if resources & {*rule["resources"]} and verbs & {*rule["verbs"]}:
                    yield _name(each)

    return found


def wildcards(manifests: Sequence[Manifest]) -> Iterator[str]:
    for each in (*_of("Role", manifests), *_of("ClusterRole", manifests)):
        if any("*" in (*rule["resources"], *rule["verbs"], *rule["apiGroups"]) for rule in each["rules"]):
            yield _name(each)


def admin(manifests: Sequence[Manifest]) -> Iterator[str]:
    bindings = (*_of("RoleBinding", manifests), *_of("ClusterRoleBinding", manifests))
    return (_name(each) for each in bindings if each["roleRef"]["name"] in {"cluster-admin", "admin", "edit"})


def no_budget(manifests: Sequence[Manifest]) -> Iterator[str]:
    chosen = [each["spec"]["selector"]["matchLabels"] for each in _of("PodDisruptionBudget", manifests)]
    return (_name(e) for e in _runs(manifests) if e["spec"]["selector"]["matchLabels"] not in chosen)


def _each_of(kind: str, broken: Callable[[Mapping[str, Any]], bool]) -> Rule:
    return lambda manifests: (_name(each) for each in _of(kind, manifests) if broken(each["spec"]))


def credential_keys(manifests: Sequence[Manifest]) -> Iterator[str]:
    return (_name(e) for e in _of("ConfigMap", manifests) if any(map(_CREDENTIAL.fullmatch, e["data"])))


def _plain_secret(container: Mapping[str, Any]) -> bool:
    return any(_SECRET.search(each["name"]) and each.get("value") for each in container["env"])


def _from_secret(container: Mapping[str, Any]) -> bool:
    return any("secretKeyRef" in each.get("valueFrom", {}) for each in container["env"])


def _tagless(container: Mapping[str, Any]) -> bool:
    name = container["image"].partition("@")[0]
    return ":" not in name.rpartition("/")[2] or name.endswith(":latest")


def _twice(container: Mapping[str, Any]) -> bool:
    named = [each["name"] for each in container["env"]]
    return len(named) != len(set(named))


def _host_volumes(spec: Mapping[str, Any]) -> bool:
    return any("hostPath" in volume for volume in spec["volumes"])


def _hardened(spec: Mapping[str, Any]) -> bool:
    return spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"


_PODS: Final = {"pods", "deployments", "statefulsets", "replicasets", "cronjobs", "jobs", "daemonsets"}

RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("access-to-create-pods", ""): granting(_PODS, {"create"}),
    ("access-to-secrets", ""): granting({"secrets"}, {"get", "list", "delete", "create", "watch", "*"}),
    ("", "rolePodExecAttach, clusterrolePodExecAttach"): granting({"pods/exec", "pods/attach"}, {"get", "create", "*"}),
    ("cluster-admin-role-binding", "*ClusterAdmin*, *bindingPodExecAttach"): admin,
    ("wildcard-in-rules", ""): wildcards,
    ("dangling-horizontalpodautoscaler", ""): dangling_autoscaler,
    ("dangling-ingress", ""): dangling_ingress,
    ("", "tlsSettingsMissing"): without_tls,
    ("dangling-networkpolicy", ""): dangling_policy,
    ("dangling-networkpolicypeer-podselector", ""): dangling_peer,
    ("dangling-service", ""): dangling_service,
    ("default-service-account", ""): _each_pod(lambda spec: spec.get("serviceAccountName", "default") == "default"),
    ("deprecated-service-account-field", ""): _each_pod(lambda spec: "serviceAccount" in spec),
    ("non-existent-service-account", ""): unknown_account,
    ("", "automountServiceAccountToken"): _each_pod(lambda spec: spec["automountServiceAccountToken"] is not False),
    ("docker-sock, sensitive-host-mounts, writable-host-mount", "hostPathSet"): _each_pod(_host_volumes),
    ("drop-net-raw-capability", "dangerousCapabilities, insecureCapabilities"): _each_container(
        lambda each: _security(each)["capabilities"] != {"drop": ["ALL"]}
    ),
    ("", "linuxHardening"): _each_pod(lambda spec: not _hardened(spec)),
    ("duplicate-env-var", ""): _each_container(_twice),
    ("env-var-secret", "sensitiveContainerEnvVar"): _each_container(_plain_secret),
    ("read-secret-from-env-var", ""): _each_container(_from_secret),
    ("", "sensitiveConfigmapContent"): credential_keys,
    ("exposed-services", ""): _each_of("Service", lambda spec: spec.get("type", "ClusterIP") != "ClusterIP"),
    ("host-ipc, host-network, host-pid", "hostIPCSet, hostNetworkSet, hostPIDSet"): _each_pod(
        lambda spec: any(spec.get(key) for key in _HOST)
    ),
    ("", "hostPortSet"): _each_container(lambda each: any("hostPort" in port for port in each["ports"])),
    ("", "hostProcess"): _each_pod(lambda spec: "windowsOptions" in spec["securityContext"]),
    ("invalid-target-ports", ""): _each_of(
        "Service", lambda spec: any(not re.fullmatch(r"[a-z0-9-]{1,15}", port["targetPort"]) for port in spec["ports"])
    ),
    ("latest-tag", "tagNotSpecified"): _each_container(_tagless),
    ("", "pullPolicyNotAlways"): _each_container(lambda each: each["imagePullPolicy"] != "Always"),
    ("liveness-port", ""): probe_ports("livenessProbe"),
    ("readiness-port", ""): probe_ports("readinessProbe"),
    ("startup-port", ""): probe_ports("startupProbe"),
    ("no-liveness-probe", "livenessProbeMissing"): _each_container(lambda each: "livenessProbe" not in each),
    ("no-readiness-probe", "readinessProbeMissing"): _each_container(lambda each: "readinessProbe" not in each),
    ("mismatching-selector", ""): mismatching_selector,
    ("no-anti-affinity", ""): unspread,
    ("no-extensions-v1beta", ""): lambda manifests: (
        _name(e) for e in manifests if e["apiVersion"].startswith("extensions/")
    ),
    ("no-read-only-root-fs", "notReadOnlyRootFilesystem"): _each_container(
        lambda each: _security(each)["readOnlyRootFilesystem"] is not True
    ),
    ("no-rolling-update-strategy", ""): _each_of(
        "Deployment", lambda spec: spec["strategy"]["type"] != "RollingUpdate"
    ),
    ("non-isolated-pod", "missingNetworkPolicy"): isolated,
    ("pdb-max-unavailable", "pdbDisruptionsIsZero"): _each_of(
        "PodDisruptionBudget", lambda spec: spec["maxUnavailable"] < 1
    ),
    ("pdb-min-available", "pdbMinAvailableGreaterThanHPAMinReplicas"): _each_of(
        "PodDisruptionBudget", lambda spec: "minAvailable" in spec
    ),
    ("pdb-unhealthy-pod-eviction-policy", ""): _each_of(
        "PodDisruptionBudget", lambda spec: spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow"
    ),
    ("", "missingPodDisruptionBudget"): no_budget,
    ("privilege-escalation-container", "privilegeEscalationAllowed"): _each_container(
        lambda each: _security(each)["allowPrivilegeEscalation"] is not False
    ),
    ("privileged-container, scc-deny-privileged-container", "runAsPrivileged"): _each_container(
        lambda each: _security(each)["privileged"] is not False
    ),
    ("privileged-ports, ssh-port", ""): _each_container(lambda e: any(p["containerPort"] <= 1024 for p in e["ports"])),
    ("run-as-non-root", "runAsRootAllowed"): _each_pod(
        lambda spec: not (spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"])
    ),
    ("unsafe-proc-mount", "procMount"): _each_container(lambda each: "procMount" in _security(each)),
    ("unsafe-sysctls", ""): _each_pod(lambda spec: "sysctls" in spec["securityContext"]),
    ("unset-cpu-requirements", "cpuRequestsMissing"): _lacks("requests", "cpu"),
    ("", "cpuLimitsMissing"): _lacks("limits", "cpu"),
    ("unset-memory-requirements", "memoryLimitsMissing"): _lacks("limits", "memory"),
    ("", "memoryRequestsMissing"): _lacks("requests", "memory"),
    ("use-namespace", ""): lambda manifests: (
        _name(e) for e in manifests if e["metadata"].get("namespace", "agentobs") == "default"
    ),
    ("minimum-three-replicas", ""): _fewer(3, "Deployment"),
    ("", "deploymentMissingReplicas"): _fewer(2, "Deployment"),
    ("hpa-minimum-three-replicas", ""): _each_of("HorizontalPodAutoscaler", lambda spec: spec["minReplicas"] < 3),
    ("", "hpaMinAvailability"): _each_of("HorizontalPodAutoscaler", lambda spec: spec["minReplicas"] < 2),
    ("", "hpaMaxAvailability"): _each_of(
        "HorizontalPodAutoscaler", lambda spec: spec["maxReplicas"] <= spec["minReplicas"]
    ),
    ("", "topologySpreadConstraint"): _each_pod(lambda spec: "topologySpreadConstraints" not in spec),
}
"""Names at kube-linter and at polaris -> the rule."""

LEFT_OUT: Final[Mapping[str, str]] = {
    "dangling-servicemonitor": "there are none: Prometheus finds pods itself",
    "dnsconfig-options": "a matter of the cluster's resolver; our names are short and found at the first try",
    "no-node-affinity": "which nodes there are is the cluster's business",
    "required-annotation-email": "a convention of a company; an operator adds it with a policy of the cluster",
    "required-label-owner": "a convention of a company; an operator adds it with a policy of the cluster",
    "priorityClassNotSet": "a priority says what to end for it, which only the cluster's owner can weigh",
    "metadataAndInstanceMismatched": "the instance is the platform, of which each workload is a part",
}
"""Rules of either that are not applied -> why."""
