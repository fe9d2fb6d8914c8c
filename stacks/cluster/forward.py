"""Ways from this computer to services in a cluster: a port on loopback each, through the API server into a ready pod.

As `kubectl port-forward` does it, and not over the API server's proxy for services: the kubelet opens the connection
inside the pod, so that no network policy need let the API server in, and a login in a header reaches the service.
"""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.stream import portforward
from urllib3.exceptions import HTTPError

from agentobs.errors import AgentobsError
from stacks.cluster.rollout import connect

_LOOPBACK: Final = "127.0.0.1"
_CHUNK: Final = 64 * 1024
_VERBS: Final = ("get", "create")
"""What the right to forward is called: newer API servers ask for the second one too."""
_SAID: Final[Mapping[int, str]] = {
    401: "does not know you. Fix: sign in again with the tool that made the kubeconfig",
    403: "refuses: {reason}. Fix: a role that may get services, list pods, and get and create pods/portforward",
}


class ForwardError(AgentobsError):
    """There is no way to a service; the message names what is missing and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A service and the number of one of its ports."""

    namespace: str
    service: str
    port: int


@dataclass(slots=True)
class _Way:
    """One pod's port; `trouble` is what the cluster said when a connection failed."""

    core: Any
    pod: str
    namespace: str
    port: int
    trouble: list[str] = field(default_factory=list)
    # The client's way to web sockets changes the client while it connects.
    connecting: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> Any:  # noqa: ANN401 untyped library
        """A new connection into the pod. Raises ApiException."""
        with self.connecting:
            ask = self.core.connect_get_namespaced_pod_portforward
            return portforward(ask, self.pod, self.namespace, ports=str(self.port))


class _Handler(socketserver.BaseRequestHandler):
    """Carries the bytes of one connection both ways until one side ends it."""

    def handle(self) -> None:
        way: _Way = self.server.way  # type: ignore[attr-defined]
        try:
            made = way.open()
        except (ApiException, OSError) as error:
            way.trouble.append(_short(error))
            return
        inside = made.socket(way.port)
        inside.setblocking(True)

        def note(answered: bool) -> None:  # noqa: FBT001 the only thing to say
            if made.error(way.port):
                way.trouble.append(str(made.error(way.port)).strip())
            elif not answered:
                way.trouble.append(
                    f"port {way.port} ended the connection without an answer; does anything listen there"
                )

        back = threading.Thread(target=_carry, args=(inside, self.request, note), daemon=True)
        back.start()
        _carry(self.request, inside, lambda _: None)
        back.join()


def _carry(source: Any, sink: Any, ended: Callable[[bool], None]) -> None:  # noqa: ANN401 sockets, or what stands for one
    """All bytes of one direction; before the other side learns of the end, `ended` is told whether there were any."""
    some = False
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            some = True
            sink.sendall(data)
    ended(some)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, way: _Way) -> None:
        super().__init__((_LOOPBACK, 0), _Handler)
        self.way = way


@contextlib.contextmanager
def forwarded(context: str, targets: Mapping[str, Target]) -> Iterator[dict[str, str]]:
    """Name of a target -> `host:port` on this computer, for as long as the context lasts.

    Raises ForwardError where there is no way, also when a connection fails later while the caller uses it.
    """
    ways = _ways(context, targets)
    servers = {name: _Server(way) for name, way in ways.items()}
    for server in servers.values():
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield {name: f"{_LOOPBACK}:{server.server_address[1]}" for name, server in servers.items()}
    except Exception as error:
        trouble = [f"{name} (pod {way.pod}): {said}" for name, way in ways.items() for said in way.trouble[:1]]
        if trouble:
            raise ForwardError(f"the way through the API server of {context} broke: {'; '.join(trouble)}") from error
        raise
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()


def _ways(context: str, targets: Mapping[str, Target]) -> dict[str, _Way]:
    """A ready pod behind each service, and the right to go there."""
    try:
        api = connect(context)
        core = client.CoreV1Api(api)
        for namespace in sorted({target.namespace for target in targets.values()}):
            _may_forward(api, context, namespace)
        return {name: _way(core, context, target) for name, target in targets.items()}
    except ConfigException as error:
        raise ForwardError(
            f"the kubeconfig has no context {context}: {_short(error)}. Fix: kubectl config get-contexts, and the"
            " variable KUBECONFIG where it is another file"
        ) from None
    except ApiException as error:
        said = _SAID.get(error.status, "answers {status} {reason}")
        said = said.format(status=error.status, reason=error.reason)
        raise ForwardError(f"the cluster of context {context} {said}") from None
    except (HTTPError, OSError) as error:
        raise ForwardError(
            f"the cluster of context {context} does not answer: {_short(error)}."
            f" Fix: kubectl --context {context} version"
        ) from None


def _may_forward(api: Any, context: str, namespace: str) -> None:  # noqa: ANN401 untyped library
    for verb in _VERBS:
        wanted = client.V1ResourceAttributes(verb=verb, resource="pods", subresource="portforward", namespace=namespace)
        review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=wanted))
        answer: Any = client.AuthorizationV1Api(api).create_self_subject_access_review(review)
        if not answer.status.allowed:
            raise ForwardError(
                f"you may not {verb} pods/portforward in namespace {namespace} of {context}."
                " Fix: a role with get and create on pods/portforward, get on services and list on pods"
            )


def _way(core: Any, context: str, target: Target) -> _Way:  # noqa: ANN401 untyped library
    where = f"in namespace {target.namespace} of {context}"
    service = _service(core, target, where)
    (port,) = [each for each in service.spec.ports if each.port == target.port] or [None]
    if port is None or not service.spec.selector:
        raise ForwardError(f"service {target.service} {where} has no port {target.port} with pods behind it")
    selector = ",".join(f"{key}={value}" for key, value in service.spec.selector.items())
    pods = core.list_namespaced_pod(target.namespace, label_selector=selector).items
    ready = [pod for pod in pods if _is_ready(pod)]
    if not ready:
        look = f"kubectl --context {context} -n {target.namespace} describe pods -l {selector}"
        states = (
            ", ".join(f"{pod.metadata.name} is {pod.status.phase} and not ready" for pod in pods) or "there is none"
        )
        raise ForwardError(f"no pod of service {target.service} {where} is ready: {states}. Look: {look}")
    pod = ready[0]
    return _Way(core, pod.metadata.name, target.namespace, _number(pod, port.target_port or port.port))


def _service(core: Any, target: Target, where: str) -> Any:  # noqa: ANN401 untyped library
    try:
        return core.read_namespaced_service(target.service, target.namespace)
    except ApiException as error:
        if error.status != 404:  # noqa: PLR2004 not found
            raise
        raise ForwardError(
            f"there is no service {target.service} {where}. Fix: agentobs pulumi -s <stack> up, or the context of the"
            " cluster where the stack is"
        ) from None


def _is_ready(pod: Any) -> bool:  # noqa: ANN401 untyped library
    conditions = pod.status.conditions or ()
    return not pod.metadata.deletion_timestamp and any(c.type == "Ready" and c.status == "True" for c in conditions)


def _number(pod: Any, port: int | str) -> int:  # noqa: ANN401 untyped library
    """The number of a port of the pod, which a service may know by name."""
    named = {each.name: each.container_port for container in pod.spec.containers for each in container.ports or ()}
    return int(named.get(port, port))


def _short(error: Exception) -> str:
    said = error.reason if isinstance(error, ApiException) and error.reason else error
    return str(said).splitlines()[0][:200] if str(said) else type(error).__name__
