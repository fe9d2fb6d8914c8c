"""LiteLLM's own OpenTelemetry callback around an own loop; tools are functions, agents have a span of the program."""

import asyncio
import os
from contextlib import nullcontext
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or LiteLLM asks the network for prices

import litellm
from capture import Capture, arguments
from litellm.integrations.opentelemetry import OpenTelemetry
from opentelemetry import trace
from own_loop import converse, coordinate
from scenario import MODEL
from tool_server import FUNCTIONS


async def main(capture: Capture) -> None:
    """All tasks at once."""
    tracer = trace.get_tracer("own.loop")

    async def complete(who: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Any:
        return await litellm.acompletion(
            model=f"openai/{MODEL}",
            messages=messages,
            tools=tools,
            api_base=capture.url,
            api_key="scripted",
            num_retries=2,
            metadata={"agent": who},
        )

    async def call(name: str, given: dict[str, Any]) -> str:
        named = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        with tracer.start_as_current_span(f"execute_tool {name}", attributes=named):
            return await asyncio.to_thread(FUNCTIONS[name], given["topic"])

    async def run_agent(who: str, request: str) -> str:
        named = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": who}
        # Inside a span LiteLLM makes none of its own: it writes onto the one that is there.
        bare = capture.instrumentation.endswith("-bare")
        span = nullcontext() if bare else tracer.start_as_current_span(f"invoke_agent {who}", attributes=named)
        with span:
            return await converse(who, request, complete, call, run_agent)

    await capture.together(lambda task: coordinate(task, run_agent))
    await asyncio.sleep(2)  # its callbacks run after the answer


if __name__ == "__main__":
    args = arguments("otel-callback", "otel-callback-bare")
    with Capture("litellm", args) as capture:
        litellm.callbacks = [OpenTelemetry(tracer_provider=capture.provider)]
        asyncio.run(main(capture))
