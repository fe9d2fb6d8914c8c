"""OpenAI Agents SDK: the planner hands the conversation over to the executor. Instrumented with OpenInference."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # support_desk.py lies beside the folders

import agents
import support_desk as desk
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from opentelemetry import trace

from agentobs import emit
from agentobs.contract import Attr

telemetry = emit.configure(
    service="refunds-openai-agents", version=desk.VERSION, environment="dev", endpoint=desk.COLLECTOR
)
agents.set_trace_processors([])  # else the SDK sends its own traces to its maker
OpenAIAgentsInstrumentor().instrument()


class Versioned(agents.AgentHooks):
    """Puts the prompt's version on the span of whichever agent has the conversation."""

    def __init__(self, prompt: emit.Prompt) -> None:
        self.prompt = prompt

    async def on_start(self, *_: object) -> None:
        """An agent begins."""
        trace.get_current_span().set_attributes(
            {Attr.PROMPT_NAME: self.prompt.name, Attr.PROMPT_VERSION: self.prompt.version}
        )


def tell_the_model(_: object, error: Exception) -> str:
    """The SDK marks a failed tool's span, and does not say why."""
    emit.annotate_error(error)
    return str(error)


@agents.function_tool(failure_error_function=tell_the_model)
def order_lookup(order: str) -> str:
    """Look up an order by its number."""
    emit.annotate_tool(version=desk.LOOKUP_VERSION)
    return desk.order_lookup(order)


@agents.function_tool(failure_error_function=tell_the_model)
def order_refund(order: str) -> str:
    """Refund an order by its number."""
    emit.annotate_tool(version=desk.REFUND_VERSION)
    return desk.order_refund(order)


def agent(prompt: emit.Prompt, tool: agents.Tool, *handoffs: agents.Agent) -> agents.Agent:
    """One agent with one tool."""
    return agents.Agent(
        name=prompt.name,
        instructions=prompt.text,
        model=desk.MODEL,
        tools=[tool],
        handoffs=list(handoffs),
        hooks=Versioned(prompt),
    )


desk.use_model()
executor = agent(desk.EXECUTOR, order_refund)
planner = agent(desk.PLANNER, order_lookup, executor)
# Without spans of turns an agent's own span is the current one in its hooks.
config = agents.RunConfig(workflow_name="refunds", tracing={"include_task_and_turn_spans": False})

try:
    with emit.task(workflow="refunds", type="refund", graph_version=desk.GRAPH_VERSION) as task:
        print(agents.Runner.run_sync(planner, desk.QUESTION, run_config=config).final_output)
        task.plan(planned=2, completed=2)
finally:
    telemetry.shutdown()  # sends what is queued, also of a task that failed
