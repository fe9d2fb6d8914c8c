"""How telemetry tells of a failed tool call without saying so, and what is no failure although it is raised.

Read by the collector and in the agent's process, so regular expressions that RE2, Python and JavaScript all know: no
flags inside. `sdk/js/src/names.js` is made of this.
*captured*: seen in a run of November 2026 or in telemetry that somebody published; *source*: read in published code.
"""

from typing import Final

from agentobs.contract.attributes import Attr


def _one_of(*patterns: str) -> str:
    return f"(?:{'|'.join(patterns)})"


def _any_case(word: str) -> str:
    return "".join(f"[{letter.upper()}{letter}]" for letter in word)


# Where arguments and results of tools stand; the conventions' own name first, then one dialect after the other.
TOOL_ARGUMENTS: Final[tuple[str, ...]] = (
    Attr.TOOL_ARGUMENTS.value,
    "input.value",
    "traceloop.entity.input",
    "gcp.vertex.agent.tool_call_args",
    "tool_arguments",
    "ai.toolCall.args",
    "haystack.agent.step.tool.input",
    "spring.ai.tool.call.arguments",
    "langfuse.observation.input",
)
TOOL_RESULTS: Final[tuple[str, ...]] = (
    Attr.TOOL_RESULT.value,
    "output.value",
    "traceloop.entity.output",
    "gcp.vertex.agent.tool_response",
    "tool_response",
    "ai.toolCall.result",
    "haystack.agent.step.tool.output",
    "spring.ai.tool.call.result",
    "langfuse.observation.output",
)

# Types that say no more than that something failed.
VAGUE_TYPES: Final = (
    "_OTHER",
    "unknown",  # Mastra
    r"(?:.+\.)?Mcp_?Error",
    r"(?:.+\.)?MCPError",
    r"(?:.+\.)?ToolRetryError",
    "Exception",
    "Error",
    "AI_(?:APICall|Retry)Error",  # Vercel AI SDK
    r"(?:.+\.)?ClientError",  # botocore, google-genai
    r"(?:.+\.)?(?:ClientResultException|RequestFailedException|HttpOperationException)",  # Azure, Semantic Kernel
    r"(?:.+\.)?(?:API|APIStatus|APIResponse|InternalServer)Error",
)

# Control flow that travels as an exception. A pause waits for a person or for what only a caller can give; the others
# end a step early, hand over to another agent, or are how a language ends a loop.
PAUSES: Final = (
    ("LangGraph", r"langgraph\.errors\.(?:GraphInterrupt|NodeInterrupt)|GraphInterrupt|NodeInterrupt", "captured"),
    ("pydantic-ai", r"pydantic_ai\.exceptions\.(?:ApprovalRequired|CallDeferred)", "source"),
    ("CrewAI", r"(?:crewai\.[\w.]+\.)?HumanFeedbackPending", "source"),
)
HANDOVERS: Final = (
    ("LangGraph", r"(?:langgraph\.errors\.)?ParentCommand", "source"),
    ("Agno", r"agno\.exceptions\.StopAgentRun", "source"),
    ("Temporal", r"temporalio\.[\w.]+\.ContinueAsNewError", "source"),
    ("Python", r"(?:builtins\.)?Stop(?:Async)?Iteration", "source"),
)

# What a failed tool's result begins with. The same words inside a sentence are somebody's data.
RESULT_PHRASES: Final = (
    (
        "LangGraph, smolagents, MCP, Agno",
        r"Error (?:executing|invoking|calling|running|from) (?:MCP )?tool",
        "captured",
    ),
    ("Strands, Mastra", r"Tool execution failed", "captured"),
    ("OpenAI Agents", r"An error occurred while running the tool", "captured"),
    ("DSPy", r"Execution error in \w", "source"),
    ("CrewAI", r"I encountered an error while trying to use the tool", "source"),
    ("Haystack", r"Failed to invoke [Tt]ool", "source"),
)
# Shorter words, which count at the very beginning only.
RESULT_STARTS: Final = (
    ("LlamaIndex", r"Encountered error: ", "source"),
    ("LangGraph, .NET, many a tool", r"Error: ", "source"),
)
# A result that is nothing but the news of a timeout.
RESULT_TIMEOUTS: Final = (
    ("MCP SDK", r"Request '[^']{1,80}' timed out", "captured"),
    ("MCP SDK 1", r"Timed out while waiting for response", "captured"),
    ("languages", r"[A-Za-z.]{0,60}(?:TimeoutError|TimeoutException|ReadTimeout)\b", "source"),
    ("tools", r"(?:The )?(?:request|operation|tool call|call|command) timed out", "source"),
)

PAUSE: Final = f"^{_one_of(*(pattern for _, pattern, _ in PAUSES))}$"
HANDOVER: Final = f"^{_one_of(*(pattern for _, pattern, _ in HANDOVERS))}$"
VAGUE_TYPE: Final = f"^{_one_of(*VAGUE_TYPES)}$"
_PHRASES: Final = _one_of(*(pattern for _, pattern, _ in RESULT_PHRASES))
_STARTS: Final = _one_of(*(pattern for _, pattern, _ in RESULT_STARTS))
_START: Final = r"^[^a-zA-Z]{0,8}(?:(?:output|result|data|content|type|text)[^a-zA-Z]{1,8}){0,6}"
_FIRST_KEYS: Final = r"^[^a-zA-Z]{0,8}(?:(?:output|result|data|content)[^a-zA-Z]{1,8}){0,3}"
FAILED_RESULT: Final = (
    rf"(?:^|[\"'])(?:{_PHRASES})|{_START}{_STARTS}|{_FIRST_KEYS}{_any_case('error')}"
    r"[\\\"']{1,2}\s*:\s*(?:true\b|[\\]?[\"'][^\\\"'])"
)
# MCP's flag and what SDKs and frameworks make of it; the status of a message stands beside the id of its call.
IS_ERROR_FLAG: Final = rf"\b{_any_case('is')}_?{_any_case('error')}" + r"[\\\"']{0,4}\s*[:=]\s*[Tt]rue\b"
STATUS_ERROR: Final = (
    r"(?:(?:tool_?(?:call|use)_?id|toolUseId|ToolMessage)[\s\S]*status|^[^a-zA-Z]{0,4}status)"
    r"[\\\"']{0,4}\s*[:=]\s*[\\\"']{1,4}error\b"
)
ONLY_TIMED_OUT: Final = _START + _one_of(*(pattern for _, pattern, _ in RESULT_TIMEOUTS))
TIMED_OUT_RESULT: Final = "(?i)timed.?out|timeout"  # the collector's only
TIMED_OUT_WORDS: Final = ("timeout", "timed out", "-32001")
"""One of them is in the type or message of a call that failed because it took too long, in lower case."""
SUSPICIOUS_WORDS: Final = ("rror", "RROR", "xecution failed", "imed out", "imeout", "ailed to invoke")
"""One of them is in every text that the expressions above find: a search for literals settles it for nearly all."""
SHORT_RESULT: Final = 1000
"""Characters; of a longer result only its head is searched for a text, and its end for a flag."""
RESULT_HEAD: Final = 300
RESULT_TAIL: Final = 200
