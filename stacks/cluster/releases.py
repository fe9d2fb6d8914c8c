"""The namespace where releases and revisions are kept, and the role of those who operate them. Nothing runs there.

Pulumi makes the place and never what is in it: which release runs is no matter of infrastructure.
"""

from typing import Any, Final

from stacks.cluster import hardening, names

VERBS: Final = ("create", "get", "list", "watch")
"""Enough to operate, and not to change what was: no update, no delete."""
ROLE: Final = "release-operator"
_LABELS: Final = {"app.kubernetes.io/part-of": names.PROJECT, "app.kubernetes.io/managed-by": "pulumi"}


def namespace_of(namespace: str) -> str:
    """The namespace of the releases of a stack."""
    return f"{namespace}-releases"


def objects(namespace: str) -> list[dict[str, Any]]:
    """The namespace first. Who operates releases is bound to the role by whoever runs the cluster."""
    where = namespace_of(namespace)
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": list(VERBS)}]
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": where, "labels": {**_LABELS, **hardening.NAMESPACE_LABELS}},
        },
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "nothing-runs-here", "namespace": where, "labels": _LABELS},
            "spec": {"hard": {"pods": "0", "persistentvolumeclaims": "0", "services": "0"}},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": ROLE, "namespace": where, "labels": _LABELS},
            "rules": rules,
        },
    ]
