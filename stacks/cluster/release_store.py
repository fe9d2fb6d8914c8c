"""Blobs as immutable ConfigMaps in a namespace of their own: `create` is answered 409 where one is there already.

Its users may create, get, list and watch there, and nothing else: nobody changes history with those rights.
"""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from delivery.store import StoreError, Taken
from delivery.store.blobs import checked
from stacks.cluster import names
from stacks.cluster.releases import ROLE, VERBS, namespace_of
from stacks.cluster.rollout import connect
from stacks.environments import EnvName
from stacks.workspace import Workspace, WorkspaceError

FOLDER_LABEL: Final = f"{names.PROJECT}.io/folder"
_DATA: Final = "blob"
_LARGEST: Final = 700_000
"""Bytes of a blob; a ConfigMap holds 1 MiB, and base64 takes a third more."""
_PAGE: Final = 500
_FORBIDDEN: Final = 403
_MISSING: Final = 404
_THERE: Final = 409


class ConfigMapBlobs:
    """The store in one namespace. `api` is a client of the cluster."""

    def __init__(self, api: Any, namespace: str) -> None:  # noqa: ANN401 untyped library
        self._core = client.CoreV1Api(api)
        self._namespace = namespace

    def create(self, key: str, data: bytes) -> None:
        """Keep the bytes for good, or raise Taken or StoreError."""
        if len(data) > _LARGEST:
            raise StoreError(f"{key} has {len(data):,} bytes; a ConfigMap holds {_LARGEST:,}; fix: a shorter text")
        folder, _, _ = checked(key).rpartition("/")
        body = client.V1ConfigMap(
            metadata=client.V1ObjectMeta(name=_name(key), labels={FOLDER_LABEL: _label(folder)}),
            immutable=True,
            binary_data={_DATA: base64.b64encode(data).decode()},
        )
        try:
            self._core.create_namespaced_config_map(self._namespace, body)
        except ApiException as error:
            if error.status == _THERE:
                raise Taken(key) from None
            raise self._error(error) from None
        except HTTPError as error:
            raise self._away(error) from None

    def read(self, key: str) -> bytes | None:
        """The bytes of a key, None where it is not there."""
        try:
            found = self._core.read_namespaced_config_map(_name(checked(key)), self._namespace)
        except ApiException as error:
            if error.status == _MISSING:
                return None
            raise self._error(error) from None
        except HTTPError as error:
            raise self._away(error) from None
        data = (found.binary_data or {}).get(_DATA)
        if not found.immutable or data is None:
            raise StoreError(f"the ConfigMap {_name(key)} in {self._namespace} is none of this store's; do not use it")
        return base64.b64decode(data)

    def keys(self, folder: str) -> list[str]:
        """The keys directly below a folder, sorted; those of folders in it as their first part."""
        depth = folder.count("/") + 1
        found: set[str] = set()
        for name in self._names(folder):
            found.add("/".join(name.split("/")[: depth + 1]))
        return sorted(found)

    def _names(self, folder: str) -> Iterator[str]:
        """Keys below a folder. Environments are folders themselves: those are found by all their revisions."""
        selector = FOLDER_LABEL if folder == "environments" else f"{FOLDER_LABEL}={_label(folder)}"
        token: str | None = None
        while True:
            try:
                page: Any = self._core.list_namespaced_config_map(
                    self._namespace, label_selector=selector, limit=_PAGE, _continue=token
                )
            except ApiException as error:
                raise self._error(error) from None
            except HTTPError as error:
                raise self._away(error) from None
            yield from (key for item in page.items if (key := _key(item)).startswith(f"{folder}/"))
            token = page.metadata._continue  # noqa: SLF001 as the client names it
            if not token:
                return

    def _error(self, error: ApiException) -> StoreError:
        said = (error.reason or "").lower()
        if error.status == _FORBIDDEN:
            return StoreError(
                f"the cluster does not let you use ConfigMaps in {self._namespace}; fix: a binding to its role {ROLE}"
                f" ({', '.join(VERBS)})"
            )
        if error.status == _MISSING:
            return StoreError(f"there is no namespace {self._namespace}; fix: agentobs pulumi -s STACK up makes it")
        return StoreError(f"the cluster answered {error.status} ({said}) about {self._namespace}; nothing was changed")

    def _away(self, error: Exception) -> StoreError:
        return StoreError(
            f"the cluster does not answer about {self._namespace}: {type(error).__name__}; nothing was changed"
        )


@contextmanager
def of_cluster(stack: EnvName) -> Iterator[ConfigMapBlobs]:
    """The store of a stack that is up. Raises WorkspaceError, StoreError."""
    said: Mapping[str, Any] = Workspace(stack).outputs()
    if "cluster" not in said:
        raise WorkspaceError(f"the stack {stack} is not up; fix: agentobs pulumi -s {stack} up")
    cluster = said["cluster"]
    try:
        api = connect(cluster["context"])
    except ConfigException as error:
        raise StoreError(f"the kubeconfig has no context {cluster['context']}: {error}") from None
    yield ConfigMapBlobs(api, namespace_of(cluster["namespace"]))


def _name(key: str) -> str:
    """The ConfigMap of a key: no part of a key has a dot."""
    return key.replace("/", ".")


def _label(folder: str) -> str:
    return _name(folder)


def _key(item: Any) -> str:  # noqa: ANN401 untyped library
    return str(item.metadata.name).replace(".", "/")
