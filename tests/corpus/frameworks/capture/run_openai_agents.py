"""OpenAI Agents SDK: the north hands its conversation over, the south has the researcher as a tool; tools over MCP."""

import asyncio
import os
import sys

import agents
from agents.mcp import MCPServer, MCPServerStdio, create_static_tool_filter
from capture import TOOL_SERVER, Capture, arguments
from scenario import MODEL, PROMPT_VERSIONS, TASKS, TEAMS, TOOL_TIMEOUT, TOOLS_OF, instructions, question


def instrument(name: str, capture: Capture) -> None:
    """One of the four that its users choose from."""
    agents.set_trace_processors([])  # the SDK's own goes to its maker
    if name.startswith("openinference"):
        from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor  # noqa: PLC0415
    elif name == "otel-genai":
        from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor  # noqa: PLC0415
        from opentelemetry.instrumentation.genai.openai_agents import OpenAIAgentsInstrumentor  # noqa: PLC0415

        OpenAIInstrumentor().instrument(tracer_provider=capture.provider)
    else:
        from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor  # noqa: PLC0415
    OpenAIAgentsInstrumentor().instrument(tracer_provider=capture.provider)
    if name == "openinference-openllmetry":
        from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor as Second  # noqa: PLC0415

        Second().instrument(tracer_provider=capture.provider)


def server(role: str) -> MCPServerStdio:
    """The tools of a role."""
    return MCPServerStdio(
        {"command": sys.executable, "args": [TOOL_SERVER], "env": dict(os.environ)},
        name="register",
        cache_tools_list=True,
        client_session_timeout_seconds=TOOL_TIMEOUT,
        tool_filter=create_static_tool_filter(allowed_tool_names=list(TOOLS_OF[role])),
    )


def team(name: str, servers: dict[str, MCPServer]) -> agents.Agent:
    """The coordinator of a team."""
    who, whom = f"{name}_coordinator", f"{name}_researcher"
    researcher = agents.Agent(
        name=whom, instructions=instructions(whom), model=MODEL, mcp_servers=[servers["researcher"]]
    )
    as_tool = [researcher.as_tool(tool_name=f"ask_{whom}", tool_description="Find out.", failure_error_function=None)]
    return agents.Agent(
        name=who,
        instructions=instructions(who),
        model=MODEL,
        mcp_servers=[servers["coordinator"]],
        handoffs=[researcher] if name == "north" else [],
        tools=[] if name == "north" else as_tool,
    )


async def main(capture: Capture) -> None:
    """All tasks at once."""
    async with server("coordinator") as first, server("researcher") as second:
        teams = {name: team(name, {"coordinator": first, "researcher": second}) for name in TEAMS}

        async def run(task: str) -> None:
            name = TASKS[task].team
            config = agents.RunConfig(workflow_name=f"{name}_team", group_id=f"conversation-{task}")
            if capture.instrumentation.startswith("openinference"):
                # The one way of this instrumentation to state a version: for all that happens inside.
                from openinference.instrumentation import using_prompt_template  # noqa: PLC0415

                with using_prompt_template(
                    template=instructions(f"{name}_coordinator"), version=PROMPT_VERSIONS[f"{name}_coordinator"]
                ):
                    await agents.Runner.run(teams[name], question(task), run_config=config)
            else:
                await agents.Runner.run(teams[name], question(task), run_config=config)

        await capture.together(run)


if __name__ == "__main__":
    args = arguments(
        "openinference",
        "openinference-hidden",
        "openinference-openllmetry",
        "openllmetry",
        "otel-agents-v2",
        "otel-genai",
    )
    stated = ("prompt",) if args.instrumentation.startswith("openinference") else ()
    if args.instrumentation == "openinference-hidden":
        # Nothing tells a failed tool then but the spans of its server.
        os.environ.update(
            OPENINFERENCE_HIDE_INPUTS="true", OPENINFERENCE_HIDE_OUTPUTS="true", CORPUS_SERVER_TELEMETRY="1"
        )
    with Capture("openai-agents", args, stated=stated) as capture:
        instrument(args.instrumentation, capture)
        asyncio.run(main(capture))
