"""Google ADK: the planner transfers to a sub-agent, the executor. Spans and set-up are the framework's own."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else LiteLLM asks the network for prices
sys.path.append(str(Path(__file__).resolve().parents[1]))  # support_desk.py lies beside the folders

import support_desk as desk
from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.adk.telemetry.setup import maybe_set_otel_providers
from google.genai import types
from opentelemetry import trace

import agentobs.context
from agentobs import emit
from agentobs.contract import Attr

os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = desk.COLLECTOR
os.environ["OTEL_SERVICE_NAME"] = "refunds-google-adk"
os.environ["OTEL_RESOURCE_ATTRIBUTES"] = f"service.version={desk.VERSION},deployment.environment.name=dev"
maybe_set_otel_providers()  # as ADK's own commands do
agentobs.context.adopt()


def order_lookup(order: str) -> str:
    """Look up an order by its number."""
    emit.annotate_tool(version=desk.LOOKUP_VERSION)
    return desk.order_lookup(order)


def order_refund(order: str) -> str:
    """Refund an order by its number."""
    emit.annotate_tool(version=desk.REFUND_VERSION)
    return desk.order_refund(order)


def agent(prompt: emit.Prompt, tool: Callable[[str], str], *sub_agents: LlmAgent) -> LlmAgent:
    """One agent with one tool; the callback runs inside the agent's own span."""

    def versioned(**_: object) -> None:
        trace.get_current_span().set_attributes({Attr.PROMPT_NAME: prompt.name, Attr.PROMPT_VERSION: prompt.version})

    def tell_the_model(error: Exception, **_: object) -> dict[str, str]:
        return {"error": str(error)}  # else a tool that fails ends the run

    return LlmAgent(
        name=prompt.name,
        description=f"The {prompt.name} of the support desk.",
        model=LiteLlm(f"openai/{desk.MODEL}"),
        instruction=prompt.text,
        tools=[tool],
        sub_agents=list(sub_agents),
        before_agent_callback=versioned,
        on_tool_error_callback=tell_the_model,
    )


async def main() -> None:
    """One question of one customer."""
    runner = InMemoryRunner(agent=agent(desk.PLANNER, order_lookup, agent(desk.EXECUTOR, order_refund)))
    session = await runner.session_service.create_session(app_name=runner.app_name, user_id="customer")
    question = types.Content(role="user", parts=[types.Part(text=desk.QUESTION)])
    async for event in runner.run_async(user_id="customer", session_id=session.id, new_message=question):
        if event.is_final_response() and event.content:
            print(event.content.parts[0].text)


desk.use_model()
with emit.task(workflow="refunds", type="refund", graph_version=desk.GRAPH_VERSION) as task:
    asyncio.run(main())
    task.plan(planned=2, completed=2)
# The framework's tracer provider sends what is queued when the process ends.
