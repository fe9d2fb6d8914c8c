"""DSPy: two ReAct modules, the researcher is a tool of the coordinator; tools are functions, a thread per task."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or LiteLLM asks the network for prices

import dspy
from capture import Capture, arguments
from openinference.instrumentation import using_prompt_template
from openinference.instrumentation.dspy import DSPyInstrumentor
from scenario import MODEL, PROMPT_VERSIONS, TASKS, TOOLS_OF, instructions, question
from tool_server import FUNCTIONS


class Researcher(dspy.ReAct):
    """A module's class is all that names it in its spans."""


class Coordinator(dspy.ReAct):
    """The one that is asked."""


def agent(kind: type[dspy.ReAct], who: str, *more: dspy.Tool) -> dspy.ReAct:
    """One agent."""
    signature = dspy.Signature("question -> answer", instructions(who))
    tools = [dspy.Tool(FUNCTIONS[name], name=name) for name in TOOLS_OF[who.partition("_")[2]]]
    return kind(signature, tools=[*tools, *more], max_iters=8)


def main(capture: Capture) -> None:
    """All tasks at once."""
    dspy.configure(
        lm=dspy.LM(f"openai/{MODEL}", api_base=capture.url, api_key="scripted", cache=False, num_retries=2),
        adapter=dspy.ChatAdapter(use_json_adapter_fallback=False),
    )

    def run(task: str) -> None:
        team = TASKS[task].team
        researcher = agent(Researcher, f"{team}_researcher")

        def ask(request: str) -> str:
            """Ask the researcher to find something out."""
            return str(researcher(question=request).answer)

        who = f"{team}_coordinator"
        with using_prompt_template(template=instructions(who), version=PROMPT_VERSIONS[who]):
            agent(Coordinator, who, dspy.Tool(ask, name=f"ask_{team}_researcher"))(question=question(task))

    capture.in_threads(run)


if __name__ == "__main__":
    args = arguments("openinference")
    with Capture("dspy", args, stated=("prompt",)) as capture:
        DSPyInstrumentor().instrument(tracer_provider=capture.provider)
        main(capture)
