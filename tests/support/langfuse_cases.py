"""What the Langfuse branch protects, case by case: one span and the part of Langfuse's row that matters.

A case of `MENDED` comes out wrong without the branch; a case of `KEPT` comes out right and must stay so.
"""

import json
from dataclasses import dataclass, field
from typing import Any

ASK = '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]'
SAY = '[{"role":"assistant","parts":[{"type":"text","content":"ho"}]}]'
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
TALK = {**CHAT, "gen_ai.input.messages": ASK, "gen_ai.output.messages": SAY}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}
USED = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 200}
PROMPT = {"gen_ai.prompt.name": "planner", "gen_ai.prompt.version": "3"}
BAGGAGE = {**PROMPT, "gen_ai.conversation.id": "c-1", "agentic.graph.version": "7"}
DETAILS = "gen_ai.client.inference.operation.details"
TALKED = {"input": ASK, "output": SAY}


@dataclass(frozen=True)
class Case:
    """One span, and the part of Langfuse's row that matters."""

    id: str
    attributes: dict[str, Any]
    want: dict[str, Any]
    resource: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


CONTENT = [
    Case("messages survive a prompt name and version on a model call", {**TALK, **PROMPT}, TALKED),
    Case("messages survive a misspelt prompt key", {**TALK, "gen_ai.prompt_name": "x"}, TALKED),
    Case("messages survive a completion key", {**TALK, "gen_ai.completion.id": "x"}, TALKED),
    Case(
        "arguments and result survive prompt keys that baggage copied to a tool call",
        {**TOOL, **BAGGAGE, "gen_ai.tool.call.arguments": '{"q":1}', "gen_ai.tool.call.result": '"r"'},
        {"input": '{"q":1}', "output": '"r"', "type": "TOOL", "name": "search"},
    ),
    Case(
        "messages survive prompt keys on an agent",
        {**AGENT, **BAGGAGE, "gen_ai.input.messages": ASK, "gen_ai.output.messages": SAY},
        {**TALKED, "type": "AGENT"},
    ),
    Case(
        "arguments survive prompt keys on an MCP server span",
        {"mcp.method.name": "prompts/get", **PROMPT, "gen_ai.tool.call.arguments": '{"q":1}'},
        {"input": '{"q":1}'},
        options={"kind": "server"},
    ),
    Case("a span without content has no prompt name as its input", {**CHAT, **PROMPT}, {"input": None, "output": None}),
    Case(
        "instructions without messages become the input",
        {**CHAT, "gen_ai.system_instructions": '[{"type":"text","content":"be kind"}]'},
        {"input": '[{"role":"system","parts":[{"type":"text","content":"be kind"}]}]'},
    ),
    Case(
        "instructions as plain text become the input",
        {**CHAT, "gen_ai.system_instructions": 'say "yes"', "gen_ai.output.messages": SAY},
        {"input": '[{"content":"say \\"yes\\"","role":"system"}]', "output": SAY},
    ),
    Case("`events` do not displace messages", {**TALK, "events": "[]"}, TALKED),
    Case(
        "`tool_arguments` do not displace a tool's arguments",
        {**TOOL, "tool_arguments": "x", "gen_ai.tool.call.arguments": '{"q":1}', "gen_ai.tool.call.result": "r"},
        {"input": '{"q":1}', "output": "r"},
    ),
    Case(
        "one side from another vocabulary does not cost the other side",
        {**CHAT, "gen_ai.input.messages": ASK, "output.value": "plain"},
        {"input": ASK, "output": "plain"},
    ),
    Case(
        "only one of Langfuse's own sides does not empty the other",
        {**TALK, "langfuse.observation.output": "short"},
        {"input": ASK, "output": "short"},
    ),
    Case(
        "only one of Langfuse's own sides does not lose the instructions",
        {**TALK, "langfuse.observation.output": "short", "gen_ai.system_instructions": '[{"type":"text"}]'},
        {"input": '[{"role":"system","parts":[{"type":"text"}]},' + ASK[1:], "output": "short"},
    ),
    Case(
        "structured messages become JSON",
        {**CHAT, "gen_ai.input.messages": [{"role": "user", "parts": []}], "gen_ai.output.messages": {"a": 1}},
        {"input": '[{"parts":[],"role":"user"}]', "output": '{"a":1}'},
    ),
    Case(
        "structured arguments become JSON",
        {**TOOL, "gen_ai.tool.call.arguments": {"q": [1, 2]}, "gen_ai.tool.call.result": []},
        {"input": '{"q":[1,2]}', "output": "[]"},
    ),
]
PAIRS = [
    ("prompt", "all_messages_events"),
    ("traceloop.entity.input", "traceloop.entity.output"),
    ("input.value", "output.value"),
    ("input", "output"),
    ("tool_arguments", "tool_response"),
]
CONTENT += [
    *(
        Case(f"`{first}` and `{second}` do not displace messages", {**TALK, first: "x", second: "y"}, TALKED)
        for first, second in PAIRS
    ),
    Case(
        "structured content of the application becomes JSON",
        {**AGENT, "langfuse.observation.input": {"a": 1}, "langfuse.observation.output": [{"b": 2}]},
        {"input": '{"a":1}', "output": '[{"b":2}]'},
    ),
    Case(
        "structured instructions become JSON",
        {**TALK, "gen_ai.system_instructions": [{"content": "be kind"}]},
        {"input": json.dumps([{"role": "system", "content": '[{"content":"be kind"}]'}, *json.loads(ASK)])},
    ),
    Case(
        "structured tool definitions become JSON",
        {**TALK, "gen_ai.tool.definitions": [{"name": "t"}]},
        {"input": json.dumps({"messages": json.loads(ASK), "tools": '[{"name":"t"}]'})},
    ),
    Case(
        "a result of the application's own does not empty a tool's arguments",
        {**TOOL, "gen_ai.tool.call.arguments": '{"q":1}', "langfuse.observation.output": "r"},
        {"input": '{"q":1}', "output": "r"},
    ),
    Case(
        "arguments of the application's own do not empty a tool's result",
        {**TOOL, "gen_ai.tool.call.result": "r", "langfuse.observation.input": "q"},
        {"input": "q", "output": "r"},
    ),
    Case(
        "an input of the application's own does not empty the answer",
        {**TALK, "langfuse.observation.input": "q"},
        {"input": "q", "output": SAY},
    ),
]
CONTENT += [
    Case(
        "numbered messages of OpenInference do not displace messages",
        {**TALK, "openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "user"},
        TALKED,
    ),
    Case(
        "structured messages of an event become JSON",
        {**CHAT, **PROMPT},
        {"input": '[{"role":"user"}]', "output": SAY},
        options={"events": [(DETAILS, {"gen_ai.input.messages": [{"role": "user"}], "gen_ai.output.messages": SAY})]},
    ),
]
CONTENT_KEPT = [
    Case(
        "messages in an event survive prompt keys",
        {**CHAT, **PROMPT},
        TALKED,
        options={"events": [(DETAILS, {"gen_ai.input.messages": ASK, "gen_ai.output.messages": SAY})]},
    ),
    *(
        Case(f"`{first}` and `{second}` stand in", {**AGENT, first: "x", second: "y"}, {"input": "x", "output": "y"})
        for first, second in PAIRS
    ),
    Case("events are left for Langfuse to tell apart", {**AGENT, "events": "[1]"}, {"input": "[1]"}),
    Case(
        "a structured bare `input` stands in as JSON",
        {**AGENT, "input": {"a": 1}},
        {"input": '{"a":1}', "output": None},
    ),
    Case(
        "numbered messages of OpenInference are left for Langfuse to rebuild",
        {**CHAT, "openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "user"},
        {"input": {".0.message.role": "user"}},
    ),
    Case(
        "numbered messages are left for Langfuse to rebuild",
        {**CHAT, "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi", "gen_ai.completion.0.content": "ho"},
        {"input": {".0.role": "user", ".0.content": "hi"}, "output": {".0.content": "ho"}},
    ),
    Case(
        "tool definitions stay with the messages",
        {**TALK, "gen_ai.tool.definitions": "[]"},
        {"input": json.dumps({"messages": json.loads(ASK), "tools": "[]"})},
    ),
    Case(
        "instructions stay in front of the messages",
        {**TALK, "gen_ai.system_instructions": "be kind"},
        {"input": json.dumps([{"role": "system", "content": "be kind"}, *json.loads(ASK)])},
    ),
]
NUMBERED = Case(
    "a prompt version among numbered messages",
    {**CHAT, **PROMPT, "gen_ai.prompt.0.content": "hi"},
    {"input": {".0.content": "hi"}, "prompt": ("planner", 3)},
)

TYPES = [
    Case("a workflow is a chain", {"gen_ai.operation.name": "invoke_workflow"}, {"type": "CHAIN"}),
    Case("retrieval is a retriever", {"gen_ai.operation.name": "retrieval"}, {"type": "RETRIEVER"}),
    Case(
        "a plan repeats no tokens of its model call",
        {**USED, "gen_ai.operation.name": "plan", "gen_ai.request.model": "gpt-4o", "agentic.cost.usd": 0.1},
        {"type": "CHAIN", "usage": {}, "cost": None, "model": None},
    ),
    Case(
        "an agent that is created repeats no tokens",
        {**USED, "gen_ai.operation.name": "create_agent", "gen_ai.request.model": "gpt-4o"},
        {"type": "AGENT", "usage": {}, "cost": None},
    ),
    Case(
        "an unknown operation with a model is no model call",
        {**USED, "gen_ai.operation.name": "fetch_response", "gen_ai.request.model": "gpt-4o"},
        {"type": "SPAN", "usage": {}, "cost": None},
    ),
    Case(
        "a bare `model` makes no model call of a step",
        {"gen_ai.conversation.id": "c", "model": "gpt-4o"},
        {"type": "SPAN", "model": None, "cost": None},
    ),
    Case(
        "the SDK's client span beside a tool call is no tool call",
        {"mcp.method.name": "tools/call", "gen_ai.tool.name": "search"},
        {"type": "SPAN", "name": "the SDK's client span beside a tool call is no tool call"},
        options={"kind": "client"},
    ),
    Case(
        "an MCP server span is no tool call and keeps its name",
        {**TOOL, "mcp.method.name": "tools/call"},
        {"type": "SPAN", "name": "an MCP server span is no tool call and keeps its name"},
        options={"kind": "server"},
    ),
    Case("a type in capitals is understood", {"langfuse.observation.type": "CHAIN"}, {"type": "CHAIN"}),
    Case(
        "an unknown type falls back to the operation",
        {**CHAT, "gen_ai.tool.name": "x", "langfuse.observation.type": "wish"},
        {"type": "GENERATION", "name": "an unknown type falls back to the operation"},
    ),
    Case(
        "a tool's name does not rename a model call",
        {**CHAT, "gen_ai.tool.name": "search"},
        {"name": "a tool's name does not rename a model call"},
    ),
    Case(
        "Logfire's message does not rename a span",
        {**AGENT, "logfire.msg": "run 123"},
        {"name": "Logfire's message does not rename a span"},
    ),
    Case(
        "a hand-off is no tool call",
        {"gen_ai.operation.name": "agent_handoff", "gen_ai.tool.name": "transfer_to_x"},
        {"type": "CHAIN"},
    ),
]
TYPES += [
    Case(
        "an unknown type does not hide a retriever",
        {"gen_ai.operation.name": "retrieval", "langfuse.observation.type": "wish"},
        {"type": "RETRIEVER"},
    ),
    Case("a task of Traceloop is a chain", {"traceloop.span.kind": "task"}, {"type": "CHAIN"}),
    Case("a task is a chain", {"agentic.span.role": "task"}, {"type": "CHAIN"}),
    Case(
        "the id of a tool call makes no tool call",
        {"gen_ai.operation.name": "approve", "gen_ai.tool.call.id": "1"},
        {"type": "SPAN"},
    ),
    Case(
        "a plan repeats no cost details",
        {"gen_ai.operation.name": "plan", "langfuse.observation.cost_details": '{"total":1}'},
        {"cost": None},
    ),
]
TYPES_KEPT = [
    *(
        Case(f"{operation} is a model call", {"gen_ai.operation.name": operation, **USED}, {"type": "GENERATION"})
        for operation in ("chat", "text_completion", "generate_content")
    ),
    Case("a tool call is a tool under its tool's name", TOOL, {"type": "TOOL", "name": "search"}),
    Case(
        "the only span of an MCP call stays the tool call",
        {**TOOL, "mcp.method.name": "tools/call"},
        {"type": "TOOL", "name": "search"},
        options={"kind": "client"},
    ),
    Case("embeddings", {"gen_ai.operation.name": "embeddings", **USED}, {"type": "EMBEDDING"}),
    Case("a node of a framework", {"openinference.span.kind": "CHAIN"}, {"type": "CHAIN"}),
    Case("a billed tool keeps its price", {**TOOL, "gen_ai.usage.cost": 0.5, "agentic.cost.usd": 0.5}, {"cost": 0.5}),
]

MONEY = [
    Case(
        "written cache is not counted twice",
        {
            **CHAT,
            **USED,
            "gen_ai.usage.cache_read.input_tokens": 400,
            "gen_ai.usage.cache_write.input_tokens": 300,
            "gen_ai.usage.reasoning.output_tokens": 50,
        },
        {
            "usage": {
                "input": 300,
                "input_cached_tokens": 400,
                "input_cache_creation": 300,
                "output": 150,
                "output_reasoning_tokens": 50,
                "total": 1200,
            }
        },
    ),
    Case(
        "cached input counted apart from input is added",
        {**CHAT, **USED, "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 400},
        {"usage": {"input": 100, "input_cached_tokens": 400, "output": 200, "total": 700}},
    ),
    Case(
        "an unknown usage key is not counted",
        {**CHAT, **USED, "gen_ai.usage.foo": 7},
        {"usage": {"input": 1000, "output": 200, "total": 1200}},
    ),
    Case(
        "tokens of two vocabularies are not counted twice",
        {**CHAT, **USED, "openinference.span.kind": "LLM", "llm.token_count.total": 1200, "llm.token_count.x": 3},
        {"usage": {"input": 1000, "output": 200, "total": 1200}},
    ),
    Case(
        "money is not counted as tokens",
        {**CHAT, **USED, "gen_ai.usage.cost.amount": 2.0},
        {"usage": {"input": 1000, "output": 200, "total": 1200}},
    ),
    Case(
        "a fractional count is a count",
        {**CHAT, **USED, "gen_ai.usage.output_tokens": 200.5},
        {"usage": {"input": 1000, "output": 200, "total": 1200}},
    ),
    Case(
        "not a number is no count",
        {**CHAT, "gen_ai.usage.output_tokens": float("nan"), "gen_ai.usage.input_tokens": 5},
        {"usage": {"input": 5, "total": 5}},
    ),
    Case("our price is Langfuse's price", {**CHAT, **USED, "agentic.cost.usd": 0.0123}, {"cost": 0.0123}),
    Case("a price in text is read", {**CHAT, **USED, "agentic.cost.usd": "0.5"}, {"cost": 0.5}),
    Case("a word for a price poisons nothing", {**CHAT, **USED, "gen_ai.usage.cost": "abc"}, {"cost": "table"}),
    Case("a flag for a price poisons nothing", {**CHAT, **USED, "gen_ai.usage.cost": True}, {"cost": "table"}),
    Case(
        "infinity for a price poisons nothing", {**CHAT, **USED, "gen_ai.usage.cost": float("inf")}, {"cost": "table"}
    ),
    Case(
        "not a number for a price poisons nothing",
        {**CHAT, **USED, "gen_ai.usage.cost": float("nan")},
        {"cost": "table"},
    ),
    Case(
        "structured cost details poison nothing",
        {**CHAT, **USED, "langfuse.observation.cost_details": {"total": 0.25}},
        {"cost": 0.25},
    ),
    Case(
        "a word in cost details poisons nothing",
        {**CHAT, **USED, "langfuse.observation.cost_details": '{"total":"abc"}'},
        {"cost": "table"},
    ),
    Case(
        "a third cost without a total does not make a call free",
        {**CHAT, **USED, "langfuse.observation.cost_details": '{"input":1,"output":1,"cache":1}'},
        {"cost": "table"},
    ),
    Case("a failed call is not priced by counting its input", {**TALK}, {"cost": 0.0}, options={"status": "error"}),
    Case(
        "a deployment's alias does not hide the model",
        {**CHAT, **USED, "gen_ai.response.model": "prod-eu-1"},
        {"model": "gpt-4o", "cost": "table"},
    ),
]
MONEY += [
    Case(
        "written cache counted apart from input is added",
        {**CHAT, **USED, "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_creation.input_tokens": 300},
        {"usage": {"input": 100, "input_cache_creation": 300, "output": 200, "total": 600}},
    ),
    Case(
        "read and written cache counted apart from input are added",
        {
            **CHAT,
            **USED,
            "gen_ai.usage.input_tokens": 500,
            "gen_ai.usage.cache_read.input_tokens": 400,
            "gen_ai.usage.cache_creation.input_tokens": 300,
        },
        {
            "usage": {
                "input": 500,
                "input_cached_tokens": 400,
                "input_cache_creation": 300,
                "output": 200,
                "total": 1400,
            }
        },
    ),
    Case(
        "structured usage of the Langfuse SDK is read",
        {**CHAT, "langfuse.observation.usage_details": {"input": 3, "output": 4}},
        {"usage": {"input": 3, "output": 4, "total": 7}},
    ),
    Case(
        "broken usage of the Langfuse SDK does not hide the usage",
        {**CHAT, **USED, "langfuse.observation.usage_details": '{"input":1.5}'},
        {"usage": {"input": 1000, "output": 200, "total": 1200}},
    ),
]
MONEY_KEPT = [
    Case(
        "a bare `model` names the model of a model call",
        {"gen_ai.operation.name": "chat", **USED, "model": "gpt-4o"},
        {"model": "gpt-4o", "cost": "table"},
    ),
    Case(
        "a dated model of a known family stays",
        {**CHAT, **USED, "gen_ai.response.model": "gpt-4o-2024-11-20"},
        {"model": "gpt-4o-2024-11-20"},
    ),
    Case("a price of zero is a price", {**CHAT, **USED, "gen_ai.usage.cost": 0.0}, {"cost": 0.0}),
    Case("counts as text", {**CHAT, "gen_ai.usage.input_tokens": "5"}, {"usage": {"input": 5, "total": 5}}),
    Case("a failed call with usage keeps its price", {**CHAT, **USED}, {"cost": "table"}, options={"status": "error"}),
    Case("an agent's tokens are not counted", {**AGENT, **USED, "agentic.cost.usd": 1.0}, {"usage": {}, "cost": None}),
    Case(
        "usage of the Langfuse SDK stays",
        {**CHAT, "langfuse.observation.usage_details": '{"input":3,"output":4}'},
        {"usage": {"input": 3, "output": 4, "total": 7}},
    ),
]

SLICES = [
    Case("an integer version links the prompt", {**TALK, **PROMPT}, {"prompt": ("planner", 3)}),
    Case(
        "a prompt's number links as well", {**TALK, **PROMPT, "gen_ai.prompt.version": 12}, {"prompt": ("planner", 12)}
    ),
    *(
        Case(
            f"version {version} links no prompt",
            {**CHAT, **PROMPT, "gen_ai.prompt.version": version},
            {"prompt": ("planner", None)},
        )
        for version in ("3-canary", "3.7", "1.2.3", "9f2c1", "v12", "70000", "0", "07", "sha-1234")
    ),
    Case(
        "a wrong version of the SDK links no prompt",
        {**CHAT, "langfuse.observation.prompt.version": "3-canary", "langfuse.observation.prompt.name": "p"},
        {"prompt": ("p", None)},
    ),
    *(
        Case(f"environment {given!r} is valid", TALK, {"environment": kept}, {"deployment.environment.name": given})
        for given, kept in (("Prod EU", "prod-eu"), ("prod.eu", "prod-eu"), ("dév", "d-v"), (7, "7"))
    ),
    Case(
        "session, user and tags of the resource reach the span",
        {**CHAT},
        {"session": "s", "user": "u", "tags": ["t"], "trace_name": "n"},
        {"session.id": "s", "user.id": "u", "langfuse.trace.tags": ["t"], "langfuse.trace.name": "n"},
    ),
    Case(
        "metadata of the resource reaches the span",
        {**CHAT},
        {"metadata": {"team": "core", "tier": "1"}},
        {"langfuse.metadata.team": "core", "langfuse.trace.metadata.tier": "1"},
    ),
    Case("the version Langfuse is told on the resource counts", CHAT, {"version": "9"}, {"langfuse.version": "9"}),
    Case("the end user of old conventions is the user", {**CHAT, "enduser.id": "u"}, {"user": "u"}),
    Case("an empty list of tags is no tag", {**CHAT, "langfuse.trace.tags": []}, {"tags": []}),
    Case(
        "every version can be filtered by",
        {
            **TOOL,
            **BAGGAGE,
            "agentic.tool.version": "2.1",
            "agentic.agent.version": "4",
            "error_class": "timeout",
            "agentic.rollout.track": "canary",
        },
        {
            "metadata": {
                "prompt_name": "planner",
                "prompt_version": "3",
                "graph_version": "7",
                "tool_name": "search",
                "tool_version": "2.1",
                "agent_version": "4",
                "error_class": "timeout",
                "track": "canary",
            }
        },
    ),
    Case(
        "the track of the resource can be filtered by",
        CHAT,
        {"metadata": {"track": "canary", "model": "gpt-4o"}},
        {"agentic.rollout.track": "canary"},
    ),
    Case(
        "the tool of an MCP span can be filtered by",
        {"mcp.method.name": "tools/call", "gen_ai.tool.name": "x"},
        {"metadata": {"tool_name": "x"}},
        options={"kind": "server"},
    ),
    Case(
        "an error type alone is an error", {**TOOL, "error.type": "Oops"}, {"level": "ERROR", "status_message": "Oops"}
    ),
    Case("an error class alone is an error", {**TOOL, "error_class": "tool_error"}, {"level": "ERROR"}),
    Case(
        "the exception's message is kept",
        TOOL,
        {"status_message": "boom", "level": "ERROR", "metadata": {"exception_type": "Oops"}},
        options={
            "status": "error",
            "events": [
                ("exception", {"exception.message": "first"}),
                ("exception", {"exception.message": "boom", "exception.type": "Oops"}),
            ],
        },
    ),
    Case(
        "the first chunk's time is kept", {**CHAT, "gen_ai.response.time_to_first_chunk": 0.25}, {"first_chunk": True}
    ),
    Case(
        "the task span is the root although an HTTP span called it",
        {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "support", "agentic.span.role": "task"},
        {"root": True, "trace_name": "support"},
        options={"parent": b"httpspan"},
    ),
    Case(
        "a span that knows its workflow names the trace",
        {**CHAT, "gen_ai.workflow.name": "support"},
        {"trace_name": "support"},
        options={"parent": b"someones"},
    ),
]
SLICES += [
    Case("an empty list of old tags is no tag", {**CHAT, "langfuse.tags": []}, {"tags": []}),
    *(
        Case(
            f"`{prefix}.{key}` wipes nothing",
            {**CHAT, f"{prefix}.{key}": "x"},
            {"wiped": False, "metadata": {f"{key}_": "x"}},
        )
        for prefix in ("langfuse.observation.metadata", "langfuse.trace.metadata")
        for key in ("attributes", "scope")
    ),
    Case(
        "workflow, outcome, agent and its version can be filtered by",
        {
            **AGENT,
            "gen_ai.agent.version": "5",
            "gen_ai.workflow.name": "support",
            "agentic.task.outcome": "failure",
        },
        {"metadata": {"agent_name": "planner", "agent_version": "5", "workflow": "support", "outcome": "failure"}},
    ),
]
SLICES_KEPT = [
    Case(
        "empty lists of a model call",
        {**CHAT, "gen_ai.response.finish_reasons": [], "gen_ai.request.stop_sequences": []},
        {"model": "gpt-4o"},
    ),
    Case("the conversation is the session", {**CHAT, **BAGGAGE}, {"session": "c-1"}),
    Case(
        "a session of the process does not displace the conversation",
        {**CHAT, **BAGGAGE},
        {"session": "c-1"},
        {"langfuse.trace.name": "n", "session.id": "process"},
    ),
    Case("a valid environment stays", CHAT, {"environment": "test"}),
    Case("the service's version is the version", CHAT, {"version": "1.0.0"}),
    Case(
        "a status message wins over the exception",
        CHAT,
        {"status_message": "told", "level": "ERROR"},
        options={"status": "error", "message": "told", "events": [("exception", {"exception.message": "x"})]},
    ),
    Case(
        "a handled exception is no error",
        {**CHAT, "error_class": "none"},
        {"level": "DEFAULT", "status_message": None},
        options={"events": [("exception", {"exception.message": "x"})]},
    ),
    Case(
        "a level of the application wins",
        {**CHAT, "langfuse.observation.level": "WARNING", "error.type": "x"},
        {"level": "WARNING"},
    ),
    Case("a zero parent is none", CHAT, {"root": True}, options={"parent": bytes(8)}),
    Case("an inner span is no root", CHAT, {"root": False}, options={"parent": b"someones"}),
]

MENDED = [*CONTENT, NUMBERED, *TYPES, *MONEY, *SLICES]
KEPT = [*CONTENT_KEPT, *TYPES_KEPT, *MONEY_KEPT, *SLICES_KEPT]
