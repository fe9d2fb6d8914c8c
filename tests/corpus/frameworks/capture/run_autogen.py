"""AutoGen AgentChat: the north is a swarm that hands over, the south has the researcher as a tool; spans of its own."""

import asyncio
import os
from collections.abc import Callable

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import Swarm
from autogen_agentchat.tools import AgentTool
from autogen_core.models import ModelInfo
from autogen_ext.models.openai import OpenAIChatCompletionClient
from capture import Capture, arguments
from scenario import MODEL, TASKS, TOOLS_OF, instructions, question
from tool_server import FUNCTIONS


def client(url: str) -> OpenAIChatCompletionClient:
    """The scripted model; AutoGen does not know its newest names."""
    known = ModelInfo(
        vision=False,
        function_calling=True,
        json_output=True,
        structured_output=True,
        family="gpt-41",
        multiple_system_messages=False,
    )
    return OpenAIChatCompletionClient(model=MODEL, base_url=url, api_key="scripted", model_info=known)


def tools(role: str) -> list[Callable[..., object]]:
    """The tools of a role; in threads, so that one that waits does not hold up the others."""

    def threaded(name: str) -> Callable[..., object]:
        async def run(topic: str) -> str:
            return await asyncio.to_thread(FUNCTIONS[name], topic)

        run.__name__, run.__doc__ = name, FUNCTIONS[name].__doc__
        return run

    return [threaded(name) for name in TOOLS_OF[role]]


def agent(who: str, url: str, **more: object) -> AssistantAgent:
    """One agent; it holds its conversation, so each task has its own."""
    role = who.partition("_")[2]
    return AssistantAgent(
        who,
        client(url),
        tools=[*tools(role), *more.pop("tools", [])],
        description=f"The {role}.",
        system_message=instructions(who),
        max_tool_iterations=1 if who.startswith("north") else 8,
        **more,
    )


async def main(capture: Capture) -> None:
    """All tasks at once."""

    async def run(task: str) -> None:
        team = TASKS[task].team
        if team == "north":
            first = agent("north_coordinator", capture.url, handoffs=["north_researcher"], reflect_on_tool_use=False)
            second = agent("north_researcher", capture.url, reflect_on_tool_use=False)
            swarm = Swarm([first, second], termination_condition=TextMentionTermination("is settled"))
            await swarm.run(task=question(task))
        else:
            second = agent("south_researcher", capture.url)
            await agent("south_coordinator", capture.url, tools=[AgentTool(second)]).run(task=question(task))

    await capture.together(run)


if __name__ == "__main__":
    args = arguments("native", "openinference")
    with Capture("autogen", args) as capture:
        if args.instrumentation == "openinference":
            os.environ["AUTOGEN_DISABLE_RUNTIME_TRACING"] = "true"  # as its authors advise
            from openinference.instrumentation.autogen_agentchat import AutogenAgentChatInstrumentor

            AutogenAgentChatInstrumentor().instrument(tracer_provider=capture.provider)
        asyncio.run(main(capture))
