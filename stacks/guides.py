"""The parts of guides that follow from code: tables of sizes, ports of processes, the picture of the network flows.

A guide is written by a person; between `<!-- generated: name -->` and `<!-- end -->` stands what this module makes.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from stacks import architecture
from stacks.cluster import network, plan
from stacks.cluster.settings import ClusterSettings
from stacks.environments import DEV, ENVIRONMENTS, PROD, STAGING, Environment, EnvName
from stacks.workload import Outside, Workload

FOLDERS: Final = ("docs", "stacks/docs")
_BLOCK: Final = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ENVIRONMENTS: Final = (DEV, STAGING, PROD)
_GIB: Final = 1024
_EXAMPLE: Final = {
    "context": "example",
    "pages": "pagerduty",
    "tickets": "slack",
    "deadMansSwitch": "true",
    "objectsEndpoint": "s3.example.com",
    "lokiBucket": "loki",
    "tempoBucket": "tempo",
    "grafanaDatabase": "postgres.example.com:5432/grafana",
}
_LANGFUSE: Final = frozenset({"langfuse-web", "langfuse-worker", "postgres", "clickhouse", "valkey", "objects"})
_OUTSIDE: Final[Mapping[Outside, str]] = {
    Outside.API: "Kubernetes API",
    Outside.HTTPS: "HTTPS outside",
    Outside.POSTGRES: "database elsewhere",
}


def documents(root: Path) -> dict[str, str]:
    """Every guide with its generated parts current: path below `root` -> text."""
    return {
        f"{folder}/{path.name}": filled(path.read_text("utf-8"))
        for folder in FOLDERS
        for path in sorted((root / folder).glob("*.md"))
    }


def filled(text: str) -> str:
    """The guide with its blocks made anew. Raises KeyError for a block that nobody makes."""
    return _BLOCK.sub(lambda found: found[1] + BLOCKS[found[2]]() + found[3], text)


@functools.cache
def _workloads(name: EnvName) -> tuple[Workload, ...]:
    """What a stack runs in an example cluster; what else an operator must say changes neither sizes nor flows."""
    return plan.make(ENVIRONMENTS[name], ClusterSettings.model_validate(_EXAMPLE)).workloads


def _rows(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = [*heads]
    lines = [titles, ["---"] * len(titles), *([*row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def totals() -> str:
    """What each environment asks of a cluster, with Langfuse and without."""
    return _rows(("environment", "pods", "CPU", "memory", "volumes"), _totals())


def _totals() -> Iterator[tuple[str, ...]]:
    for environment in _ENVIRONMENTS:
        sizes, every = plan.cluster_of(environment).sizes, [each.name for each in _workloads(environment.name)]
        for left_out, words in ((_LANGFUSE, "without Langfuse"), (frozenset[str](), "with Langfuse")):
            here = [sizes[name] for name in every if name not in left_out]
            cpu = sum(size.cpu * size.replicas for size in here) / 1000
            memory = sum(size.memory_mib * size.replicas for size in here) / _GIB
            disk = sum(size.disk_mib * size.replicas for size in here) / _GIB
            pods = sum(size.replicas for size in here)
            yield f"{environment.name}, {words}", str(pods), f"{cpu:.2f}", f"{memory:.1f} GiB", f"{disk:.0f} GiB"


def sizes() -> str:
    """Requests of each workload per environment: replicas x CPU / memory / volume."""
    named = dict.fromkeys(name for environment in _ENVIRONMENTS for name in plan.cluster_of(environment).sizes)
    rows = ((name, *(_size(environment, name) for environment in _ENVIRONMENTS)) for name in named)
    return _rows(("workload", *(str(environment.name) for environment in _ENVIRONMENTS)), rows)


def _size(environment: Environment, workload: str) -> str:
    size = plan.cluster_of(environment).sizes.get(workload)
    if size is None:
        return "elsewhere" if workload != "collector-sampler" else "one with the edge"
    count = f"{size.replicas} to {size.most_replicas}" if size.scales else str(size.replicas)
    disk = f" / {size.disk_mib / _GIB:g} GiB" if size.disk_mib else ""
    return f"{count} x {size.cpu}m / {size.memory_mib} MiB{disk}"


def flows() -> str:
    """Who may talk to whom in staging, where the collector is split and all stores run inside; arrows are allowed."""
    made = _workloads(STAGING.name)
    lines = ["flowchart LR", "  agents([agents, labelled namespaces]) -->|OTLP, token| collector"]
    lines += ["  people([people, through the ingress]) --> grafana & langfuse-web"]
    lines += [f"  {source} --> {' & '.join(targets)}" for source, targets in _calls(made)]
    lines += [f"  {workload.name} --> {_node(where)}" for workload in made for where in workload.outside]
    lines += [f"  {workload.name} --> elsewhere[(services elsewhere)]" for workload in made if workload.reaches]
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def _calls(workloads: tuple[Workload, ...]) -> Iterator[tuple[str, list[str]]]:
    """Calls by source; that Prometheus reads the metrics of every pod would hide the rest."""
    scraped = {
        (flow.source, flow.target, flow.port) for flow in network.flows(workloads) if flow.source == "prometheus"
    }
    told = {"alertmanager"}
    for workload in workloads:
        found = [flow for flow in network.flows(workloads) if flow.source == workload.name != flow.target]
        shown = [f for f in found if (f.source, f.target, f.port) not in scraped or f.target in told]
        if shown:
            yield workload.name, list(dict.fromkeys(flow.target for flow in shown))


def _node(where: Outside) -> str:
    return f"{where}[({_OUTSIDE[where]})]"


BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "totals": totals,
    "sizes": sizes,
    "flows": flows,
    "processes": architecture.processes,
}
"""Name of a block -> what makes it."""
