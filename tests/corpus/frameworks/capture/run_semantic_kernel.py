"""Semantic Kernel: the researcher is a plugin of the coordinator, tools are functions, spans of its own."""

import asyncio
import os

os.environ.update(
    SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS="true",
    SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE="true",
)

from collections.abc import Callable

from capture import Capture, arguments
from openai import AsyncOpenAI
from scenario import MODEL, TASKS, TEAMS, TOOLS_OF, instructions, question
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import KernelPlugin, kernel_function
from tool_server import FUNCTIONS


def threaded(name: str) -> Callable[..., object]:
    """A tool in a thread, so that one that waits does not hold up the others."""

    async def run(topic: str) -> str:
        return await asyncio.to_thread(FUNCTIONS[name], topic)

    return kernel_function(run, name=name, description=FUNCTIONS[name].__doc__)


def team(name: str) -> ChatCompletionAgent:
    """The coordinator of a team."""

    def agent(role: str, *more: object) -> ChatCompletionAgent:
        who = f"{name}_{role}"
        register = KernelPlugin("register", functions=[threaded(tool) for tool in TOOLS_OF[role]])
        return ChatCompletionAgent(
            service=OpenAIChatCompletion(MODEL, async_client=AsyncOpenAI()),
            name=who,
            id=who,
            description=f"The {role}.",
            instructions=instructions(who),
            plugins=[register, *more],
        )

    return agent("coordinator", agent("researcher"))


async def main(capture: Capture) -> None:
    """All tasks at once."""
    teams = {name: team(name) for name in TEAMS}

    async def run(task: str) -> None:
        await teams[TASKS[task].team].get_response(messages=question(task))

    await capture.together(run)


if __name__ == "__main__":
    args = arguments("native")
    with Capture("semantic-kernel", args) as capture:
        asyncio.run(main(capture))
