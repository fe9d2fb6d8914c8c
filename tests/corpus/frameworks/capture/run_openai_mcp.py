"""No framework: an own loop with OpenAI's client and the MCP SDK, which has spans of its own since 2.0."""

import asyncio
import os
from contextlib import nullcontext
from typing import Any

from capture import Capture, arguments, mcp_session
from openai import AsyncOpenAI
from opentelemetry import trace
from own_loop import converse, coordinate, text_of
from scenario import MODEL, PROMPT_VERSIONS, TOOL_TIMEOUT


def instrument(name: str, capture: Capture) -> None:
    """One of the three for OpenAI's client."""
    if name.startswith("otel-genai"):
        from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor  # noqa: PLC0415
    elif name == "openllmetry":
        from opentelemetry.instrumentation.openai import OpenAIInstrumentor  # noqa: PLC0415
    else:
        from openinference.instrumentation.openai import OpenAIInstrumentor  # noqa: PLC0415
    OpenAIInstrumentor().instrument(tracer_provider=capture.provider)


async def main(capture: Capture) -> None:
    """All tasks at once."""
    client = AsyncOpenAI()
    tracer = trace.get_tracer("own.loop")
    async with mcp_session(TOOL_TIMEOUT) as session:

        async def complete(_: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Any:
            return await client.chat.completions.create(model=MODEL, messages=messages, tools=tools)

        async def call(name: str, given: dict[str, Any]) -> str:
            return text_of(await session.call_tool(name, given))

        async def run_agent(who: str, request: str) -> str:
            # Without a span around an agent each of its calls is a trace of its own.
            named = {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": who,
                "gen_ai.agent.version": PROMPT_VERSIONS[who],
            }
            bare = capture.instrumentation.endswith("-bare")
            span = nullcontext() if bare else tracer.start_as_current_span(f"invoke_agent {who}", attributes=named)
            with span:
                return await converse(who, request, complete, call, run_agent)

        await capture.together(lambda task: coordinate(task, run_agent))


if __name__ == "__main__":
    args = arguments("otel-genai", "otel-genai-bare", "otel-genai-server", "openllmetry", "openinference")
    stated = () if args.instrumentation.endswith("-bare") else ("prompt",)
    with Capture("openai-mcp", args, stated=stated) as capture:
        if args.instrumentation.endswith("-server"):
            os.environ["CORPUS_SERVER_TELEMETRY"] = "1"
        instrument(args.instrumentation, capture)
        asyncio.run(main(capture))
