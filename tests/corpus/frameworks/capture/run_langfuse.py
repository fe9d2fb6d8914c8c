"""Langfuse's SDK: `observe` around an own loop, OpenAI's client in its wrapper, tools over plain MCP."""

import asyncio
from typing import Any

from capture import Capture, arguments, mcp_session
from langfuse import Langfuse, get_client, observe, propagate_attributes
from langfuse.api import Prompt_Text
from langfuse.model import TextPromptClient
from langfuse.openai import AsyncOpenAI
from own_loop import converse, coordinate, text_of
from scenario import AGENTS, MODEL, PROMPT_VERSIONS, TASKS, TOOL_TIMEOUT, instructions


def prompt(who: str) -> TextPromptClient:
    """A prompt as Langfuse's server would hand it out."""
    stored = Prompt_Text(
        name=who, version=int(PROMPT_VERSIONS[who]), prompt=instructions(who), config={}, labels=[], tags=[]
    )
    return TextPromptClient(stored)


async def main(capture: Capture, session: Any) -> None:
    """All tasks at once."""
    client = AsyncOpenAI(max_retries=2)
    prompts = {who: prompt(who) for who in AGENTS}

    async def complete(who: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Any:
        return await client.chat.completions.create(
            model=MODEL, messages=messages, tools=tools, langfuse_prompt=prompts[who]
        )

    async def call(name: str, given: dict[str, Any]) -> str:
        @observe(name=name, as_type="tool")
        async def run(given: dict[str, Any]) -> str:
            try:
                return text_of(await session.call_tool(name, given))
            except Exception as error:
                get_client().update_current_span(level="ERROR", status_message=str(error))
                raise

        return await run(given)

    async def run_agent(who: str, request: str) -> str:
        @observe(name=who, as_type="agent")
        async def run(request: str) -> str:
            return await converse(who, request, complete, call, run_agent)

        return await run(request)

    async def run(task: str) -> None:
        @observe(name=f"{TASKS[task].team}_team", as_type="chain")
        async def whole() -> str:
            return await coordinate(task, run_agent)

        with propagate_attributes(session_id=f"conversation-{task}", version="1.4.0"):
            await whole()

    await capture.together(run)


async def connected(capture: Capture) -> None:
    """The same, inside a session with the tools."""
    async with mcp_session(TOOL_TIMEOUT) as session:
        await main(capture, session)


if __name__ == "__main__":
    args = arguments("sdk")
    # Langfuse brings an exporter of its own: a second would send each span twice.
    with Capture("langfuse", args, stated=("prompt",), export=False) as capture:
        Langfuse(
            public_key="pk-scripted",
            secret_key="scripted",
            base_url=capture.receiver.url,
            tracer_provider=capture.provider,
        )
        asyncio.run(connected(capture))
        get_client().flush()
