"""What is peculiar to single frameworks in what they ask: DSPy's tools in words, prefixes, handing over."""

import json
import re
from typing import Any

from scenario import Tool
from spelling import replies, requested

_DESCRIBED = re.compile(r"\(\d+\) (\w+), whose description is .*?It takes arguments (\{.*?\})\.\s", re.DOTALL)
_FIELD = re.compile(r"'(\w+)': \{")


def tools(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Name and schema of each tool that the request offers."""
    found = requested.tools(body)
    # DSPy describes its tools in words and takes fields of text for an answer.
    for name, properties in _DESCRIBED.findall(requested.system_text(body)):
        found[name] = {"properties": {field: {"type": "string"} for field in _FIELD.findall(properties)}}
    return found


def in_fields(body: dict[str, Any], reply: replies.Reply) -> replies.Reply:
    """The reply as DSPy reads it, where DSPy asks."""
    said = json.dumps(body.get("messages"), ensure_ascii=False)
    if "next_tool_name" in requested.system_text(body) and "starting with the field `[[ ## next_thought" in said:
        name, given = reply.calls[0] if reply.calls else ("finish", {})
        fields = {"next_thought": "One step more.", "next_tool_name": name, "next_tool_args": json.dumps(given)}
    elif "[[ ## reasoning ## ]]" in requested.system_text(body):
        fields = {"reasoning": "All is known.", "answer": str(reply.text)}
    else:
        return reply
    text = "\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in {**fields, "completed": ""}.items())
    return replies.Reply(text, [], reply.usage, reply.number)


def named(offered: dict[str, Any], name: str) -> str:
    """A tool by its name here: some frameworks put a prefix before what the server calls it."""
    return name if name in offered else next((tool for tool in offered if tool.endswith(name)), name)


def arguments(offered: dict[str, Any], call: Tool) -> dict[str, Any]:
    """Arguments of a tool; nothing but the topic, so that a retry's are equal."""
    schema = offered.get(named(offered, call.name), {})
    return {next(iter(schema.get("properties", {})), "topic"): call.topic}


def handover_call(offered: dict[str, Any], task: str, team: str) -> replies.Call:
    """Hand over to the researcher of a team."""
    name = handover_tool(offered) or ""
    return requested.handover_call(
        name, offered[name], f"{team}_researcher", f"[task:{task}] Find out what became of the order."
    )


def handover_tool(offered: dict[str, Any]) -> str | None:
    """The tool by which a coordinator does that."""
    return requested.handover_tool(offered, "researcher")
