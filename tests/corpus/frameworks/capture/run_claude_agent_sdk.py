"""Claude Agent SDK: the researcher is a sub-agent, tools over MCP; the program it starts sends telemetry of its own.

Run it with an empty environment (`env -i PATH=$PATH HOME=...`): it would take settings and keys from it.
"""

import asyncio
import os
import sys

import claude_agent_sdk as sdk
from capture import TOOL_SERVER, Capture, arguments
from scenario import SLOW_SECONDS, TASKS, TOOL_TIMEOUT, TOOLS_OF, instructions, question

SERVER = "register"
# The program counts the start of a server with the same limit as a call of a tool.
LIMIT = f"{int(1000 * TOOL_TIMEOUT)}"


def environment(capture: Capture) -> dict[str, str]:
    """Where the program finds the model, and where it sends telemetry."""
    return {
        "ANTHROPIC_BASE_URL": capture.url.removesuffix("/v1"),
        "ANTHROPIC_API_KEY": "scripted",
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "2",
        "MCP_TOOL_TIMEOUT": LIMIT,
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": capture.receiver.url,
        "OTEL_LOG_TOOL_DETAILS": "1",
        "OTEL_RESOURCE_ATTRIBUTES": "service.version=1.4.0",
    }


def options(team: str, capture: Capture) -> sdk.ClaudeAgentOptions:
    """The coordinator and its sub-agent."""
    whom = f"{team}_researcher"
    tools = {role: [f"mcp__{SERVER}__{name}" for name in names] for role, names in TOOLS_OF.items()}
    server = {"type": "stdio", "command": sys.executable, "args": [TOOL_SERVER], "env": dict(os.environ)}
    researcher = sdk.AgentDefinition("The researcher.", instructions(whom), tools=tools["researcher"], model="inherit")
    return sdk.ClaudeAgentOptions(
        system_prompt=instructions(f"{team}_coordinator"),
        mcp_servers={SERVER: server},
        strict_mcp_config=True,
        tools=["Task", "Agent"],
        allowed_tools=["Task", "Agent", *tools["researcher"]],
        agents={whom: researcher},
        model="claude-sonnet-4-5",
        setting_sources=[],
        permission_mode="dontAsk",
        env=environment(capture),
    )


async def main(capture: Capture) -> None:
    """All tasks at once."""

    async def run(task: str) -> None:
        async for message in sdk.query(prompt=question(task), options=options(TASKS[task].team, capture)):
            if isinstance(message, sdk.ResultMessage) and message.is_error:
                raise RuntimeError(str(message.result)[:200])

    await capture.together(run)
    await asyncio.sleep(SLOW_SECONDS / 5)


if __name__ == "__main__":
    args = arguments("native")
    # Its spans are those of another process: there are no starts and ends to see here.
    with Capture("claude-agent-sdk", args, export=False) as capture:
        asyncio.run(main(capture))
