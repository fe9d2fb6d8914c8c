"""Which stores a stack on this computer uses: decided at its first `up`, written into its settings, never flipped."""

from dataclasses import dataclass
from typing import Final

import yaml

import toolchain
from collector.stores import GRAFANA, PERMISSIVE, TITLES, LogKind, Stores, TraceKind
from stacks.settings import NAMESPACE
from stacks.workspace import Workspace
from toolchain import Reporter, ToolchainError

_BINARIES: Final = {
    TraceKind.TEMPO: "tempo",
    TraceKind.JAEGER: "jaeger",
    LogKind.LOKI: "loki",
    LogKind.VICTORIALOGS: "victoria-logs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The stores, and why these."""

    stores: Stores
    why: str

    def __str__(self) -> str:
        return f"Traces go to {TITLES[self.stores.traces]}, logs to {TITLES[self.stores.logs]}: {self.why}."

    @property
    def binaries(self) -> list[str]:
        """What the toolchain has to bring for them."""
        return [_BINARIES[self.stores.traces], _BINARIES[self.stores.logs]]


def choose(workspace: Workspace, reporter: Reporter) -> Choice:
    """What is set; else what runs already; else Tempo and Loki where their publishers' programs can be had.

    Tempo and Loki are taken as a pair, as who forbids one of them forbids the other. Writes nothing.
    """
    said = set_by_operator(workspace)
    if {"traces", "logs"} <= said.keys():
        return Choice(stores=_of(said, PERMISSIVE), why="as the settings of this stack say")
    running = Choice(stores=PERMISSIVE, why="that is what runs here")
    found = running if _runs(workspace, PERMISSIVE) else _had(reporter)
    return Choice(stores=_of(said, found.stores), why=found.why)


def keep(workspace: Workspace, choice: Choice) -> None:
    """Write the choice into the settings where they do not say it yet; the stack has to be there."""
    said = set_by_operator(workspace)
    for key, store in (("traces", choice.stores.traces), ("logs", choice.stores.logs)):
        if key not in said:
            workspace.pulumi("config", "set", f"{NAMESPACE}:{key}", store, quiet=True)


def set_by_operator(workspace: Workspace) -> dict[str, str]:
    """The settings `traces` and `logs`, as far as the stack's file has them."""
    file = workspace.settings
    config = (yaml.safe_load(file.read_text("utf-8")) or {}).get("config") or {} if file.exists() else {}
    named = {key: config.get(f"{NAMESPACE}:{key}") for key in ("traces", "logs")}
    return {key: value for key, value in named.items() if isinstance(value, str)}


def _of(said: dict[str, str], otherwise: Stores) -> Stores:
    """What is set, the rest as `otherwise`; a value that is none is left to the settings, which name it."""
    traces, logs = said.get("traces"), said.get("logs")
    return Stores(
        traces=TraceKind(traces) if traces in set(TraceKind) else otherwise.traces,
        logs=LogKind(logs) if logs in set(LogKind) else otherwise.logs,
    )


def _runs(workspace: Workspace, stores: Stores) -> bool:
    endpoints = workspace.outputs().get("endpoints", {})
    return stores.traces in endpoints and stores.logs in endpoints


def _had(reporter: Reporter) -> Choice:
    names = [_BINARIES[GRAFANA.traces], _BINARIES[GRAFANA.logs]]
    try:
        if out_of_reach := toolchain.unobtainable(names):
            return Choice(stores=PERMISSIVE, why=f"no {' and no '.join(out_of_reach)} is here, and none is ever built")
        toolchain.ensure(names, reporter)
    except ToolchainError as error:
        return Choice(stores=PERMISSIVE, why=str(error).split(",", maxsplit=1)[0].splitlines()[0])
    return Choice(stores=GRAFANA, why="their publishers' programs are here")
