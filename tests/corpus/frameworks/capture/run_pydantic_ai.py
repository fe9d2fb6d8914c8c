"""Pydantic AI: the researcher is a tool of the coordinator, tools over MCP (FastMCP's client), spans of its own."""

import asyncio
import os
import sys

from capture import TOOL_SERVER, Capture, arguments
from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models import Model
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from scenario import MODEL, PROMPT_VERSIONS, TASKS, TEAMS, TOOL_TIMEOUT, TOOLS_OF, instructions, question


def tools() -> MCPToolset:
    """A server with a client that gives up."""
    transport = StdioTransport(command=sys.executable, args=[TOOL_SERVER], env=dict(os.environ))
    return MCPToolset(transport, id="register", read_timeout=TOOL_TIMEOUT, init_timeout=60)


def model(capture: Capture) -> Model:
    """The scripted model, as OpenAI's or as Anthropic's, whose input does not hold what came from the cache."""
    if capture.instrumentation == "native-anthropic":
        from anthropic import AsyncAnthropic  # noqa: PLC0415
        from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
        from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415

        client = AsyncAnthropic(api_key="scripted", base_url=capture.url.removesuffix("/v1"))
        return AnthropicModel("claude-sonnet-4-5", provider=AnthropicProvider(anthropic_client=client))
    return OpenAIChatModel(MODEL)


def team(name: str, server: MCPToolset, model: Model) -> Agent:
    """The coordinator of a team."""

    def agent(role: str) -> Agent:
        who = f"{name}_{role}"
        offered = server.filtered(lambda _, tool: tool.name in TOOLS_OF[role])
        return Agent(
            model,
            name=who,
            instructions=instructions(who),
            toolsets=[offered],
            metadata={"prompt_version": PROMPT_VERSIONS[who]},
            retries=2,
        )

    coordinator, researcher = agent("coordinator"), agent("researcher")

    async def ask(request: str) -> str:
        """Ask the researcher to find something out."""
        return str((await researcher.run(request)).output)

    coordinator.tool_plain(name=f"ask_{name}_researcher")(ask)
    return coordinator


async def main(capture: Capture) -> None:
    """All tasks at once."""
    async with tools() as server:
        teams = {name: team(name, server, model(capture)) for name in TEAMS}

        async def run(task: str) -> None:
            await teams[TASKS[task].team].run(question(task), conversation_id=f"conversation-{task}")

        await capture.together(run)


if __name__ == "__main__":
    args = arguments("native", "native-v2", "native-anthropic")
    with Capture("pydantic-ai", args, stated=("prompt",)) as capture:
        version = 2 if args.instrumentation == "native-v2" else 5
        Agent.instrument_all(InstrumentationSettings(tracer_provider=capture.provider, version=version))
        asyncio.run(main(capture))
