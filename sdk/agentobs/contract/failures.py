"""How telemetry tells of a failed tool call without saying so: words of results, and types that say nothing.

Read twice, by the collector and in the agent's process, so as regular expressions that RE2 and Python both know.
*captured*: seen in a run of November 2026 or in telemetry that somebody published; *source*: read in published code.
"""

from typing import Final


def _one_of(*patterns: str) -> str:
    return f"(?:{'|'.join(patterns)})"


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

VAGUE_TYPE: Final = f"^{_one_of(*VAGUE_TYPES)}$"
_PHRASES: Final = _one_of(*(pattern for _, pattern, _ in RESULT_PHRASES))
_STARTS: Final = _one_of(*(pattern for _, pattern, _ in RESULT_STARTS))
_START: Final = r"^[^a-zA-Z]{0,8}(?:(?:output|result|data|content|type|text)[^a-zA-Z]{1,8}){0,6}"
_FIRST_KEYS: Final = r"^[^a-zA-Z]{0,8}(?:(?:output|result|data|content)[^a-zA-Z]{1,8}){0,3}"
FAILED_RESULT: Final = (
    rf"(?:^|[\"'])(?:{_PHRASES})|{_START}{_STARTS}|{_FIRST_KEYS}(?i:error)"
    r"[\\\"']{1,2}\s*:\s*(?:true\b|[\\]?[\"'][^\\\"'])"
)
# MCP's flag and what SDKs and frameworks make of it; the status of a message stands beside the id of its call.
IS_ERROR_FLAG: Final = r"(?i:\bis_?error)[\\\"']{0,4}\s*[:=]\s*[Tt]rue\b"
STATUS_ERROR: Final = (
    r"(?s:(?:tool_?(?:call|use)_?id|toolUseId|ToolMessage)(?:.*)status|^[^a-zA-Z]{0,4}status)"
    r"[\\\"']{0,4}\s*[:=]\s*[\\\"']{1,4}error\b"
)
ONLY_TIMED_OUT: Final = _START + _one_of(*(pattern for _, pattern, _ in RESULT_TIMEOUTS))
TIMED_OUT_RESULT: Final = "(?i)timed.?out|timeout"
SUSPICIOUS_WORDS: Final = ("rror", "xecution failed", "imed out", "imeout", "ailed to invoke")
"""One of them is in every text that the expressions above find: a search for literals settles it for nearly all."""
SHORT_RESULT: Final = 1000
"""Characters; of a longer result only its head is searched for a text, and its end for a flag."""
RESULT_HEAD: Final = 300
RESULT_TAIL: Final = 200
