"""The stores of a stack as a command reaches them: on this computer, through a cluster's API server, or elsewhere."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from alerts.prometheus import Prometheus
from collector.search import LogStore, TraceStore
from collector.stores import LogKind, Stores, TraceKind
from stacks.clients import Jaeger, Loki, Tempo, VictoriaLogs
from stacks.cluster import addresses
from stacks.deployment import Auth
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.settings import NAMESPACE
from stacks.workspace import Workspace, WorkspaceError

STORES: Final = ("prometheus", *LogKind, *TraceKind)
"""What commands ask. Of logs and of traces a stack has one store each."""
_TRACES: Final[Mapping[TraceKind, type[Tempo | Jaeger]]] = {TraceKind.TEMPO: Tempo, TraceKind.JAEGER: Jaeger}
_LOGS: Final[Mapping[LogKind, type[Loki | VictoriaLogs]]] = {
    LogKind.LOKI: Loki,
    LogKind.VICTORIALOGS: VictoriaLogs,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Addresses by name, and the header with the login of those that want one.

    `lasting`: whether the addresses hold after the command, so that a person can follow them.
    """

    urls: Mapping[str, str]
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lasting: bool = True

    @property
    def metrics(self) -> Prometheus:
        """The store of metrics."""
        return Prometheus(self.urls["prometheus"], self.headers.get("prometheus"))

    @property
    def traces(self) -> TraceStore | None:
        """The store of traces, where there is one."""
        found = next((kind for kind in TraceKind if kind in self.urls), None)
        return _TRACES[found](self.urls[found], self.headers.get(found)) if found else None

    @property
    def logs(self) -> LogStore | None:
        """The store of logs, where there is one."""
        found = next((kind for kind in LogKind if kind in self.urls), None)
        return _LOGS[found](self.urls[found], self.headers.get(found)) if found else None

    @property
    def kinds(self) -> Stores:
        """Which stores there are; where there is none, it does not matter which."""
        return Stores(
            traces=next((kind for kind in TraceKind if kind in self.urls), TraceKind.TEMPO),
            logs=next((kind for kind in LogKind if kind in self.urls), LogKind.LOKI),
        )

    @property
    def trace_link(self) -> str:
        """What the id of a trace completes to an address that a person can follow; empty where there is none."""
        store = self.traces
        return store.link("") if store is not None and self.lasting else ""


@contextmanager
def of_stack(stack: EnvName, wanted: Iterable[str] = STORES) -> Iterator[Endpoints]:
    """The wanted services of a stack; those that it does not have are left out.

    Raises WorkspaceError where the stack is not up, ForwardError where a cluster gives no way.
    """
    workspace = Workspace(stack)
    wanted = [*wanted]
    if ENVIRONMENTS[stack].cluster is None:
        yield Endpoints(urls={name: url for name, url in workspace.endpoints().items() if name in wanted})
        return
    said = workspace.outputs()
    if "cluster" not in said:
        raise WorkspaceError(
            f"the stack {stack} is not up, or was brought up from another checkout; fix: agentobs pulumi -s {stack} up,"
            " or name the stores: --prometheus URL"
        )
    endpoints: dict[str, str] = {name: said["endpoints"][name] for name in wanted if name in said["endpoints"]}
    headers = {name: _login(workspace, name, said["external"]) for name in endpoints}
    with _forwarded(endpoints, said) as there:
        yield Endpoints(urls=endpoints | there, headers=headers, lasting=False)


@contextmanager
def resolve(stack: EnvName, wanted: Iterable[str], named: Mapping[str, str]) -> Iterator[Endpoints]:
    """Services by the addresses that were named, the others those of the stack, which may be down if none is left."""
    given = {name: url.rstrip("/") for name, url in named.items() if url}
    others = [name for name in wanted if name not in _replaced(given)]
    if not others:
        yield Endpoints(urls=given)
        return
    with of_stack(stack, others) as ours:
        yield Endpoints(urls={**ours.urls, **given}, headers=ours.headers, lasting=ours.lasting)


def _replaced(given: Iterable[str]) -> set[str]:
    """What is not asked for where those were named: a Tempo that is named stands for the stack's Jaeger too."""
    names = set(given)
    return names.union(*(set(kinds) for kinds in (TraceKind, LogKind) if names & set(kinds)))


@contextmanager
def resolve_for_metrics(stack: EnvName, wanted: list[str], named: Mapping[str, str]) -> Iterator[Endpoints]:
    """Stores to ask: those of the stack, or only what was named (whose traces are not in our store)."""
    alone = [name for name in wanted if named.get(name)] if named.get("prometheus") else wanted
    with resolve(stack, alone, named) as stores:
        yield stores


@contextmanager
def _forwarded(endpoints: Mapping[str, str], said: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Those of the endpoints that are inside of the cluster, as addresses on this computer."""
    # Not at the top: the client of Kubernetes takes longer to import than all that a local stack needs.
    from stacks.cluster.forward import Target, forwarded  # noqa: PLC0415

    inside = {
        name: Target(namespace=space, service=addresses.service(url), port=addresses.port(url))
        for name, url in endpoints.items()
        if (space := _namespace(name, url, said))
    }
    with forwarded(said["cluster"]["context"], inside) as ways:
        yield {name: f"http://{way}{urlsplit(endpoints[name]).path}" for name, way in ways.items()}


def _namespace(name: str, url: str, said: Mapping[str, Any]) -> str | None:
    """Where the service behind an address is; None for what anybody reaches."""
    namespace: str = said["cluster"]["namespace"]
    return addresses.namespace(url) if name in said["external"] else namespace


def _login(workspace: Workspace, name: str, external: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    auth = Auth(external.get(name, {}).get("auth", Auth.NONE))
    if auth is Auth.NONE:
        return {}
    token = _secret(workspace, f"{name}Token")
    if auth is Auth.BEARER:
        return {"Authorization": f"Bearer {token}"}
    both = f"{_secret(workspace, f'{name}User')}:{token}"
    return {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}


def _secret(workspace: Workspace, key: str) -> str:
    return workspace.pulumi("config", "get", f"{NAMESPACE}:{key}", quiet=True).strip()
