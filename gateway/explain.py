"""What becomes of a call, step by step, without making it; and what a changed policy changes."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from agentobs.guard.codes import Refusal
from agentobs.guard.decide import STEPS, Call, State, decide
from agentobs.guard.document import Document, ToolRule
from agentobs.guard.quantities import usd


@dataclass(frozen=True, slots=True)
class Said:
    """One line of an explanation: what was asked, whether it agrees, and why."""

    step: str
    passes: bool
    words: str


def explain(document: Document, call: Call, state: State) -> list[Said]:
    """Every step that a call takes until one refuses, then what it would consume."""
    rule = document.rule(call.agent, call.server, call.tool)
    said = [Said("identity", True, f"agent {call.agent}")]
    if state.kill:
        return [*said, Said("kill", False, str(state.kill))]
    if rule is None:
        return [*said, Said("permission", False, _why_not(document, call))]
    said.append(Said("permission", True, f"agents.{call.agent}.tools has {call.name}"))
    for policy, step in STEPS:
        refusal = step(call, state, rule)
        said.append(Said(policy.value, refusal is None, refusal.message if refusal else "agrees"))
        if refusal:
            return said
    return [*said, *(Said(name, True, words) for name, words in _limits(rule))]


def allowed(document: Document, call: Call, state: State) -> bool:
    """Whether the call would be made."""
    return not isinstance(decide(document, call, state), Refusal)


def _why_not(document: Document, call: Call) -> str:
    if call.agent not in document.agents:
        return f"agents has no {call.agent}; what is not listed is denied"
    if call.server not in document.servers:
        return f"servers has no {call.server}"
    return f"agents.{call.agent}.tools has no {call.name}; what is not listed is denied and not shown"


def _limits(rule: ToolRule) -> Iterator[tuple[str, str]]:
    yield "rate", f"{rule.rate or 'no limit'}{f', burst {rule.burst}' if rule.burst else ''}"
    yield "in flight", f"at most {rule.in_flight}"
    yield "timeout", f"{rule.timeout_s:g} s, whatever progress says"
    yield "result", f"at most {rule.result_bytes} bytes"
    if rule.cost_usd:
        yield "cost", f"{usd(rule.cost_usd)} per call"


def difference(old: Document, new: Document) -> list[str]:
    """What a new policy changes, a line each: + is more than before, - less, ~ another."""
    lines = [*_servers(old, new)]
    for agent in sorted({*old.agents, *new.agents}):
        lines += _agent(agent, old, new)
    if old.fleet_day != new.fleet_day:
        lines.append(_money("fleet.cost_usd.day", old.fleet_day, new.fleet_day))
    for name in ("issuers", "identities", "breaker", "pins"):
        if getattr(old, name) != getattr(new, name):
            lines.append(f"~ {name} changed")
    return lines


def _servers(old: Document, new: Document) -> Iterator[str]:
    for name in sorted({*old.servers, *new.servers}):
        before, after = old.servers.get(name), new.servers.get(name)
        if before is None:
            yield f"+ server {name}"
        elif after is None:
            yield f"- server {name}"
        elif before != after:
            yield f"~ server {name} changed"


def _agent(agent: str, old: Document, new: Document) -> Iterator[str]:
    before, after = (document.agents.get(agent) for document in (old, new))
    tools = ({**(before.tools if before else {})}, {**(after.tools if after else {})})
    for key in sorted({*tools[0], *tools[1]}):
        name = "/".join(key)
        if key not in tools[0]:
            yield f"+ {agent} may call {name}"
        elif key not in tools[1]:
            yield f"- {agent} may no longer call {name}"
        else:
            yield from _rule(f"{agent} {name}", tools[0][key], tools[1][key])
    for limit in ("task", "day", "unknown_price"):
        money = [getattr(rule.cost_usd, limit) if rule else None for rule in (before, after)]
        if money[0] != money[1]:
            yield _money(f"{agent} cost_usd.{limit}", *money)


def _rule(name: str, old: ToolRule, new: ToolRule) -> Iterator[str]:
    for each in fields(ToolRule):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if before != after:
            words = ("none" if value is None else value for value in (before, after))
            yield (
                f"~ {name}: {each.name} {' -> '.join(map(str, words))}"
                if each.name != "arguments"
                else (f"~ {name}: arguments changed: {', '.join(sorted(_changed(before, after)))}")
            )


def _changed(old: dict[str, object], new: dict[str, object]) -> set[str]:
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def _money(name: str, old: int | None, new: int | None) -> str:
    sign = "~" if old is None or new is None else "+" if new > old else "-"
    return f"{sign} {name}: {' -> '.join('none' if one is None else usd(one) for one in (old, new))}"
