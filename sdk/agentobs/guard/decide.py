"""Whether a call may be made: a pure function of policy, call and state, in one order for gateway and guard.

Identity, kill, permission, pin, arguments, breaker, calls in flight. What consumes (rate, money) is taken afterwards by
whoever mounts this, so that a refused call costs nothing. A tool that an agent may not call is unknown to it, whatever
else is wrong with the tool.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentobs.guard.arguments import first_problem
from agentobs.guard.codes import Policy, Refusal
from agentobs.guard.document import Document, ToolRule
from agentobs.guard.switch import Kill


@dataclass(frozen=True)
class Call:
    """A tool call that somebody wants to make."""

    agent: str
    server: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`server/tool`."""
        return f"{self.server}/{self.tool}"


@dataclass(frozen=True)
class State:
    """What is known beside the policy: whom the caller may speak for, and how switch, pins and limits stand."""

    agents: frozenset[str] = frozenset()
    kill: Kill | None = None
    drift: str = ""
    breaker_open_s: float | None = None
    in_flight: int = 0


Step = Callable[[Call, State, ToolRule], Refusal | None]


def decide(document: Document, call: Call, state: State) -> ToolRule | Refusal:
    """The rule of a call that may be made, or why it may not."""
    refusal = _identity(call, state) or (None if state.kill is None or state.kill.hidden else killed(state.kill))
    if refusal:
        return refusal
    rule = document.rule(call.agent, call.server, call.tool)
    if rule is None:
        return unknown(call.tool)
    for _, step in STEPS:
        found = step(call, state, rule)
        if found:
            return found
    return rule


def unknown(tool: str) -> Refusal:
    """The answer about a tool that is not allowed: that of one that does not exist."""
    return Refusal(Policy.PERMISSION, f"Unknown tool: {tool}")


def killed(kill: Kill) -> Refusal:
    """The answer about what is stopped."""
    return Refusal(Policy.KILL, str(kill), kill.scope)


def _identity(call: Call, state: State) -> Refusal | None:
    if call.agent in state.agents:
        return None
    named = call.agent or "none"
    return Refusal(
        Policy.IDENTITY,
        f"agent {named} is not one that this caller speaks for; expected gen_ai.agent.name in the baggage to be one of "
        f"{', '.join(sorted(state.agents)) or 'none'}",
        named,
    )


def _killed(call: Call, state: State, rule: ToolRule) -> Refusal | None:
    del call, rule
    return killed(state.kill) if state.kill else None


def _pin(call: Call, state: State, rule: ToolRule) -> Refusal | None:
    del rule
    return (
        Refusal(Policy.PIN, f"{call.name} is not what was reviewed: {state.drift}", call.name) if state.drift else None
    )


def _arguments(call: Call, state: State, rule: ToolRule) -> Refusal | None:
    del state
    problem = first_problem(rule.arguments, call.arguments)
    return Refusal(Policy.ARGUMENTS, f"{call.name}: argument {problem}", call.name, problem) if problem else None


def _breaker(call: Call, state: State, rule: ToolRule) -> Refusal | None:
    del rule
    if state.breaker_open_s is None:
        return None
    return Refusal(
        Policy.BREAKER, f"{call.name} failed several times in a row and is left alone for a while", call.name, "",
        state.breaker_open_s,
    )  # fmt: skip


def _in_flight(call: Call, state: State, rule: ToolRule) -> Refusal | None:
    if state.in_flight < rule.in_flight:
        return None
    return Refusal(
        Policy.IN_FLIGHT, f"{call.agent} has {state.in_flight} calls of {call.name} running already",
        f"{call.agent} {call.name}", str(rule.in_flight), 1.0,
    )  # fmt: skip


STEPS: Final[tuple[tuple[Policy, Step], ...]] = (
    (Policy.KILL, _killed),
    (Policy.PIN, _pin),
    (Policy.ARGUMENTS, _arguments),
    (Policy.BREAKER, _breaker),
    (Policy.IN_FLIGHT, _in_flight),
)
