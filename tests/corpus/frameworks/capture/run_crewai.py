"""CrewAI: the north's coordinator delegates to its coworker, the south's two work one after the other.

Tools over MCP, but for the one that times out: the MCP client of CrewAI waits for as long as a tool takes.
"""

import os
import sys

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", CREWAI_TRACING_ENABLED="false", CREWAI_DISABLE_VERSION_CHECK="true")

from capture import TOOL_SERVER, Capture, arguments
from crewai import LLM, Agent, Crew, Task
from crewai.tools import BaseTool, tool
from crewai_tools import MCPServerAdapter
from mcp import StdioServerParameters
from openinference.instrumentation import using_prompt_template
from openinference.instrumentation.crewai import CrewAIInstrumentor
from scenario import MODEL, PROMPT_VERSIONS, TASKS, TOOLS_OF, instructions, question
from tool_server import FUNCTIONS


def instrument(capture: Capture) -> None:
    """The wrappers with the client's spans beside them, or the listener of events (one *or* the other is advised)."""
    listen = capture.instrumentation == "openinference-listener"
    CrewAIInstrumentor().instrument(tracer_provider=capture.provider, use_event_listener=listen)
    if not listen:
        from openinference.instrumentation.openai import OpenAIInstrumentor  # noqa: PLC0415

        OpenAIInstrumentor().instrument(tracer_provider=capture.provider)


def agent(who: str, tools: dict[str, BaseTool], url: str) -> Agent:
    """One agent; a coordinator may delegate."""
    role = who.partition("_")[2]
    return Agent(
        role=who,
        goal="Find out what became of an order.",
        backstory=instructions(who),
        tools=[tools[name] for name in TOOLS_OF[role]],
        allow_delegation=who == "north_coordinator",
        llm=LLM(model=f"openai/{MODEL}", base_url=url, api_key="scripted"),
        max_retry_limit=0,
        verbose=False,
    )


def main(capture: Capture) -> None:
    """All tasks at once."""
    server = StdioServerParameters(command=sys.executable, args=[TOOL_SERVER], env=dict(os.environ))
    with MCPServerAdapter(server) as adapter:
        tools = {**{found.name: found for found in adapter}, "slow": tool(FUNCTIONS["slow"])}

        def run(task: str) -> None:
            team = TASKS[task].team
            first, second = (agent(f"{team}_{role}", tools, capture.url) for role in ("coordinator", "researcher"))
            workers = [first] if team == "north" else [first, second]
            work = [
                Task(description=question(task), expected_output="One sentence.", agent=worker, name=f"answer-{task}")
                for worker in workers
            ]
            crew = Crew(agents=[first, second], tasks=work, name=f"{team}_team", verbose=False)
            with using_prompt_template(
                template=instructions(first.role), version=PROMPT_VERSIONS[f"{team}_coordinator"]
            ):
                crew.kickoff()

        capture.in_threads(run)


if __name__ == "__main__":
    args = arguments("openinference", "openinference-listener")
    with Capture("crewai", args, stated=("prompt",)) as capture:
        instrument(capture)
        main(capture)
