"""Manifests to resources of Pulumi, with the values of secrets filled in. What an object says is decided elsewhere."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi_kubernetes as k8s
from pulumi import Alias, ComponentResource, Config, CustomResource, CustomTimeouts, Output, ResourceOptions

from stacks.cluster import names
from stacks.cluster.generated_values import GeneratedValue
from stacks.cluster.plan import Plan
from stacks.cluster.rollout import Rollout
from stacks.cluster.secrets import VALUES, Composed, Generated, Given
from stacks.environments import OnDestroy
from stacks.settings import NAMESPACE

_CLASSES: Final[Mapping[str, Any]] = {
    "Namespace": k8s.core.v1.Namespace,
    "ResourceQuota": k8s.core.v1.ResourceQuota,
    "LimitRange": k8s.core.v1.LimitRange,
    "ServiceAccount": k8s.core.v1.ServiceAccount,
    "ConfigMap": k8s.core.v1.ConfigMap,
    "Secret": k8s.core.v1.Secret,
    "Service": k8s.core.v1.Service,
    "Deployment": k8s.apps.v1.Deployment,
    "StatefulSet": k8s.apps.v1.StatefulSet,
    "Role": k8s.rbac.v1.Role,
    "RoleBinding": k8s.rbac.v1.RoleBinding,
    "ClusterRole": k8s.rbac.v1.ClusterRole,
    "ClusterRoleBinding": k8s.rbac.v1.ClusterRoleBinding,
    "NetworkPolicy": k8s.networking.v1.NetworkPolicy,
    "PodDisruptionBudget": k8s.policy.v1.PodDisruptionBudget,
    "Ingress": k8s.networking.v1.Ingress,
    "HorizontalPodAutoscaler": k8s.autoscaling.v2.HorizontalPodAutoscaler,
}
_RUNS_PODS: Final = ("Deployment", "StatefulSet")
_HEAVY_BYTES: Final = 16 * 1024
FORMER: Final[Mapping[str, tuple[Alias, ...]]] = {}
"""Logical name -> what the resource was called before: `{"service-loki": (Alias(name="service-logs"),)}`.

Without it a renamed resource is deleted and made anew, a generated value with another content. An entry stays until no
stack is left that was last brought up under the old name. The names in Kubernetes are no part of this: an object with
another name is another object.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The cluster, by its context; how long a rollout may take (`15m`); what a `destroy` may do."""

    context: str
    timeout: str
    on_destroy: OnDestroy


_PROTECTED: Final[Mapping[OnDestroy, tuple[str, ...]]] = {
    OnDestroy.DELETE: (),
    OnDestroy.KEEP_DATA: ("Namespace",),
    OnDestroy.REFUSE: ("Namespace", "StatefulSet"),
}


class Platform(ComponentResource):
    """All objects of an environment in one cluster."""

    TYPE: Final = "agentobs:platform:Platform"

    def __init__(self, name: str, plan: Plan, provider: k8s.Provider, target: Target) -> None:
        super().__init__(self.TYPE, name, None, ResourceOptions(providers={"kubernetes": provider}))
        self._on_destroy, self._timeout = target.on_destroy, target.timeout
        self._values: dict[str, Output[str]] = {}
        self._digests: list[Output[str]] = []
        spaces = [self._made(manifest, []) for manifest in plan.manifests if manifest["kind"] == "Namespace"]
        runs_pods, heavy, light = _by_turn([each for each in plan.manifests if each["kind"] != "Namespace"])
        before = [self._made(manifest, spaces) for manifest in light]
        large = [(owner_of(manifest), self._made(manifest, before)) for manifest in heavy]
        runs = [
            self._made(manifest, [*before, *(made for owner, made in large if owner == owner_of(manifest))])
            for manifest in runs_pods
        ]
        manifests = hashlib.sha256(json.dumps(plan.manifests, sort_keys=True).encode()).hexdigest()
        digest = Output.all(manifests, *self._digests).apply("-".join)
        where = {"context": target.context, "namespace": plan.namespace}
        Rollout("rollout", digest, where, _seconds(target.timeout), ResourceOptions(parent=self, depends_on=runs))
        self.register_outputs({"namespace": plan.namespace})

    def _made(self, manifest: Mapping[str, Any], after: list[CustomResource]) -> CustomResource:
        body = {key: value for key, value in manifest.items() if key not in {"apiVersion", "kind"}}
        body["metadata"] = {**body["metadata"], "annotations": _annotations(manifest)}
        if manifest["kind"] == "Secret":
            body["string_data"] = {key: self._value(value) for key, value in body.pop("stringData").items()}
        if manifest["kind"] == "ServiceAccount":
            body["automount_service_account_token"] = body.pop("automountServiceAccountToken")
        if manifest["kind"] in {"RoleBinding", "ClusterRoleBinding"}:
            body["role_ref"] = body.pop("roleRef")
        if manifest["kind"] in _RUNS_PODS:
            body["spec"] = self._with_digest(body["spec"])
        name = logical_name(manifest)
        options = self._options(name, manifest, after)
        known = _CLASSES.get(manifest["kind"])
        if known is None:
            return k8s.apiextensions.CustomResource(
                name, api_version=manifest["apiVersion"], kind=manifest["kind"], **body, opts=options
            )
        made: CustomResource = known(name, **body, opts=options)
        return made

    def _with_digest(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """The names of secrets that count only at a start become a digest of their values, made with a key of ours.

        A weak password cannot be guessed from it.
        """
        template = spec["template"]
        annotations = dict(template["metadata"]["annotations"])
        if names.SECRETS_DIGEST in annotations:
            used = annotations[names.SECRETS_DIGEST].split()
            values = Output.all(self._value("secretsDigestKey"), *(self._value(name) for name in used))
            # Without the key it tells nothing, so that a preview may show that it changes.
            digest = Output.unsecret(values.apply(lambda known: _digest(known[0], known[1:])))
            annotations[names.SECRETS_DIGEST] = digest
            self._digests.append(digest)
        metadata = {**template["metadata"], "annotations": annotations}
        return {**spec, "template": {**template, "metadata": metadata}}

    def _options(self, name: str, manifest: Mapping[str, Any], after: list[CustomResource]) -> ResourceOptions:
        """What holds data outlives a mistake: the namespace, where the volumes are, and in prod what runs on them."""
        runs = manifest["kind"] in _RUNS_PODS
        return ResourceOptions(
            parent=self,
            aliases=[*FORMER.get(name, ())],
            depends_on=after,
            protect=manifest["kind"] in _PROTECTED[self._on_destroy],
            custom_timeouts=CustomTimeouts(create=self._timeout, update=self._timeout) if runs else None,
        )

    def _value(self, name: str) -> Output[str]:
        if name not in self._values:
            self._values[name] = self._new_value(name)
        return self._values[name]

    def _new_value(self, name: str) -> Output[str]:
        kind = VALUES[name]
        if isinstance(kind, Given):
            return Config(NAMESPACE).require_secret(kind.setting)
        if isinstance(kind, Composed):
            parts = Output.all(**{part: self._value(part) for part in kind.parts})
            return Output.secret(parts.apply(lambda known: _composed(kind, known)))
        return self._generated(name, kind)

    def _generated(self, name: str, kind: Generated) -> Output[str]:
        # Volumes that stay are worth nothing without the passwords and keys of what is on them.
        locked = self._on_destroy is not OnDestroy.DELETE
        options = ResourceOptions(parent=self, aliases=[*FORMER.get(name, ())], protect=locked)
        return GeneratedValue(name, kind, options).value


def _annotations(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The program owns every field that it sets, whoever changed it since.

    Services are there before their pods, which are waited for themselves; an ingress may get its address from a person.
    """
    own = {"pulumi.com/patchForce": "true"}
    if manifest["kind"] in {"Service", "Ingress"}:
        own["pulumi.com/skipAwait"] = "true"
    return {**manifest["metadata"].get("annotations", {}), **own}


def _digest(key: str, values: Sequence[str]) -> str:
    return hmac.new(key.encode(), "\0".join(values).encode(), hashlib.sha256).hexdigest()[:16]


def _seconds(duration: str) -> float:
    return float(duration[:-1]) * (60 if duration.endswith("m") else 1)


def _composed(kind: Composed, known: Mapping[str, str]) -> str:
    text = kind.text.format(**known)
    return base64.b64encode(text.encode()).decode() if kind.base64 else text


def _by_turn(manifests: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], ...]:
    """What runs pods, which comes last; large texts, which only pods of the same owner wait for; everything else.

    Pulumi writes its whole state twice for each object, so that boards and rules, most of it, are made when nearly
    everything else is there. Dev with its 129 resources, 11 MB, took 66 s when they came first and takes 37 s so.
    """
    runs_pods = [manifest for manifest in manifests if manifest["kind"] in _RUNS_PODS]
    others = [manifest for manifest in manifests if manifest["kind"] not in _RUNS_PODS]
    heavy = [manifest for manifest in others if len(json.dumps(manifest)) > _HEAVY_BYTES]
    return runs_pods, heavy, [manifest for manifest in others if manifest not in heavy]


def owner_of(manifest: Mapping[str, Any]) -> str:
    """The workload that an object belongs to; empty for what all share."""
    name: str = manifest["metadata"]["labels"].get(names.NAME_LABEL, "")
    return name


def logical_name(manifest: Mapping[str, Any]) -> str:
    """Name in Pulumi: kind and name. An immutable ConfigMap loses its digest, so that a new one replaces the old."""
    name: str = manifest["metadata"]["name"]
    if manifest.get("immutable"):
        name = name.rpartition("-")[0] + "-fixed"
    return f"{manifest['kind'].lower()}-{name}"
