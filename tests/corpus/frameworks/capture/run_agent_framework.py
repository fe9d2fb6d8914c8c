"""Microsoft's Agent Framework: the researcher is a tool of the coordinator, tools over MCP, spans of its own."""

import asyncio
import os
import sys

from agent_framework import Agent, MCPStdioTool
from agent_framework.observability import enable_instrumentation
from agent_framework_openai import OpenAIChatClient, OpenAIChatCompletionClient
from capture import TOOL_SERVER, Capture, arguments
from scenario import MODEL, TASKS, TEAMS, TOOL_TIMEOUT, TOOLS_OF, instructions, question


def tools(role: str) -> MCPStdioTool:
    """The tools of a role, with a client that gives up."""
    return MCPStdioTool(
        name="register",
        command=sys.executable,
        args=[TOOL_SERVER],
        env=dict(os.environ),
        request_timeout=int(TOOL_TIMEOUT),
        allowed_tools=TOOLS_OF[role],
        load_prompts=False,
    )


def team(name: str, servers: dict[str, MCPStdioTool], client: OpenAIChatCompletionClient | OpenAIChatClient) -> Agent:
    """The coordinator of a team."""
    who = f"{name}_researcher"
    researcher = Agent(
        client, instructions(who), id=who, name=who, description="The researcher.", tools=[servers["researcher"]]
    )
    ask = researcher.as_tool(name=f"ask_{who}", description="Ask the researcher to find something out.")
    who = f"{name}_coordinator"
    return Agent(client, instructions(who), id=who, name=who, tools=[servers["coordinator"], ask])


async def main(capture: Capture) -> None:
    """All tasks at once."""
    kind = OpenAIChatClient if capture.instrumentation == "native-responses" else OpenAIChatCompletionClient
    client = kind(model=MODEL, api_key="scripted", base_url=capture.url)
    async with tools("coordinator") as first, tools("researcher") as second:
        teams = {name: team(name, {"coordinator": first, "researcher": second}, client) for name in TEAMS}

        async def run(task: str) -> None:
            await teams[TASKS[task].team].run(question(task))

        await capture.together(run)


if __name__ == "__main__":
    args = arguments("native", "native-responses")
    with Capture("agent-framework", args) as capture:
        enable_instrumentation(enable_sensitive_data=True)
        asyncio.run(main(capture))
