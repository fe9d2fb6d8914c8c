"""smolagents: the researcher is a managed agent of the coordinator, tools are functions; a thread per task."""

from capture import Capture, arguments
from openinference.instrumentation import using_prompt_template
from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from scenario import MODEL, PROMPT_VERSIONS, TASKS, TOOLS_OF, instructions, question
from smolagents import OpenAIServerModel, Tool, ToolCallingAgent
from tool_server import FUNCTIONS


def tool(name: str) -> Tool:
    """One of the tools, in the shape that smolagents wants."""

    class Register(Tool):
        description = FUNCTIONS[name].__doc__
        inputs = {"topic": {"type": "string", "description": "A topic."}}  # noqa: RUF012 as its base class has it
        output_type = "string"

        def forward(self, topic: str) -> str:
            return FUNCTIONS[name](topic)

    Register.name = name
    return Register()


def agent(who: str, url: str, managed: list[ToolCallingAgent]) -> ToolCallingAgent:
    """One agent; it holds its conversation, so each task has its own."""
    role = who.partition("_")[2]
    return ToolCallingAgent(
        [tool(name) for name in TOOLS_OF[role]],
        OpenAIServerModel(MODEL, api_base=url, api_key="scripted"),
        managed_agents=managed,
        name=who,
        description=f"The {role}.",
        instructions=instructions(who),
        max_steps=8,
        verbosity_level=0,
    )


def main(capture: Capture) -> None:
    """All tasks at once."""

    def run(task: str) -> None:
        team = TASKS[task].team
        who = f"{team}_coordinator"
        with using_prompt_template(template=instructions(who), version=PROMPT_VERSIONS[who]):
            agent(who, capture.url, [agent(f"{team}_researcher", capture.url, [])]).run(question(task))

    capture.in_threads(run)


if __name__ == "__main__":
    args = arguments("openinference")
    with Capture("smolagents", args, stated=("prompt",)) as capture:
        SmolagentsInstrumentor().instrument(tracer_provider=capture.provider)
        main(capture)
