"""What every pod has, said once: Pod Security `restricted` and more. A workload cannot opt out."""

from typing import Any, Final

from stacks.workload import Workload

NAMESPACE_LABELS: Final = {
    f"pod-security.kubernetes.io/{mode}{part}": level
    for mode in ("enforce", "audit", "warn")
    for part, level in (("", "restricted"), ("-version", "latest"))
}


LEAST_FOR_USERS: Final = (1, 33)
"""The version of Kubernetes from which on user namespaces are there without a switch."""


def pod(workload: Workload, *, user_namespaces: bool) -> dict[str, Any]:
    """Fields of a pod's `spec`. The group owns the volumes, so that a user without rights can write there.

    With `user_namespaces` a user of the pod is none of the node, also for who breaks out.
    """
    return {
        **({"hostUsers": False} if user_namespaces else {}),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": workload.uid,
            "runAsGroup": workload.uid,
            "fsGroup": workload.uid,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def container(pull: str) -> dict[str, Any]:
    """Fields of a container; `pull` is when its image is asked for at the registry."""
    return {
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
        },
        "imagePullPolicy": pull,
    }
