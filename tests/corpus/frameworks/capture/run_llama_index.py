"""LlamaIndex: a workflow of two agents, the coordinator hands off to the researcher; tools are functions."""

import asyncio
from collections.abc import Callable

from capture import Capture, arguments
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.llms.openai import OpenAI
from openinference.instrumentation import using_prompt_template
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from scenario import MODEL, PROMPT_VERSIONS, TASKS, TOOLS_OF, instructions, question
from tool_server import FUNCTIONS


def threaded(name: str) -> Callable[..., object]:
    """A tool in a thread, so that one that waits does not hold up the others."""

    async def run(topic: str) -> str:
        return await asyncio.to_thread(FUNCTIONS[name], topic)

    run.__name__, run.__doc__ = name, FUNCTIONS[name].__doc__
    return run


def workflow(team: str, url: str) -> AgentWorkflow:
    """The agents of a team."""

    def agent(role: str, hands_to: list[str]) -> FunctionAgent:
        who = f"{team}_{role}"
        return FunctionAgent(
            name=who,
            description=f"The {role}.",
            system_prompt=instructions(who),
            tools=[threaded(tool) for tool in TOOLS_OF[role]],
            llm=OpenAI(model=MODEL, api_base=url, api_key="scripted", max_retries=2),
            can_handoff_to=hands_to,
            streaming=False,
        )

    both = [agent("coordinator", [f"{team}_researcher"]), agent("researcher", [])]
    return AgentWorkflow(agents=both, root_agent=both[0].name, timeout=60)


async def main(capture: Capture) -> None:
    """All tasks at once."""

    async def run(task: str) -> None:
        team = TASKS[task].team
        who = f"{team}_coordinator"
        with using_prompt_template(template=instructions(who), version=PROMPT_VERSIONS[who]):
            await workflow(team, capture.url).run(user_msg=question(task))

    await capture.together(run)


if __name__ == "__main__":
    args = arguments("openinference")
    with Capture("llama-index", args, stated=("prompt",)) as capture:
        LlamaIndexInstrumentor().instrument(tracer_provider=capture.provider)
        asyncio.run(main(capture))
