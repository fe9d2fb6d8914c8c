"""LangGraph: two agents of `create_agent` in a graph, the researcher as a tool of the coordinator, tools over MCP."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from capture import TOOL_SERVER, Capture, arguments
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_tool_call
from langchain.messages import ToolMessage
from langchain.tools import BaseTool, tool
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from scenario import GRAPH_VERSION, MODEL, PROMPT_VERSIONS, TASKS, TEAMS, TOOL_TIMEOUT, TOOLS_OF, instructions, question


def instrument(name: str) -> None:
    """One of the three that LangGraph's users choose from."""
    if name.startswith("openinference"):
        from openinference.instrumentation.langchain import LangChainInstrumentor  # noqa: PLC0415
    elif name == "openllmetry":
        from opentelemetry.instrumentation.langchain import LangchainInstrumentor as LangChainInstrumentor  # noqa: PLC0415
    else:
        from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor  # noqa: PLC0415
    LangChainInstrumentor().instrument()
    if name == "openinference-client":
        # Beside it the client's own: the same call once more.
        from openinference.instrumentation.openai import OpenAIInstrumentor  # noqa: PLC0415

        OpenAIInstrumentor().instrument()


@wrap_tool_call
async def _tell_the_model(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
    """A client that gives up raises; the model is told, as in most programs."""
    try:
        return await handler(request)
    except Exception as error:
        if request.tool_call["name"].startswith("ask_"):
            raise
        return ToolMessage(str(error), tool_call_id=request.tool_call["id"], status="error")


def scripted(capture: Capture) -> Any:
    """The scripted model, as OpenAI's or as Anthropic's, whose input does not hold what came from the cache."""
    if capture.instrumentation == "openinference-anthropic":
        from langchain_anthropic import ChatAnthropic  # noqa: PLC0415

        return ChatAnthropic(model="claude-sonnet-4-5", base_url=capture.url.removesuffix("/v1"), api_key="scripted")
    return ChatOpenAI(model=MODEL, use_responses_api=False)


def team(name: str, tools: dict[str, BaseTool], model: Any) -> Any:
    """The graph of one team."""

    def agent(role: str, more: tuple[BaseTool, ...] = ()) -> Any:
        who = f"{name}_{role}"
        return create_agent(
            model,
            [*(tools[t] for t in TOOLS_OF[role]), *more],
            system_prompt=instructions(who),
            middleware=[_tell_the_model],
            name=who,
        ).with_config({"metadata": {"prompt_version": PROMPT_VERSIONS[who]}})

    researcher = agent("researcher")

    async def ask(request: str) -> str:
        """Ask the researcher to find something out."""
        found = await researcher.ainvoke({"messages": [("user", request)]})
        return str(found["messages"][-1].content)

    ask.__name__ = f"ask_{name}_researcher"
    graph = StateGraph(MessagesState)
    graph.add_node(f"{name}_coordinator", agent("coordinator", (tool(ask),)))
    graph.add_edge(START, f"{name}_coordinator")
    graph.add_edge(f"{name}_coordinator", END)
    return graph.compile(name=f"{name}_team")


async def main(capture: Capture) -> None:
    """All tasks at once."""
    client = MultiServerMCPClient(
        {
            "register": {
                "transport": "stdio",
                "command": sys.executable,
                "args": [TOOL_SERVER],
                "env": dict(os.environ),
                "session_kwargs": {"read_timeout_seconds": timedelta(seconds=TOOL_TIMEOUT)},
            }
        }
    )
    async with client.session("register") as session:
        tools = {found.name: found for found in await load_mcp_tools(session)}
        teams = {name: team(name, tools, scripted(capture)) for name in TEAMS}

        async def run(task: str) -> None:
            config = {"metadata": {"graph_version": GRAPH_VERSION, "session_id": f"conversation-{task}"}}
            await teams[TASKS[task].team].ainvoke({"messages": [("user", question(task))]}, config)

        await capture.together(run)


if __name__ == "__main__":
    args = arguments("openinference", "openllmetry", "otel-genai", "openinference-anthropic", "openinference-client")
    with Capture("langgraph", args, stated=("prompt", "graph")) as capture:
        instrument(args.instrumentation)
        asyncio.run(main(capture))
