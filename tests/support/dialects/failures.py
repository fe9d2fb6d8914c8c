"""Failures under all their names."""

from support.dialects.case import (
    CHAT,
    CLASS,
    CONTENT_JSON,
    OP,
    OUTCOME,
    ROOT,
    TOOL,
    TOOL_SPAN,
    WORKFLOW,
    Case,
    exception,
)

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
                ("gen_ai.tool.call.result", "unset", _TOOL_FAILED + "x" * 2000, "tool_error"),
            )
        )
    ),
)

# sender, error.type, status message, class
_SENDERS = (
    ("bedrock", "ThrottlingException", "", "rate_limited"),
    (
        "bedrock by message",
        "botocore.exceptions.ClientError",
        "An error occurred (ThrottlingException) when",
        "rate_limited",
    ),
    ("bedrock quota", "ServiceQuotaExceededException", "", "rate_limited"),
    ("bedrock throughput", "ProvisionedThroughputExceededException", "", "rate_limited"),
    ("strands", "strands.types.exceptions.ModelThrottledException", "throttled", "rate_limited"),
    (
        "gemini overloaded",
        "google.genai.errors.ServerError",
        "503 UNAVAILABLE. {'error': {'message': 'The model is overloaded. Please try again later.'}}",
        "rate_limited",
    ),
    ("a server error that is none", "google.genai.errors.ServerError", "503 UNAVAILABLE. disk overloaded", "other"),
    ("vertex", "google.api_core.exceptions.ResourceExhausted", "429 Resource has been exhausted.", "rate_limited"),
    ("gemini", "google.genai.errors.ClientError", "429 RESOURCE_EXHAUSTED. {'error': {}}", "rate_limited"),
    ("gRPC", "RESOURCE_EXHAUSTED", "", "rate_limited"),
    ("azure", "openai.RateLimitError", "Error code: 429", "rate_limited"),
    ("azure .NET", "System.ClientModel.ClientResultException", "HTTP 429 (insufficient capacity)", "rate_limited"),
    ("azure .NET 2", "Azure.RequestFailedException", "Service request failed.\nStatus: 429 (Too Many)", "rate_limited"),
    ("anthropic", "anthropic.InternalServerError", "Error code: 529 - {'type': 'overloaded_error'}", "rate_limited"),
    ("anthropic by type", "overloaded_error", "", "rate_limited"),
    ("litellm", "litellm.exceptions.RateLimitError", "", "rate_limited"),
    ("dspy", "dspy.utils.exceptions.LMServerError", "[m] litellm.RateLimitError: slow down", "rate_limited"),
    ("openai quota", "openai.APIStatusError", "You exceeded your current quota: insufficient_quota", "rate_limited"),
    ("a port is no status", "KeyError", "no route to 10.0.0.1:4290", "other"),
    ("a limit of one's own", "pydantic_ai.exceptions.UsageLimitExceeded", "would exceed request_limit of 5", "other"),
    ("a window that is full", "ContextWindowExceededError", "maximum context length is 8192 tokens", "other"),
    (
        ".NET's wait",
        "System.Threading.Tasks.TaskCanceledException",
        "the configured HttpClient.Timeout of 100",
        "timeout",
    ),
    (".NET's cancellation", "System.Threading.Tasks.TaskCanceledException", "A task was canceled.", "cancelled"),
    ("a reader that stopped", "GeneratorExit", "", "cancelled"),
    ("python", "asyncio.exceptions.CancelledError", "", "cancelled"),
    ("javascript", "AbortError", "This operation was aborted", "cancelled"),
    ("a lost connection", "ConnectionAbortedError", "", "other"),
    ("a lost connection in node", "ECONNABORTED", "", "other"),
    ("prose of a wait", "carrier.Error", "carrier did not answer within 2.0 s", "timeout"),
    ("mastra", "unknown", "The server had an error", "other"),
)
# What an exception says by itself: type, message, class
_EVENTS = (
    ("langgraph.errors.GraphInterrupt", "(Interrupt(value='approve?'),)", "none"),
    ("langgraph.errors.NodeInterrupt", "[Interrupt(value='approve?')]", "none"),
    ("pydantic_ai.exceptions.ApprovalRequired", "", "none"),
    ("crewai.flow.async_feedback.types.HumanFeedbackPending", "", "none"),
    ("langgraph.errors.ParentCommand", "Command(goto='x')", "none"),
    ("StopAsyncIteration", "", "none"),
    ("my.InterruptError", "no", "other"),
)
RESULTS = (
    ("MCP", '{"content": [{"type": "text", "text": "no"}], "isError": true}', "tool_error"),
    ("MCP, compact", '{"content":[],"isError":true}', "tool_error"),
    ("MCP, long", '{"content": [{"type": "text", "text": "' + "x" * 5000 + '"}], "isError": true}', "tool_error"),
    ("Python's names", '{"content": [], "is_error": true}', "tool_error"),
    ("a Python dict", "{'content': [], 'is_error': True}", "tool_error"),
    ("a Python object", "CallToolResult(meta=None, content=[TextContent(text='no')], isError=True)", "tool_error"),
    ("JSON in JSON", '{"output": "{\\"content\\": [], \\"isError\\": true}"}', "tool_error"),
    ("no error", '{"content": [], "isError": false}', "none"),
    ("no error in Python", "CallToolResult(content=[], isError=False)", "none"),
    ("status", '{"status": "error", "content": [{"text": "no"}]}', "tool_error"),
    ("Strands", '{"toolUseId": "t1", "status": "error", "content": []}', "tool_error"),
    ("LangChain", "content='no' name='lookup' tool_call_id='c1' status='error'", "tool_error"),
    ("LangChain, long", "content='" + "x" * 3000 + "' name='lookup' tool_call_id='c1' status='error'", "tool_error"),
    ("a status of somebody's order", '{"orders": [{"id": 7, "status": "error"}]}', "none"),
    ("OpenAI Agents", "An error occurred while running the tool. Please try again. Error: no", "tool_error"),
    ("DSPy", "Execution error in lookup: no such order", "tool_error"),
    ("any", "Error: no such order", "tool_error"),
    ("any, as content", '[{"type": "text", "text": "Error: no such order"}]', "tool_error"),
    ("a list that tells of errors", '["all well", "Error: disk full"]', "none"),
    ("mastra", '{"error": true, "message": "no"}', "tool_error"),
    ("a timeout and nothing else", "Request 'tools/call' timed out", "timeout"),
    ("a timeout of Python", "TimeoutError: carrier", "timeout"),
    ("a timeout with the flag", '{"content": [{"text": "Timed out while waiting"}], "isError": true}', "timeout"),
    ("data about timeouts", "The request log holds 3 lines. One timed out.", "none"),
    ("a long text that begins with an error", "Error executing tool x: " + "y" * 100_000, "tool_error"),
    ("long data that tells of errors", "All is well. " * 200 + "Error executing tool x", "none"),
)
FAILURES += (
    *(
        Case(
            f"{sender}: {expected}",
            "chat",
            {**CHAT, "error.type": kind},
            {CLASS: expected},
            "llm",
            status="error",
            message=message,
        )
        for sender, kind, message, expected in _SENDERS
    ),
    *(
        Case(
            f"{kind} is {expected}, as an event",
            "execute_tool lookup",
            TOOL_SPAN,
            {CLASS: expected, "error.type": None if expected == "none" else kind},
            "tool",
            status="error",
            events=exception(kind, message),
        )
        for kind, message, expected in _EVENTS
    ),
    *(
        Case(
            f"result of {name}",
            "execute_tool lookup",
            {**TOOL_SPAN, "gen_ai.tool.call.result": text},
            {CLASS: expected},
            "tool",
        )
        for name, text, expected in RESULTS
    ),
    Case(
        "a result with a structure of its own",
        "execute_tool lookup",
        {**TOOL_SPAN, "gen_ai.tool.call.result": {"content": [], "isError": True}},
        {CLASS: "tool_error"},
        "tool",
    ),
    *(
        Case(
            f"HTTP {status} beside the failure",
            "chat",
            {**CHAT, "http.response.status_code": status},
            {CLASS: expected},
            "llm",
            status="error",
        )
        for status, expected in ((429, "rate_limited"), (529, "rate_limited"), (504, "timeout"), (500, "other"))
    ),
    Case(
        "a graph that pauses for a person",
        "refunds",
        {"openinference.span.kind": "CHAIN", "metadata": '{"lc_agent_name": "refunds"}'},
        {CLASS: "none", OUTCOME: "needs_human", "error.type": None},
        "agent task",
        scope="openinference.instrumentation.langchain",
        parent=ROOT,
        status="error",
        message="GraphInterrupt((Interrupt(value='approve?'),))",
        events=exception("langgraph.errors.GraphInterrupt", "(Interrupt(value='approve?'),)"),
    ),
    Case(
        "a tool that pauses for a person",
        "ask_human",
        {"openinference.span.kind": "TOOL", "tool.name": "ask_human"},
        {TOOL: "ask_human", CLASS: "none", OUTCOME: None},
        "tool",
        scope="openinference.instrumentation.langchain",
        status="error",
        message="GraphInterrupt((Interrupt(value='approve?'),))",
    ),
    Case(
        "a pause by type alone",
        "invoke_workflow w",
        {OP: "invoke_workflow", "error.type": "langgraph.errors.GraphInterrupt"},
        {WORKFLOW: "w", CLASS: "none", OUTCOME: "needs_human"},
        "task",
        parent=ROOT,
        status="error",
    ),
    Case(
        "a hand-over at the top is a success",
        "invoke_workflow w",
        {OP: "invoke_workflow", "error.type": "langgraph.errors.ParentCommand"},
        {CLASS: "none", OUTCOME: "success"},
        "task",
        parent=ROOT,
        status="error",
    ),
    Case("a class of somebody else's", "chat", {**CHAT, CLASS: "E42"}, {CLASS: "none"}, "llm"),
    Case(
        "a failed call with a class of somebody else's",
        "chat",
        {**CHAT, CLASS: "E42"},
        {CLASS: "other"},
        "llm",
        status="error",
    ),
)
