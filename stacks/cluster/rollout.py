"""Waiting until everything that runs pods runs its newest revision, as a dynamic resource after the objects.

The Kubernetes provider waits too, but it may look at a StatefulSet before the controller has seen the change, and take
the old pods for the new ones: then a rollout that fails passes for one that is done. Here the generation counts.
"""

import os
import time
from collections.abc import Mapping
from typing import Any, Final

from kubernetes import client, config
from pulumi import Input, ResourceOptions
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from agentobs.errors import AgentobsError

Props = dict[str, Any]
_POLL_S: Final = 1.0
_LISTED: Final = 8


class RolloutError(AgentobsError):
    """Pods that did not become ready in time; the message names them and what they wait for."""


def pending(workloads: Mapping[str, Any]) -> list[str]:
    """Of `kind/name` -> object, those whose newest revision is not completely there."""
    return [name for name, each in workloads.items() if not _done(each)]


def _done(each: Any) -> bool:  # noqa: ANN401 objects of an untyped library
    status, wanted = each.status, each.spec.replicas if each.spec.replicas is not None else 1
    return bool(
        (status.observed_generation or 0) >= each.metadata.generation
        and (status.updated_replicas or 0) == wanted
        and (status.ready_replicas or 0) == wanted
        and (status.replicas or 0) == wanted
    )


def connect(context: str) -> Any:  # noqa: ANN401 untyped library
    """A client for a context of the kubeconfig that KUBECONFIG names now, else of the default one."""
    return config.new_client_from_config(config_file=os.environ.get("KUBECONFIG"), context=context)


def wait(context: str, namespace: str, timeout_s: float) -> None:
    """Return when everything is rolled out. Raises RolloutError after `timeout_s` seconds."""
    api = connect(context)
    deadline = time.monotonic() + timeout_s
    while late := pending(_workloads(client.AppsV1Api(api), namespace)):
        if time.monotonic() > deadline:
            reasons = _reasons(client.CoreV1Api(api), namespace)
            raise RolloutError(
                f"not rolled out after {timeout_s:.0f} s: {', '.join(late)}. {'; '.join(reasons[:_LISTED])}."
                f" Look: kubectl --context {context} -n {namespace} get pods. What ran before goes on where it can;"
                " take the change back and run pulumi up again"
            )
        time.sleep(_POLL_S)


def _workloads(apps: Any, namespace: str) -> dict[str, Any]:  # noqa: ANN401 untyped library
    lists = {
        "StatefulSet": apps.list_namespaced_stateful_set(namespace),
        "Deployment": apps.list_namespaced_deployment(namespace),
    }
    return {f"{kind} {each.metadata.name}": each for kind, found in lists.items() for each in found.items}


def _reasons(core: Any, namespace: str) -> list[str]:  # noqa: ANN401 untyped library
    """What pods that are not ready wait for, as far as they say it."""
    found = []
    for pod in core.list_namespaced_pod(namespace).items:
        for each in pod.status.container_statuses or ():
            waiting = each.state.waiting if each.state else None
            if not each.ready and waiting:
                found.append(f"pod {pod.metadata.name}: {waiting.reason} {waiting.message or ''}".strip())
        if not pod.status.container_statuses:
            said = [c.message for c in pod.status.conditions or () if c.status != "True" and c.message]
            found.append(f"pod {pod.metadata.name}: {said[0] if said else 'not started'}")
    return found


class _Provider(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        wait(props["context"], props["namespace"], float(props["timeout_s"]))
        return CreateResult(id_=props["namespace"], outs=props)

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """Looked at again whenever an object changes; another timeout alone is no reason."""
        return DiffResult(changes=_olds.get("digest") != _news["digest"])

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        wait(_news["context"], _news["namespace"], float(_news["timeout_s"]))
        return UpdateResult(outs=_news)


class Rollout(Resource, module="agentobs", name="Rollout"):
    """`digest` stands for all objects: when it changes, their rollout is waited for again."""

    def __init__(
        self, name: str, digest: Input[str], where: Mapping[str, str], timeout_s: float, opts: ResourceOptions
    ) -> None:
        super().__init__(_Provider(), name, {**where, "digest": digest, "timeout_s": timeout_s}, opts)
