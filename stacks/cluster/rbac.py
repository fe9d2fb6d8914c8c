"""Rights at the Kubernetes API: only for workloads that ask, only to read, never secrets.

A pod gets a short-lived token as a projected volume instead of the mounted one of its service account.
"""

from collections.abc import Mapping
from typing import Any, Final

from stacks.cluster import names
from stacks.workload import Api

_READ: Final = ["get", "list", "watch"]
_GROUP: Final = "rbac.authorization.k8s.io"

_OWN: Final = [{"apiGroups": [""], "resources": ["pods"], "verbs": _READ}]
_SENDERS: Final = [
    {"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": _READ},
    {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": _READ},
]
_STATES: Final = [
    {"apiGroups": [""], "resources": ["pods", "persistentvolumeclaims"], "verbs": ["list", "watch"]},
    {
        "apiGroups": ["apps"],
        "resources": ["daemonsets", "deployments", "replicasets", "statefulsets"],
        "verbs": ["list", "watch"],
    },
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["list", "watch"]},
]
_RULES: Final[Mapping[Api, list[dict[str, Any]]]] = {Api.OWN_PODS: _OWN, Api.SENDERS: _SENDERS, Api.STATES: _STATES}
TOKEN_DIR: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 a folder
_TOKEN_LIFE_S: Final = 3607


def objects(workload: str, api: Api, namespace: str) -> list[dict[str, Any]]:
    """Role and binding; for the whole cluster, where the workload's rights reach beyond its namespace."""
    if api is Api.NONE:
        return []
    everywhere = api is not Api.OWN_PODS
    kind = "ClusterRole" if everywhere else "Role"
    # Objects of a cluster have no namespace to keep two installations apart.
    name = f"{namespace}-{workload}" if everywhere else workload
    meta = {"name": name, "labels": names.labels(workload)} | ({} if everywhere else {"namespace": namespace})
    subject = {"kind": "ServiceAccount", "name": workload, "namespace": namespace}
    return [
        {"apiVersion": f"{_GROUP}/v1", "kind": kind, "metadata": meta, "rules": _RULES[api]},
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": f"{kind}Binding",
            "metadata": meta,
            "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": name},
            "subjects": [subject],
        },
    ]


def token_volume() -> dict[str, Any]:
    """What a pod needs to speak to the API: a token that expires, the authority, its namespace."""
    authority = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    field = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": _TOKEN_LIFE_S}},
        {"configMap": authority},
        {"downwardAPI": {"items": [field]}},
    ]
    return {"name": "api-token", "projected": {"defaultMode": 0o440, "sources": sources}}
