"""Strands: the north's researcher is a tool, the south is a swarm that hands over; tools over MCP, spans of its own."""

import asyncio
import os
import sys
from datetime import timedelta
from typing import Any

from capture import TOOL_SERVER, Capture, arguments
from mcp import StdioServerParameters, stdio_client
from scenario import GRAPH_VERSION, MODEL, PROMPT_VERSIONS, TASKS, TOOL_TIMEOUT, TOOLS_OF, instructions, question
from strands import Agent, tool
from strands.models.openai import OpenAIModel
from strands.multiagent import Swarm
from strands.tools.mcp import MCPClient


def agent(who: str, tools: dict[str, Any], url: str, task: str, more: tuple[Any, ...] = ()) -> Agent:
    """One agent; it holds its conversation, so each task has its own."""
    return Agent(
        name=who,
        model=OpenAIModel(client_args={"base_url": url, "api_key": "scripted"}, model_id=MODEL),
        system_prompt=instructions(who),
        tools=[*(tools[name] for name in TOOLS_OF[who.partition("_")[2]]), *more],
        callback_handler=None,
        trace_attributes={
            "prompt.version": PROMPT_VERSIONS[who],
            "graph.version": GRAPH_VERSION,
            "session.id": f"conversation-{task}",
        },
    )


async def as_tool(task: str, tools: dict[str, Any], url: str) -> None:
    """The researcher is a tool of the coordinator."""
    researcher = agent("north_researcher", tools, url, task)

    @tool
    async def ask_north_researcher(request: str) -> str:
        """Ask the researcher to find something out."""
        return str(await researcher.invoke_async(request))

    await agent("north_coordinator", tools, url, task, (ask_north_researcher,)).invoke_async(question(task))


async def swarm(task: str, tools: dict[str, Any], url: str) -> None:
    """The coordinator hands over and is done."""
    both = [agent(f"south_{role}", tools, url, task) for role in ("coordinator", "researcher")]
    found = await Swarm(both, entry_point=both[0], id="south_team").invoke_async(question(task))
    if found.status.value != "completed":
        # It does not raise: a program has to look.
        raise RuntimeError(found.status.value)


async def main(capture: Capture) -> None:
    """All tasks at once."""
    server = StdioServerParameters(command=sys.executable, args=[TOOL_SERVER], env=dict(os.environ))
    with MCPClient(lambda: stdio_client(server), startup_timeout=60) as client:
        found = client.list_tools_sync()
        for one in found:
            one.timeout = timedelta(seconds=TOOL_TIMEOUT)
        tools = {one.tool_name: one for one in found}

        async def run(task: str) -> None:
            await (as_tool if TASKS[task].team == "north" else swarm)(task, tools, capture.url)

        await capture.together(run)


if __name__ == "__main__":
    args = arguments("native", "native-genai-latest")
    if args.instrumentation == "native-genai-latest":
        os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    with Capture("strands", args, stated=("prompt", "graph")) as capture:
        asyncio.run(main(capture))
