"""What a request of one of the three wire formats asks: who is told what, which tools there are, what they said."""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from replies import Call

# What the frameworks call the field that says to whom is handed over.
_AGENT_FIELDS = frozenset(
    {
        "subagent_type", "agent", "agent_name", "to_agent", "member_id", "coworker", "to", "recipient", "target",
        "name",
    }
)  # fmt: skip


def read_body(request: BaseHTTPRequestHandler) -> bytes:
    """The body of a request; Node sends some in chunks."""
    length = request.headers.get("content-length")
    if length is not None:
        return request.rfile.read(int(length))
    body = b""
    while size := int(request.rfile.readline().split(b";")[0], 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


def _flat(content: object) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _turns(body: dict[str, Any]) -> list[dict[str, Any]]:
    turns = body.get("messages") or body.get("input") or []
    return [turn for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []


def system_text(body: dict[str, Any]) -> str:
    """What the request says as the system, in whichever place its format has for that."""
    said = [body.get("system"), body.get("instructions")]
    said += [turn.get("content") for turn in _turns(body) if turn.get("role") in {"system", "developer"}]
    return "\n".join(_flat(text) for text in said if text)


def tools(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Name and schema of each tool that the request offers."""
    found = {}
    for tool in body.get("tools") or []:
        inner = tool.get("function", tool)
        found[inner.get("name", "")] = inner.get("parameters") or inner.get("input_schema") or {}
    return found


def results(body: dict[str, Any]) -> list[tuple[str, str]]:
    """What tools have answered in this conversation, in order: name and text. Not read: Anthropic's messages."""
    names: dict[str, str] = {}
    found = []
    for turn in _turns(body):
        for call in turn.get("tool_calls") or []:
            names[call["id"]] = call["function"]["name"]
        if turn.get("type") == "function_call":
            names[turn["call_id"]] = turn["name"]
        if turn.get("role") == "tool":
            found.append((names.get(turn.get("tool_call_id", ""), ""), _flat(turn.get("content"))))
        elif turn.get("type") == "function_call_output":
            found.append((names.get(turn["call_id"], ""), _flat(turn.get("output"))))
    return found


def handover_tool(offered: dict[str, Any], whom: str) -> str | None:
    """The tool that hands over: named after who is to take over, or one of the frameworks' own."""
    for part in (whom, "transfer_to", "handoff", "delegate"):
        for name in offered:
            if part in name.lower():
                return name
    return next((name for name, schema in offered.items() if "subagent_type" in str(schema)), None)


def handover_call(name: str, schema: dict[str, Any], whom: str, text: str) -> Call:
    """Call that tool with whatever its schema wants."""
    properties = schema.get("properties", {})
    wanted = schema.get("required") or list(properties)
    # Optional in its schema, yet without it the wrong agent is asked.
    wanted = [*wanted, *({"subagent_type"} & set(properties) - set(wanted))]

    def value(key: str) -> str | None:
        if key in _AGENT_FIELDS:
            return whom
        # What may be null, where a strict schema requires every field, is null.
        return None if "'null'" in str(properties.get(key, {})) else text

    return name, {key: value(key) for key in wanted}
