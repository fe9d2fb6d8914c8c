"""What the model says: a planner looks an order up and hands over, an executor refunds it, if need be twice.

It keeps nothing between requests: whose turn it is stands in the system prompt, how far it is in the conversation.
"""

import re
from typing import Any

import replies
import requested

WHO = re.compile(r"\byou are (?:the )?(planner|executor)\b", re.IGNORECASE)
ORDER = re.compile(r"\border (\d+)")
LOOKUP, REFUND, REFUNDED = "order_lookup", "order_refund", "refunded"
MOST_TRIES = 3
# Tokens of a reply say whose it is and which: 1200, 1300 ... for a planner's, 2200 ... for an executor's.
_INPUT = {"planner": 1200, "executor": 2200, None: 300}
_OUTPUT = {"planner": 31, "executor": 51, None: 11}


def agent_of(body: dict[str, Any]) -> str | None:
    """The agent that asks, by what it is told to be; None for a stranger."""
    found = WHO.search(requested.system_text(body))
    return found[1].lower() if found else None


def answer(body: dict[str, Any]) -> replies.Reply:
    """The next thing that the agent's model says."""
    agent = agent_of(body)
    done = requested.results(body)
    usage = {"input": _INPUT[agent] + 100 * len(done), "output": _OUTPUT[agent] + len(done)}
    call = _next_call(agent, requested.tools(body), done, _order(body))
    if call is not None:
        return replies.Reply(None, [call], usage)
    text = done[-1][1] if done else "This model plays a planner and an executor only; see examples/README.md."
    return replies.Reply(f"Done: {text}", [], usage)


def _next_call(
    agent: str | None, offered: dict[str, dict[str, Any]], done: list[tuple[str, str]], order: str
) -> replies.Call | None:
    called = [name for name, _ in done]
    if agent == "planner":
        if LOOKUP in offered and LOOKUP not in called:
            return LOOKUP, _arguments(offered[LOOKUP], order)
        over = requested.handover_tool(offered, "executor")
        if over and over not in called:
            return requested.handover_call(over, offered[over], "executor", f"Refund order {order}.")
    is_refunded = any(name == REFUND and REFUNDED in text for name, text in done)
    if agent == "executor" and REFUND in offered and not is_refunded and called.count(REFUND) < MOST_TRIES:
        return REFUND, _arguments(offered[REFUND], order)
    return None


def _arguments(schema: dict[str, Any], order: str) -> dict[str, Any]:
    """The same each time, so that a second try is known as one."""
    return {next(iter(schema.get("properties", {})), "order"): order}


def _order(body: dict[str, Any]) -> str:
    found = ORDER.search(str(body.get("messages") or body.get("input")))
    return found[1] if found else "1"
