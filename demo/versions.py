"""What a version does in the sample system: the one table behind scenarios and managed runs.

A version that is not here behaves like the healthy one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from agentobs.pins import Pins
from demo.scenarios import HEALTHY, SCENARIOS, Conditions, ServerSpec
from demo.system import LARGE, SMALL, TOOLS_OF, XL, AgentName, ModelSpec, ServerName

MODELS: Final[Mapping[str, ModelSpec]] = MappingProxyType({spec.name: spec for spec in (SMALL, LARGE, XL)})


class UnknownVersionError(Exception):
    """A release that the sample system cannot run: it names a model or a server version that does not exist here."""


@dataclass(frozen=True, slots=True)
class _Effect:
    """Fields of `Conditions` that a version sets."""

    fields: Mapping[str, Any]


def _effect(scenario: str, *fields: str) -> _Effect:
    after = SCENARIOS[scenario].after
    return _Effect({field: getattr(after, field) for field in fields})


_PROMPTS: Final = {(AgentName.EXECUTOR, "13"): _effect("prompt-regression", "skill")}
_GRAPHS: Final = {"4": _effect("graph-change", "max_rounds", "critic_rejects_rate")}
SERVERS: Final[Mapping[ServerName, Mapping[str, ServerSpec]]] = {
    name: {spec.version: spec for spec in (SCENARIOS["tool-regression"].after.servers[name], HEALTHY.servers[name])}
    for name in ServerName
}
"""Every version of every server that can run."""


def conditions_of(pins: Pins) -> Conditions:
    """The conditions that a release makes. Raises UnknownVersionError, UnknownPinError."""
    agents = {name: pins.pinned(name) for name in AgentName}
    made = replace(
        HEALTHY,
        graph_version=pins.graph,
        prompts=MappingProxyType({name: agent.prompt.version for name, agent in agents.items()}),
        models=MappingProxyType({name: _model(name, agent.model.id) for name, agent in agents.items()}),
        servers=MappingProxyType({name: _server(name, pins) for name in ServerName}),
    )
    effects = [_PROMPTS.get((name, version)) for name, version in made.prompts.items()]
    for effect in (*effects, _GRAPHS.get(pins.graph)):
        if effect is not None:
            made = replace(made, **effect.fields)
    return made


def _model(agent: AgentName, id_: str) -> ModelSpec:
    if id_ not in MODELS:
        raise UnknownVersionError(f"{agent}: there is no model {id_!r} here; there are {', '.join(MODELS)}")
    return MODELS[id_]


def _server(name: ServerName, pins: Pins) -> ServerSpec:
    """The version of a server that the executor's tools of it are pinned to."""
    executor = pins.pinned(AgentName.EXECUTOR)
    wanted = {executor.tool(tool).version for tool in TOOLS_OF[name]}
    if len(wanted) > 1:
        raise UnknownVersionError(f"the tools of {name} are pinned to {', '.join(sorted(wanted))}; it is one server")
    (version,) = wanted
    if version not in SERVERS[name]:
        raise UnknownVersionError(f"there is no {name} {version} here; there are {', '.join(SERVERS[name])}")
    return SERVERS[name][version]
