"""An agent loop without a framework, for SDKs that trace what a program does by itself."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from scenario import TASKS, TOOLS_OF, instructions, question

Complete = Callable[[str, list[dict[str, Any]], list[dict[str, Any]]], Awaitable[Any]]
CallTool = Callable[[str, dict[str, Any]], Awaitable[str]]
RunAgent = Callable[[str, str], Awaitable[str]]


def schema(name: str, field: str = "topic") -> dict[str, Any]:
    """A tool as chat completions want it."""
    parameters = {"type": "object", "properties": {field: {"type": "string"}}, "required": [field]}
    return {"type": "function", "function": {"name": name, "description": f"Use {name}.", "parameters": parameters}}


async def converse(who: str, request: str, complete: Complete, call: CallTool, run_agent: RunAgent) -> str:
    """Let one agent work until it answers; `run_agent` is how it hands over."""
    team, _, role = who.partition("_")
    offered = [schema(name) for name in TOOLS_OF[role]]
    if role == "coordinator":
        offered.append(schema(f"ask_{team}_researcher", "request"))
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": instructions(who)},
        {"role": "user", "content": request},
    ]

    async def use(wanted: Any) -> dict[str, Any]:
        given = json.loads(wanted.function.arguments)
        if wanted.function.name.startswith("ask_"):
            # Not among the errors that a model is told: the task cannot go on without its researcher.
            text = await run_agent(f"{team}_researcher", given["request"])
        else:
            try:
                text = await call(wanted.function.name, given)
            except Exception as error:  # noqa: BLE001 a model is told of any
                text = f"Error: {error}"
        return {"role": "tool", "tool_call_id": wanted.id, "content": text}

    while True:
        message = (await complete(who, messages, offered)).choices[0].message
        if not message.tool_calls:
            return str(message.content)
        messages.append(message.model_dump(exclude_none=True))
        messages += await asyncio.gather(*(use(wanted) for wanted in message.tool_calls))


async def coordinate(task: str, run_agent: RunAgent) -> str:
    """One task, from its question to its answer."""
    return await run_agent(f"{TASKS[task].team}_coordinator", question(task))


def text_of(result: Any) -> str:
    """The text of an MCP tool's result; an error of the tool is raised, as its reader would."""
    text = " ".join(part.text for part in result.content if hasattr(part, "text"))
    failed = getattr(result, "isError", None) or getattr(result, "is_error", None)
    if failed:
        raise RuntimeError(text)
    return text
