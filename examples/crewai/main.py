"""CrewAI: a flow of two crews, the planner's and the executor's. Instrumented with OpenInference."""

import os
import sys
from pathlib import Path

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", CREWAI_TRACING_ENABLED="false", CREWAI_DISABLE_VERSION_CHECK="true")
sys.path.append(str(Path(__file__).resolve().parents[1]))  # support_desk.py lies beside the folders

import support_desk as desk
from crewai import LLM, Agent, Crew, Task
from crewai.flow.flow import Flow, listen, start
from crewai.tools import BaseTool, tool
from openinference.instrumentation.crewai import CrewAIInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

from agentobs import emit

telemetry = emit.configure(service="refunds-crewai", version=desk.VERSION, environment="dev", endpoint=desk.COLLECTOR)
CrewAIInstrumentor().instrument()
OpenAIInstrumentor().instrument()  # model calls and tokens: CrewAI's own instrumentation has none


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


def ask(prompt: emit.Prompt, its_tool: BaseTool, request: str) -> str:
    """One agent with one tool does one task."""
    agent = Agent(
        role=prompt.name,
        goal="Settle what the customer wants.",
        backstory=prompt.text,
        tools=[its_tool],
        llm=LLM(model=f"openai/{desk.MODEL}", base_url=model_url),
    )
    task = Task(description=request, expected_output="One sentence.", agent=agent, name=prompt.name)
    with emit.agent(prompt.name, prompt, span=False):
        return str(Crew(agents=[agent], tasks=[task], name=prompt.name).kickoff())


class Refunds(Flow):
    """Who works after whom."""

    @start()
    def plan(self) -> str:
        """The planner's part."""
        return ask(desk.PLANNER, order_lookup, desk.QUESTION)

    @listen(plan)
    def execute(self, plan: str) -> str:
        """The executor's part, with what the planner said."""
        return ask(desk.EXECUTOR, order_refund, plan)


model_url = desk.use_model()
try:
    with emit.task(workflow="refunds", type="refund", graph_version=desk.GRAPH_VERSION) as task:
        print(Refunds(suppress_flow_events=True).kickoff())
        task.plan(planned=2, completed=2)
finally:
    telemetry.shutdown()  # sends what is queued, also of a task that failed
