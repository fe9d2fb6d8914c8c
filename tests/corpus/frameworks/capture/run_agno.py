"""Agno: a team whose leader delegates to a member, tools over MCP."""

import asyncio
import os
import sys

os.environ["AGNO_TELEMETRY"] = "false"

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team
from agno.tools.mcp import MCPTools
from capture import TOOL_SERVER, Capture, arguments
from mcp import StdioServerParameters
from openinference.instrumentation import using_prompt_template
from openinference.instrumentation.agno import AgnoInstrumentor
from scenario import MODEL, PROMPT_VERSIONS, TASKS, TOOL_TIMEOUT, TOOLS_OF, instructions, question


def tools(role: str) -> MCPTools:
    """The tools of a role, with a client that gives up."""
    server = StdioServerParameters(command=sys.executable, args=[TOOL_SERVER], env=dict(os.environ))
    return MCPTools(server_params=server, timeout_seconds=int(TOOL_TIMEOUT), include_tools=list(TOOLS_OF[role]))


def team(name: str, first: MCPTools, second: MCPTools) -> Team:
    """The team of one name."""
    coordinator, researcher = f"{name}_coordinator", f"{name}_researcher"
    member = Agent(
        name=researcher,
        id=researcher,
        model=OpenAIChat(id=MODEL),
        system_message=instructions(researcher),
        tools=[second],
        telemetry=False,
    )
    return Team(
        members=[member],
        name=coordinator,
        model=OpenAIChat(id=MODEL),
        system_message=instructions(coordinator),
        tools=[first],
        telemetry=False,
    )


async def main(capture: Capture) -> None:
    """All tasks at once."""
    async with tools("coordinator") as first, tools("researcher") as second:

        async def run(task: str) -> None:
            name = TASKS[task].team
            who = f"{name}_coordinator"
            # A team holds the state of its run, so each task has one of its own.
            with using_prompt_template(template=instructions(who), version=PROMPT_VERSIONS[who]):
                found = await team(name, first, second).arun(question(task), session_id=f"conversation-{task}")
            if str(found.status).upper().endswith("ERROR"):
                # It does not raise: a program has to look.
                raise RuntimeError(str(found.content))

        await capture.together(run)


if __name__ == "__main__":
    args = arguments("openinference")
    with Capture("agno", args, stated=("prompt",)) as capture:
        AgnoInstrumentor().instrument(tracer_provider=capture.provider)
        asyncio.run(main(capture))
