"""Google ADK: the north transfers to a sub-agent, the south has the researcher as a tool; LiteLLM, tools over MCP."""

import asyncio
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or LiteLLM asks the network for prices

from capture import TOOL_SERVER, Capture, arguments
from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.mcp_tool import McpToolset, StdioConnectionParams
from google.genai import types
from mcp import StdioServerParameters
from scenario import MODEL, TASKS, TEAMS, TOOL_TIMEOUT, TOOLS_OF, instructions, question


def tools(role: str) -> McpToolset:
    """The tools of a role; the client gives up, but for the coordinator's, where listing them may be slow."""
    timeout = TOOL_TIMEOUT if role == "researcher" else 60
    server = StdioServerParameters(command=sys.executable, args=[TOOL_SERVER], env=dict(os.environ))
    return McpToolset(
        connection_params=StdioConnectionParams(server_params=server, timeout=timeout),
        tool_filter=list(TOOLS_OF[role]),
    )


def team(name: str, toolsets: dict[str, McpToolset]) -> LlmAgent:
    """The coordinator of a team."""

    def agent(role: str, **more: list[object]) -> LlmAgent:
        who = f"{name}_{role}"
        offered = [toolsets[role], *more.pop("tools", [])]
        return LlmAgent(
            name=who,
            description=f"The {role}.",
            model=LiteLlm(f"openai/{MODEL}"),
            instruction=instructions(who),
            tools=offered,
            **more,
        )

    researcher = agent("researcher")
    if name == "north":
        return agent("coordinator", sub_agents=[researcher])
    return agent("coordinator", tools=[AgentTool(researcher)])


async def main(capture: Capture) -> None:
    """All tasks at once."""
    toolsets = {role: tools(role) for role in TOOLS_OF}
    for toolset in toolsets.values():
        # One after the other: a server that starts slowly leaves an agent without tools, and ADK only logs that.
        await toolset.get_tools()
    runners = {name: InMemoryRunner(agent=team(name, toolsets), app_name=f"{name}_team") for name in TEAMS}

    async def run(task: str) -> None:
        runner = runners[TASKS[task].team]
        session = await runner.session_service.create_session(
            app_name=runner.app_name, user_id="customer", session_id=f"conversation-{task}"
        )
        message = types.Content(role="user", parts=[types.Part(text=question(task))])
        async for event in runner.run_async(user_id="customer", session_id=session.id, new_message=message):
            if event.error_code:
                raise RuntimeError(event.error_code)

    await capture.together(run)
    for toolset in toolsets.values():
        await toolset.close()


if __name__ == "__main__":
    args = arguments("native", "native-legacy")
    os.environ["ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN"] = "2" if args.instrumentation == "native" else "1"
    with Capture("google-adk", args) as capture:
        asyncio.run(main(capture))
