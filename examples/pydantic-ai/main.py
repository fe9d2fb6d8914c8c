"""Pydantic AI: the executor is a tool of the planner. Spans are the framework's own."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # support_desk.py lies beside the folders

import support_desk as desk
from pydantic_ai import Agent, ModelRetry
from pydantic_ai.models.openai import OpenAIChatModel

from agentobs import emit

telemetry = emit.configure(
    service="refunds-pydantic-ai", version=desk.VERSION, environment="dev", endpoint=desk.COLLECTOR
)
Agent.instrument_all()

desk.use_model()
model = OpenAIChatModel(desk.MODEL)
planner = Agent(model, name="planner", instructions=desk.PLANNER.text)
executor = Agent(model, name="executor", instructions=desk.EXECUTOR.text)


@planner.tool_plain
def order_lookup(order: str) -> str:
    """Look up an order by its number."""
    emit.annotate_tool(version=desk.LOOKUP_VERSION)
    return desk.order_lookup(order)


@executor.tool_plain
def order_refund(order: str) -> str:
    """Refund an order by its number."""
    emit.annotate_tool(version=desk.REFUND_VERSION)
    try:
        return desk.order_refund(order)
    except ConnectionError as error:
        raise ModelRetry(str(error)) from error


@planner.tool_plain
async def ask_executor(request: str) -> str:
    """Have the executor do something."""
    with emit.agent("executor", desk.EXECUTOR, span=False):
        return (await executor.run(request)).output


try:
    with (
        emit.task(workflow="refunds", type="refund", graph_version=desk.GRAPH_VERSION) as task,
        emit.agent("planner", desk.PLANNER, span=False),
    ):
        print(planner.run_sync(desk.QUESTION).output)
        task.plan(planned=2, completed=2)
finally:
    telemetry.shutdown()  # sends what is queued, also of a task that failed
