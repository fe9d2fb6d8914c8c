"""The rules. Each looks at plain manifests and says in one sentence what is wrong and what would be right.

Not here: schemas, which the API server and the tests check; style, which scanners check.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from agentobs.errors import AgentobsError
from stacks.cluster import releases

Manifest = Mapping[str, Any]


class PolicyError(AgentobsError):
    """Manifests that break a rule; the message has a line for each violation."""


_RUNS_PODS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job")
_VOLUMES: Final = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_RESOURCES: Final = ("cpu", "memory", "ephemeral-storage")
_LEVEL: Final = "pod-security.kubernetes.io/enforce"
_SECRET_WORDS: Final = ("password", "secret", "token", "api_key", "apikey", "private_key")
"""In the name of a variable or an argument; the address of a token endpoint is no token."""
_FILES: Final = ("/etc/", "$__file{/etc/")
"""What a value begins with that says where the secret is."""
_FEW: Final = 2


def pod_spec(manifest: Manifest) -> Mapping[str, Any]:
    """The pod of a workload; empty for other kinds."""
    if manifest["kind"] not in _RUNS_PODS:
        return {}
    spec: Mapping[str, Any] = manifest["spec"]["template"]["spec"]
    return spec


def containers(manifest: Manifest) -> list[Mapping[str, Any]]:
    """All containers, those that run first included."""
    spec = pod_spec(manifest)
    return [*spec.get("initContainers", ()), *spec.get("containers", ())]


def pinned(manifest: Manifest) -> Iterator[str]:
    """Images by tag and digest."""
    for each in containers(manifest):
        name, _, digest = each["image"].partition("@sha256:")
        if len(digest) != 64:  # noqa: PLR2004 hexadecimal digits of SHA-256
            yield f"container {each['name']} runs {each['image']}; give a digest: name:tag@sha256:..."
        if ":" not in name.rpartition("/")[2] or name.endswith(":latest"):
            yield f"container {each['name']} runs {each['image']}; give a tag that says the version"


def bounded(manifest: Manifest) -> Iterator[str]:
    """Requests and limits of everything that a node can run out of."""
    for each in containers(manifest):
        resources = each.get("resources", {})
        for part in ("requests", "limits"):
            absent = [name for name in _RESOURCES if name not in resources.get(part, {})]
            if absent:
                yield f"container {each['name']} has no {part} for {', '.join(absent)}"


def restricted(manifest: Manifest) -> Iterator[str]:
    """Pod Security `restricted`, and a root file system that nobody writes."""
    spec = pod_spec(manifest)
    if not spec:
        return
    context = spec.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        yield "the pod may run as root; set runAsNonRoot and a runAsUser above 0"
    if context.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "the pod has no seccomp profile; set RuntimeDefault"
    yield from (f"the pod has {key}; leave it out" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key))
    for volume in spec.get("volumes", ()):
        kind = next(key for key in volume if key != "name")
        if kind not in _VOLUMES:
            yield f"volume {volume['name']} is a {kind}, which a node shares; use a claim or an emptyDir"
    for each in containers(manifest):
        yield from _restricted(each)


def _restricted(container: Mapping[str, Any]) -> Iterator[str]:
    context = container.get("securityContext", {})
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}
    for key, value in wanted.items():
        if context.get(key) is not value:
            yield f"container {container['name']} has not {key}: {str(value).lower()}"
    if context.get("privileged"):
        yield f"container {container['name']} is privileged"
    if context.get("capabilities", {}).get("drop") != ["ALL"] or context.get("capabilities", {}).get("add"):
        yield f"container {container['name']} keeps capabilities; drop ALL and add none"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield f"container {container['name']} takes a port of its node"


def probed(manifest: Manifest) -> Iterator[str]:
    """Started, ready and alive are three questions: the same probe for the last two ends pods that are only busy."""
    if manifest["kind"] == "Job":
        return
    for each in pod_spec(manifest).get("containers", ()):
        absent = [key for key in ("startupProbe", "readinessProbe", "livenessProbe") if key not in each]
        if absent:
            yield f"container {each['name']} has no {', '.join(absent)}"
        elif each["readinessProbe"] == each["livenessProbe"]:
            yield f"container {each['name']} has the same probe for ready and alive"


def tokenless(manifest: Manifest) -> Iterator[str]:
    """No token of the API by default, and never the shared account."""
    spec = pod_spec(manifest)
    if manifest["kind"] == "ServiceAccount" and manifest.get("automountServiceAccountToken") is not False:
        yield "its token is mounted into every pod; set automountServiceAccountToken: false"
    if spec and spec.get("automountServiceAccountToken") is not False:
        yield "a token of the API is mounted; set automountServiceAccountToken: false and project one where needed"
    if spec and spec.get("serviceAccountName", "default") == "default":
        yield "it runs as the shared account of the namespace; give it a ServiceAccount of its own"


def secret_free(manifest: Manifest) -> Iterator[str]:
    """Secrets come from a `Secret`: not in a variable's value, in an argument or in a ConfigMap."""
    for each in containers(manifest):
        for variable in each.get("env", ()):
            name = variable["name"].lower().removesuffix("token_url")
            value = variable.get("value", "")
            if value and not value.startswith(_FILES) and any(word in name for word in _SECRET_WORDS):
                yield f"variable {variable['name']} of container {each['name']} holds its value; use secretKeyRef"
        for argument in each.get("args", ()):
            name, _, value = argument.partition("=")
            if value and any(word in name.lower().replace("-", "_") for word in _SECRET_WORDS) and "/" not in value:
                yield f"argument {name} of container {each['name']} holds a secret; use a file or a variable"


def inward(manifest: Manifest) -> Iterator[str]:
    """Nothing is offered to the outside but through the ingress."""
    kind = manifest["spec"].get("type", "ClusterIP") if manifest["kind"] == "Service" else "ClusterIP"
    if kind in {"LoadBalancer", "NodePort"}:
        yield f"it is a {kind}, which opens a port to the outside; use ClusterIP and the ingress"


def modest(manifest: Manifest) -> Iterator[str]:
    """Rights are named one by one; no workload reads secrets through the API."""
    for rule in manifest.get("rules", ()) if manifest["kind"] in {"Role", "ClusterRole"} else ():
        if "*" in (*rule.get("verbs", ()), *rule.get("resources", ()), *rule.get("apiGroups", ())):
            yield "it grants everything (*); name groups, resources and verbs"
        if "secrets" in rule.get("resources", ()):
            yield "it grants secrets; mount the ones that are needed"
        yield from (
            f"it grants {verb}, which changes things; grant get, list and watch"
            for verb in rule.get("verbs", ())
            if verb not in {"get", "list", "watch"} and not (verb == "create" and _only_adds(manifest, rule))
        )


def _only_adds(manifest: Manifest, rule: Mapping[str, Any]) -> bool:
    """Releases are ConfigMaps that nobody changes, in a namespace where nothing runs that would read others."""
    role = manifest["kind"] == "Role" and manifest["metadata"]["name"] == releases.ROLE
    return role and rule.get("resources") == ["configmaps"]


def guarded(manifest: Manifest) -> Iterator[str]:
    """A namespace refuses what is not restricted."""
    if manifest["kind"] == "Namespace" and manifest["metadata"].get("labels", {}).get(_LEVEL) != "restricted":
        yield f"it admits every pod; label it {_LEVEL}=restricted"


RULES: Final[Mapping[str, Callable[[Manifest], Iterator[str]]]] = {
    "images-pinned": pinned,
    "resources-bounded": bounded,
    "pod-security-restricted": restricted,
    "probes-differ": probed,
    "no-default-token": tokenless,
    "no-secret-in-plain": secret_free,
    "nothing-offered-outside": inward,
    "least-rights": modest,
    "namespace-restricted": guarded,
}
"""Rules that look at one manifest."""


def denied_by_default(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Every namespace with pods denies all traffic that no policy allows, and every workload has a policy."""
    running = [each for each in manifests if each["kind"] in _RUNS_PODS]
    policies = [each for each in manifests if each["kind"] == "NetworkPolicy"]
    selected = [each["spec"]["podSelector"].get("matchLabels", {}) for each in policies]
    for namespace in sorted({each["metadata"]["namespace"] for each in running}):
        denies = (
            each["metadata"]["namespace"] == namespace
            and not each["spec"]["podSelector"]
            and set(each["spec"].get("policyTypes", ())) == {"Ingress", "Egress"}
            and not each["spec"].get("ingress")
            and not each["spec"].get("egress")
            for each in policies
        )
        if not any(denies):
            yield f"namespace {namespace} has no NetworkPolicy that denies everything"
    for each in running:
        labels = each["spec"]["template"]["metadata"]["labels"].items()
        if not any(labels >= wanted.items() for wanted in selected if wanted):
            yield f"{each['kind']} {each['metadata']['name']} has no NetworkPolicy of its own"


def survives(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Several replicas have a disruption budget and are spread."""
    budgets = [each["spec"]["selector"]["matchLabels"] for each in manifests if each["kind"] == "PodDisruptionBudget"]
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in manifests if each["kind"] == "HorizontalPodAutoscaler"}
    for each in manifests:
        if each["kind"] not in {"Deployment", "StatefulSet"}:
            continue
        name = each["metadata"]["name"]
        if each["spec"].get("replicas", 1) < _FEW and name not in scaled:
            continue
        if each["spec"]["selector"]["matchLabels"] not in budgets:
            yield f"{each['kind']} {name} has several replicas and no PodDisruptionBudget"
        if not pod_spec(each).get("topologySpreadConstraints"):
            yield f"{each['kind']} {name} has several replicas, which may all run on one node; spread them"


def limited(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Every namespace with pods has a quota over all of them and bounds for each."""
    for namespace in sorted({each["metadata"]["namespace"] for each in manifests if each["kind"] in _RUNS_PODS}):
        there = {each["kind"] for each in manifests if each["metadata"].get("namespace") == namespace}
        yield from (
            f"namespace {namespace} has no {kind}; without it one pod can take a node from all others"
            for kind in ("ResourceQuota", "LimitRange")
            if kind not in there
        )


STACK_RULES: Final[Mapping[str, Callable[[Sequence[Manifest]], Iterator[str]]]] = {
    "denied-by-default": denied_by_default,
    "survives-a-node": survives,
    "namespace-limited": limited,
}
"""Rules that look at all manifests of a stack."""


def said_of(rule: Callable[[Manifest], Iterator[str]], manifest: Manifest) -> Iterator[str]:
    """What a rule says of one manifest: object, sentence."""
    yield from (f"{manifest['kind']} {manifest['metadata']['name']}: {said}" for said in rule(manifest))


def violations(manifests: Sequence[Manifest]) -> list[str]:
    """Everything that is wrong: rule, object, sentence."""
    single = [f"{name}: {said}" for each in manifests for name, rule in RULES.items() for said in said_of(rule, each)]
    return [*single, *(f"{name}: {said}" for name, rule in STACK_RULES.items() for said in rule(manifests))]


def require(manifests: Sequence[Manifest]) -> None:
    """Return when no rule is broken. Raises PolicyError."""
    if broken := violations(manifests):
        raise PolicyError("\n".join(["the policy refuses this; nothing was changed:", *broken]))
