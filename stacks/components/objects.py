"""What Loki and Tempo share where they lie in object storage: the bucket, and the gossip of their replicas.

Keys are read from the environment of the pod, so that no configuration holds them.
"""

from typing import Any, Final

from stacks.deployment import Deployment, ObjectStore
from stacks.workload import Outside, Placement, SecretUse

_KEY, _SECRET = "OBJECTS_ACCESS_KEY", "OBJECTS_SECRET_KEY"
_QUORUM: Final = 3


def of(deployment: Deployment, workload: str) -> ObjectStore | None:
    """The object storage of a workload that has a bucket there."""
    store = deployment.objects if deployment.cluster else None
    return store if store and workload in store.buckets else None


def keys(store: ObjectStore | None) -> tuple[SecretUse, ...]:
    """Access by keys; none where the pod's identity is enough."""
    if store is None or not store.keys:
        return ()
    return (
        SecretUse(value="objectsAccessKey", variable=_KEY),
        SecretUse(value="objectsSecretKey", variable=_SECRET),
    )


def credentials(store: ObjectStore, key: str, secret: str) -> dict[str, str]:
    """The two fields of a configuration, named as the backend names them."""
    return {key: f"${{{_KEY}}}", secret: f"${{{_SECRET}}}"} if store.keys else {}


def outside(store: ObjectStore | None) -> tuple[Outside, ...]:
    """Who comes by the identity of a pod gets the keys from a service of the cloud."""
    return (Outside.HTTPS,) if store and not store.keys else ()


def reaches(store: ObjectStore | None) -> tuple[str, ...]:
    """The address of the bucket."""
    return (f"{'https' if store.tls else 'http'}://{store.endpoint}",) if store else ()


def replication(replicas: int) -> int:
    """Three copies where there are three to hold them, else one, whose log on its volume survives a crash.

    Of two copies both would be needed for every write.
    """
    return _QUORUM if replicas >= _QUORUM else 1


def gossip(at: Placement, port: str) -> dict[str, Any]:
    """`memberlist`: where replicas talk to each other about who is there."""
    return {
        "bind_addr": [at.own_host()],
        "bind_port": int(at.listen(port).rpartition(":")[2]),
        "join_members": list(at.members(port)),
        "abort_if_cluster_join_fails": False,
    }
