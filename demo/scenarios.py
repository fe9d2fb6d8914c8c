"""Scenarios as data: the conditions a run starts with, and the one change that comes in the middle.

Not here: how conditions act (`brains`, `tools`) and when the change comes (`runner`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Final

from agentobs.contract import Label
from demo.system import LARGE, SMALL, XL, AgentName, ModelSpec, ServerName, ToolName


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong inside a tool server: shares of calls, and the call a process dies at (0: never)."""

    fail_ratio: float = 0.0
    hang_ratio: float = 0.0
    crash_after: int = 0

    def document(self) -> dict[str, float | int]:
        """Return the form a tool server reads."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """One tool server as deployed: another `version` is another process, other `faults` are not."""

    version: str
    faults: Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Everything a task depends on besides its input's seed. All `*_rate` and `skill` values are probabilities."""

    graph_version: str = "3"
    max_rounds: int = 2
    critic_rejects_rate: float = 0.03
    prompts: Mapping[AgentName, str]
    models: Mapping[AgentName, ModelSpec]
    servers: Mapping[ServerName, ServerSpec]
    skill: float = 0.982
    unknown_skill: float = 0.55
    needs_human_rate: float = 0.005
    hallucination_rate: float = 0.02
    violation_rate: float = 0.01
    rate_limited_rate: float = 0.01
    unknown_type_rate: float = 0.0
    context_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """What a diagnosis should find. `dimension` is the label of the version that changed, None when none did."""

    agent: str | None = None
    tool: str | None = None
    dimension: str | None = None
    version: str | None = None
    previous: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named change of conditions, from HEALTHY to `after`."""

    name: str
    changes: str
    after: Conditions
    culprit: Culprit | None


# Nothing real is perfect: with these, about 98 % of tool calls and 96 % of tasks succeed.
_ODD_FAILURES: Final = Faults(fail_ratio=0.015)

HEALTHY: Final = Conditions(
    prompts=MappingProxyType(
        {AgentName.ROUTER: "4", AgentName.PLANNER: "7", AgentName.EXECUTOR: "12", AgentName.CRITIC: "5"}
    ),
    models=MappingProxyType(
        {AgentName.ROUTER: SMALL, AgentName.PLANNER: LARGE, AgentName.EXECUTOR: LARGE, AgentName.CRITIC: SMALL}
    ),
    servers=MappingProxyType(
        {
            ServerName.KNOWLEDGE: ServerSpec(version="1.4.2", faults=_ODD_FAILURES),
            ServerName.ORDERS: ServerSpec(version="3.1.0", faults=_ODD_FAILURES),
            ServerName.BACKOFFICE: ServerSpec(version="0.9.5", faults=_ODD_FAILURES),
        }
    ),
)


def _server(name: ServerName, faults: Faults, version: str | None = None) -> Mapping[ServerName, ServerSpec]:
    spec = HEALTHY.servers[name]
    changed = replace(spec, faults=faults, version=version or spec.version)
    return MappingProxyType({**HEALTHY.servers, name: changed})


def _tool_culprit(tool: ToolName) -> Culprit:
    return Culprit(agent=AgentName.EXECUTOR, tool=tool)


_ALL: Final = (
    Scenario(name="healthy", changes="nothing changes", after=HEALTHY, culprit=None),
    Scenario(
        name="tool-regression",
        changes="the orders server is replaced by version 4.0.0, whose calls often fail",
        after=replace(HEALTHY, servers=_server(ServerName.ORDERS, Faults(fail_ratio=0.55), version="4.0.0")),
        culprit=Culprit(
            agent=AgentName.EXECUTOR,
            tool=ToolName.ORDER_LOOKUP,
            dimension=Label.TOOL_VERSION,
            version="4.0.0",
            previous="3.1.0",
        ),
    ),
    Scenario(
        name="prompt-regression",
        changes="the executor's prompt version 13 gives worse answers",
        after=replace(HEALTHY, skill=0.65, prompts=MappingProxyType({**HEALTHY.prompts, AgentName.EXECUTOR: "13"})),
        culprit=Culprit(
            agent=AgentName.EXECUTOR,
            dimension=Label.PROMPT_VERSION,
            version="13",
            previous=HEALTHY.prompts[AgentName.EXECUTOR],
        ),
    ),
    Scenario(
        name="model-swap",
        changes="the executor's model becomes sim-xl-2: slower and dearer, no better",
        after=replace(HEALTHY, models=MappingProxyType({**HEALTHY.models, AgentName.EXECUTOR: XL})),
        culprit=Culprit(agent=AgentName.EXECUTOR, dimension=Label.MODEL, version=XL.name, previous=LARGE.name),
    ),
    Scenario(
        name="graph-change",
        changes="graph version 4 lets the critic send work back again and again: loops, cost, hop limit",
        after=replace(HEALTHY, graph_version="4", max_rounds=5, critic_rejects_rate=0.7),
        culprit=Culprit(
            agent=AgentName.CRITIC,
            dimension=Label.GRAPH_VERSION,
            version="4",
            previous=HEALTHY.graph_version,
        ),
    ),
    Scenario(
        name="retry-storm",
        changes="kb_search turns flaky at the same version: retries and fallbacks pile up, tasks still succeed",
        after=replace(HEALTHY, servers=_server(ServerName.KNOWLEDGE, Faults(fail_ratio=0.6))),
        culprit=_tool_culprit(ToolName.KB_SEARCH),
    ),
    Scenario(
        name="timeouts",
        changes="the orders server hangs past the client's timeout, at the same version",
        after=replace(HEALTHY, servers=_server(ServerName.ORDERS, Faults(fail_ratio=0.015, hang_ratio=0.4))),
        culprit=_tool_culprit(ToolName.ORDER_LOOKUP),
    ),
    Scenario(
        name="hallucination",
        changes="answers stop being grounded in tool results; no version changes",
        after=replace(HEALTHY, hallucination_rate=0.4),
        culprit=Culprit(agent=AgentName.EXECUTOR),
    ),
    Scenario(
        name="policy-violation",
        changes="answers leak personal data and requests carry injected instructions; the guards catch them",
        after=replace(HEALTHY, violation_rate=0.35),
        culprit=Culprit(agent=AgentName.EXECUTOR),
    ),
    Scenario(
        name="crash-loop",
        changes="the orders server dies after a few calls and is restarted, again and again, at the same version",
        after=replace(HEALTHY, servers=_server(ServerName.ORDERS, Faults(fail_ratio=0.015, crash_after=6))),
        culprit=_tool_culprit(ToolName.ORDER_LOOKUP),
    ),
    Scenario(
        name="cost-spike",
        changes="requests come with long attachments: tokens and cost explode, versions stay",
        after=replace(HEALTHY, context_factor=30.0),
        culprit=Culprit(agent=AgentName.EXECUTOR),
    ),
    Scenario(
        name="data-drift",
        changes="request kinds arrive that no agent was made for; fewer tasks succeed, no version changes",
        after=replace(HEALTHY, unknown_type_rate=0.6),
        culprit=Culprit(agent=AgentName.PLANNER),
    ),
)

SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({scenario.name: scenario for scenario in _ALL})
