"""The platform as a whole: which workloads an environment has, and the component that realises them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulumi import ComponentResource, ResourceOptions

from collector.stores import LogKind, TraceKind
from stacks import gated, release_controller
from stacks.components import alertmanager, collector, jaeger, loki, prometheus, tempo, victorialogs
from stacks.deployment import Deployment
from stacks.environments import Environment
from stacks.ports import PORTS
from stacks.process.layout import StackDir
from stacks.process.resources import Process, ProcessHost
from stacks.process.spec import ProcessSpec
from stacks.settings import Settings
from stacks.workload import Placement, Workload

LOOPBACK: Final = "127.0.0.1"

_Component = Callable[[Deployment, Placement], Workload]
_STORES: Final[Mapping[TraceKind | LogKind, _Component]] = {
    LogKind.LOKI: loki.workload,
    LogKind.VICTORIALOGS: victorialogs.workload,
    TraceKind.TEMPO: tempo.workload,
    TraceKind.JAEGER: jaeger.workload,
}


@dataclass(frozen=True, slots=True)
class LocalPlacement:
    """Everything on loopback, data below the stack's folder. `inside` is where listens what stands behind the gate."""

    ports: Mapping[str, int]
    layout: StackDir
    inside: str = LOOPBACK

    def listen(self, port: str) -> str:
        """`host:port` to bind."""
        return f"{self.inside if port in gated.BEHIND else LOOPBACK}:{self.ports[port]}"

    def address(self, port: str) -> str:
        """`host:port` to reach it: through the gate, as everybody does."""
        return f"{LOOPBACK}:{self.ports[port]}"

    def members(self, port: str) -> tuple[str, ...]:
        """One on one computer."""
        return (self.address(port),)

    def own_host(self) -> str:
        """Loopback, as for everybody else."""
        return LOOPBACK

    def data_dir(self, workload: str) -> str:
        """Folder for a workload's data."""
        return str(self.layout.data / workload)


def workloads(deployment: Deployment, at: Placement) -> tuple[Workload, ...]:
    """All workloads of a stack on this computer; pure."""
    stores = (_STORES[deployment.stores.logs], _STORES[deployment.stores.traces])
    every = (prometheus.workload, alertmanager.workload, *stores, collector.workload)
    return tuple(component(deployment, at) for component in every)


def process_specs(
    environment: Environment, settings: Settings, layout: StackDir, find: Callable[[list[str]], Mapping[str, Path]]
) -> list[ProcessSpec]:
    """The workloads as local processes. `find` maps names of binaries to paths or raises."""
    ports = {name: settings.port(name) for name in PORTS}
    inside = gated.inside(layout)
    found = workloads(settings.deployment(environment), LocalPlacement(ports, layout, inside or LOOPBACK))
    binaries = find(sorted(set().union(*(workload.binaries for workload in found))))
    specs = [ProcessSpec.from_workload(workload, layout, ports, binaries, LOOPBACK) for workload in found]
    known = {name: f"http://{LOOPBACK}:{ports[name]}" for name in ("prometheus", "otlp-http")}
    number = ports[release_controller.NAME]
    specs.append(release_controller.spec(layout, LOOPBACK, number, known["prometheus"], known["otlp-http"]))
    if inside is None:
        return specs
    behind = {name: number for each in specs for name, number in each.ports.items() if name in gated.BEHIND}
    return [gated.spec(layout, LOOPBACK, inside, behind), *specs]


def endpoints(settings: Settings) -> dict[str, str]:
    """Where people and agents reach the local stack."""
    named = {
        "otlp_http": "otlp-http",
        "prometheus": "prometheus",
        "alertmanager": "alertmanager",
        "releases": release_controller.NAME,
        settings.logs: settings.logs,
        settings.traces: settings.traces,
    }
    return {
        **{key: f"http://{LOOPBACK}:{settings.port(port)}" for key, port in named.items()},
        "otlp_grpc": f"{LOOPBACK}:{settings.port('otlp-grpc')}",
    }


class Observability(ComponentResource):
    """The local realisation: one supervisord and a process for each workload."""

    TYPE: Final = "agentobs:platform:Observability"

    def __init__(
        self, name: str, specs: list[ProcessSpec], layout: StackDir, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(self.TYPE, name, None, opts)
        host = ProcessHost("supervisord", layout, ResourceOptions(parent=self))
        within = ResourceOptions(parent=self, depends_on=[host], deleted_with=host)
        self.processes = [Process(spec, within) for spec in specs]
        self.register_outputs({"ready": {spec.name: spec.ready_url for spec in specs}})
