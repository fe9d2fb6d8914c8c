"""What one case is, and the words that all tables share."""

from dataclasses import dataclass, field
from typing import Any

from agentobs.contract import Attr, Label
from support import otlp

PARENT = b"12345678"
ROOT = b""
CONTENT_JSON = '{"content": "%s", "type": "tool", "status": "success"}'


@dataclass(frozen=True)
class Case:
    """One span: what an emitter sends, what the contract wants of it, and the families that count it."""

    id: str
    name: str
    attributes: dict[str, Any]
    want: dict[str, Any]
    counts: str = ""
    scope: str = "test"
    kind: str = "internal"
    status: str = "unset"
    message: str = ""
    parent: bytes = PARENT
    events: tuple[tuple[str, dict[str, Any]], ...] = ()
    resource: dict[str, Any] = field(default_factory=lambda: dict(otlp.SERVICE))


def exception(kind: str, message: str = "") -> tuple[tuple[str, dict[str, Any]], ...]:
    return (("exception", {"exception.type": kind, "exception.message": message}),)


OP, MODEL, PROVIDER, AGENT, TOOL = Attr.OPERATION, Attr.REQUEST_MODEL, Attr.PROVIDER, Attr.AGENT_NAME, Attr.TOOL_NAME
IN, OUT, CACHE, REASONING = Attr.INPUT_TOKENS, Attr.OUTPUT_TOKENS, Attr.CACHE_READ_TOKENS, Attr.REASONING_TOKENS
WRITE = Attr.CACHE_WRITE_TOKENS
CLASS, VERSION, TOOL_VERSION = Label.ERROR_CLASS, Attr.PROMPT_VERSION, Attr.TOOL_VERSION
WORKFLOW, OUTCOME, SESSION = Attr.WORKFLOW_NAME, Attr.TASK_OUTCOME, Attr.CONVERSATION_ID
CHAT = {OP: "chat", MODEL: "gpt-4.1", PROVIDER: "openai", IN: 10, OUT: 5}
TOOL_SPAN = {OP: "execute_tool", TOOL: "lookup"}
OI, OLLM = "openinference.instrumentation", "opentelemetry.instrumentation"
LC = f"{OI}.langchain"
LC_AGENT = '{"lc_agent_name": "planner", "langgraph_node": "planner", "prompt_version": 3, "_meta": {"version": "2.1"}}'
LC_NODE = '{"langgraph_node": "planner"}'
HASH = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # SHA-256 of "abc"
LANGFUSE_USAGE = '{"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}'
LANGFUSE_PARTS = '{"input": 8, "input_cached_tokens": 2, "output": 4, "output_reasoning_tokens": 1}'
