"""Haystack: agents in a pipeline each, the researcher is a tool of the coordinator; a thread per task."""

import os
from collections.abc import Callable
from typing import Annotated

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from capture import Capture, arguments
from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import Tool, create_tool_from_function
from openinference.instrumentation import using_prompt_template
from opentelemetry import trace
from scenario import MODEL, PROMPT_VERSIONS, TASKS, TOOLS_OF, instructions, question
from tool_server import FUNCTIONS


def tool(name: str, does: Callable[[str], str], field: str = "topic") -> Tool:
    """A function as a tool."""
    parameters = {"type": "object", "properties": {field: {"type": "string"}}, "required": [field]}
    return Tool(name=name, description=does.__doc__ or name, parameters=parameters, function=does)


def pipeline(who: str, url: str, *more: Tool) -> Pipeline:
    """One agent; its name is the name of its component."""
    agent = Agent(
        chat_generator=OpenAIChatGenerator(model=MODEL, api_base_url=url, max_retries=2),
        system_prompt=instructions(who),
        tools=[*(tool(name, FUNCTIONS[name]) for name in TOOLS_OF[who.partition("_")[2]]), *more],
        max_agent_steps=8,
    )
    made = Pipeline()
    made.add_component(who, agent)
    return made


def ask(who: str, url: str, request: str) -> str:
    """Run one agent alone."""
    found = pipeline(who, url).run({who: {"messages": [ChatMessage.from_user(request)]}})
    return str(found[who]["messages"][-1].text)


def instrument(capture: Capture) -> None:
    """From outside, or with Haystack's own tracer."""
    if capture.instrumentation == "native":
        from haystack.tracing import enable_tracing, tracer  # noqa: PLC0415
        from haystack_integrations.tracing.opentelemetry import OpenTelemetryTracer  # noqa: PLC0415

        tracer.is_content_tracing_enabled = True
        enable_tracing(OpenTelemetryTracer(trace.get_tracer("haystack")))
    else:
        from openinference.instrumentation.haystack import HaystackInstrumentor  # noqa: PLC0415

        HaystackInstrumentor().instrument(tracer_provider=capture.provider)


def main(capture: Capture) -> None:
    """All tasks at once."""

    def run(task: str) -> None:
        team = TASKS[task].team
        who, whom = f"{team}_coordinator", f"{team}_researcher"

        def ask_researcher(request: Annotated[str, "What to find out."]) -> str:
            """Ask the researcher to find something out."""
            return ask(whom, capture.url, request)

        handover = create_tool_from_function(ask_researcher, name=f"ask_{whom}")
        with using_prompt_template(template=instructions(who), version=PROMPT_VERSIONS[who]):
            pipeline(who, capture.url, handover).run({who: {"messages": [ChatMessage.from_user(question(task))]}})

    capture.in_threads(run)


if __name__ == "__main__":
    args = arguments("openinference", "native")
    with Capture("haystack", args, stated=("prompt",) if args.instrumentation == "openinference" else ()) as capture:
        instrument(capture)
        main(capture)
