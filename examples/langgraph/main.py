"""LangGraph: planner and executor are nodes of a graph. Instrumented with OpenInference."""

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # support_desk.py lies beside the folders

import support_desk as desk
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_tool_call
from langchain.messages import ToolMessage
from langchain.tools import BaseTool, tool
from langchain.tools.tool_node import ToolCallRequest
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from openinference.instrumentation.langchain import LangChainInstrumentor

from agentobs import emit

telemetry = emit.configure(
    service="refunds-langgraph", version=desk.VERSION, environment="dev", endpoint=desk.COLLECTOR
)
LangChainInstrumentor().instrument()


@wrap_tool_call
def tell_the_model(request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage]) -> ToolMessage:
    """A tool that fails ends the run, unless the model is told."""
    try:
        return handler(request)
    except ConnectionError as error:
        return ToolMessage(str(error), tool_call_id=request.tool_call["id"], status="error")


@tool
def order_lookup(order: str) -> str:
    """Look up an order by its number."""
    emit.annotate_tool(version=desk.LOOKUP_VERSION)
    return desk.order_lookup(order)


@tool
def order_refund(order: str) -> str:
    """Refund an order by its number."""
    emit.annotate_tool(version=desk.REFUND_VERSION)
    return desk.order_refund(order)


def agent(prompt: emit.Prompt, its_tool: BaseTool) -> Runnable:
    """One agent with one tool; its prompt's version goes with its spans as metadata."""
    made = create_agent(
        ChatOpenAI(model=desk.MODEL),
        [its_tool],
        system_prompt=prompt.text,
        name=prompt.name,
        middleware=[tell_the_model],
    )
    return made.with_config({"metadata": {"prompt_name": prompt.name, "prompt_version": prompt.version}})


desk.use_model()
graph = StateGraph(MessagesState)
graph.add_node("planner", agent(desk.PLANNER, order_lookup))
graph.add_node("executor", agent(desk.EXECUTOR, order_refund))
graph.add_edge(START, "planner")
graph.add_edge("planner", "executor")
graph.add_edge("executor", END)

try:
    with emit.task(workflow="refunds", type="refund", graph_version=desk.GRAPH_VERSION) as task:
        answer = graph.compile(name="refunds").invoke({"messages": [("user", desk.QUESTION)]})
        task.plan(planned=2, completed=2)
        print(answer["messages"][-1].content)
finally:
    telemetry.shutdown()  # sends what is queued, also of a task that failed
