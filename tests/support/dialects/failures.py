"""Failures under all their names."""

from support.dialects.case import CHAT, CLASS, CONTENT_JSON, TOOL_SPAN, Case, exception

_TOOL_FAILED = "Error executing tool lookup: ..."
FAILURES = (
    *(
        Case(f"timeout spelled {kind}", "chat", {**CHAT, "error.type": kind}, {CLASS: "timeout"}, "llm", status="error")
        for kind in (
            "TimeoutError",
            "asyncio.TimeoutError",
            "httpx.ReadTimeout",
            "httpx.ConnectTimeout",
            "openai.APITimeoutError",
            "requests.exceptions.Timeout",
            "java.util.concurrent.TimeoutException",
            "DEADLINE_EXCEEDED",
            "ETIMEDOUT",
            "timeout",
            "timed_out",
            "-32001",
            "504",
            "408",
            "524",
        )
    ),
    *(
        Case(f"{kind} is {expected}", "chat", {**CHAT, "error.type": kind}, {CLASS: expected}, "llm", status="error")
        for kind, expected in (
            ("openai.RateLimitError", "rate_limited"),
            ("429", "rate_limited"),
            ("asyncio.CancelledError", "cancelled"),
            ("builtins.ValueError", "invalid_input"),
            ("-32602", "invalid_input"),
            ("ToolExecutionError", "tool_error"),
        )
    ),
    Case("cancelled by message", "chat", CHAT, {CLASS: "cancelled"}, "llm", status="error", message="Run cancelled."),
    Case(
        "timeout in the status message",
        "chat",
        CHAT,
        {CLASS: "timeout"},
        "llm",
        status="error",
        message="Request timed out.",
    ),
    Case(
        "timeout in the message of a vague type",
        "execute_tool lookup",
        {**TOOL_SPAN, "error.type": "mcp.shared.exceptions.McpError"},
        {CLASS: "timeout"},
        "tool",
        status="error",
        message="Timed out while waiting for response to ClientRequest. Waited 1.0 seconds.",
    ),
    Case(
        "a vague type on a tool",
        "execute_tool lookup",
        {**TOOL_SPAN, "error.type": "_OTHER"},
        {CLASS: "tool_error"},
        "tool",
        status="error",
        message="redacted",
    ),
    Case("a numeric type", "chat", {**CHAT, "error.type": 504}, {CLASS: "timeout"}, "llm", status="error"),
    Case(
        "a dump as type",
        "chat",
        {**CHAT, "error.type": "x" * 100_000},
        {CLASS: "other", "error.type": "x" * 256},
        "llm",
        status="error",
        message="y" * 100_000 + "timed out",
    ),
    Case(
        "a failure of no known class",
        "chat",
        {**CHAT, "error.type": "KeyError"},
        {CLASS: "other"},
        "llm",
        status="error",
    ),
    Case(
        "rate limit in the message",
        "chat",
        CHAT,
        {CLASS: "rate_limited"},
        "llm",
        status="error",
        message="Error code: 429 - {'error': 'slow down'}",
    ),
    Case(
        "a handled exception is no failure",
        "chat",
        CHAT,
        {CLASS: "none", "error.type": None},
        "llm",
        status="ok",
        events=exception("TimeoutError"),
    ),
    Case(
        "a class that came with the span",
        "chat",
        {**CHAT, CLASS: "cancelled"},
        {CLASS: "cancelled"},
        "llm",
        status="error",
    ),
    *(
        Case(
            f"tool result {number}: {expected} from {key} with status {status}",
            "lookup",
            {**TOOL_SPAN, key: text},
            {CLASS: expected},
            "tool",
            status=status,
        )
        for number, (key, status, text, expected) in enumerate(
            (
                ("output.value", "ok", _TOOL_FAILED, "tool_error"),
                ("output.value", "ok", CONTENT_JSON % "Error executing tool lookup", "tool_error"),
                ("traceloop.entity.output", "unset", '{"output": "Error executing tool lookup"}', "tool_error"),
                (
                    "gen_ai.tool.call.result",
                    "ok",
                    "Error from MCP tool 'lookup': Request 'tools/call' timed out",
                    "timeout",
                ),
                ("gen_ai.tool.call.result", "unset", '{"content": [{"text": "no"}], "isError": true}', "tool_error"),
                (
                    "gen_ai.tool.call.result",
                    "unset",
                    "The log says: connection timed out, error executing tool",
                    "none",
                ),
                ("gen_ai.tool.call.result", "unset", '{"error": null, "data": "x"}', "none"),
                ("gen_ai.tool.call.result", "unset", '{"error": "", "data": "x"}', "none"),
                ("gen_ai.tool.call.result", "unset", _TOOL_FAILED + "x" * 2000, "none"),
            )
        )
    ),
)
