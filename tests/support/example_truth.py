"""What an example's run is known to have done, and what Prometheus holds of it, value by value, with every version.

The model's calls and tokens are the model server's own record, the tools' calls are the story's; telemetry has no part.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from agentobs.contract import Label
from support.prometheus import Prometheus

PROMPTS = {"planner": "12", "executor": "3"}
GRAPH = "7"
TOOLS = {"order_lookup": ("planner", "3.1.0"), "order_refund": ("executor", "2.0.4")}
_CALLS = {"order_lookup": (1, 0, 0), "order_refund": (2, 1, 1)}
"""Calls, those that failed, those that were retries."""


class Value(NamedTuple):
    """One number that telemetry should tell, and the names and versions that it should stand under."""

    what: str
    agent: str = ""
    subject: str = ""
    version: str = ""
    prompt: str = ""
    graph: str = GRAPH


def expected(answers: Iterable[Mapping[str, Any]], model: str) -> dict[Value, float]:
    """What happened; `model` is the name under which the framework's spans have the model."""
    found: Counter[Value] = Counter({Value("tasks", subject="success"): 1})
    for agent, prompt in PROMPTS.items():
        found[Value("agent runs", agent, prompt=prompt)] += 1
    for answer in answers:
        agent = answer["agent"]
        for what, number in {"model calls": 1, "input": answer["input"], "output": answer["output"]}.items():
            found[Value(what, agent, model, prompt=PROMPTS[agent])] += number
    for tool, (agent, version) in TOOLS.items():
        for what, number in zip(("tool calls", "failed", "retries"), _CALLS[tool], strict=True):
            found[Value(what, agent, tool, version, PROMPTS[agent])] += number
    return {value: number for value, number in found.items() if number}


def measured(prometheus: Prometheus, service: str) -> dict[Value, float]:
    """What was counted of a service's only run."""
    found: Counter[Value] = Counter()
    for series, tell in _SERIES.items():
        for row in prometheus.query(f'last_over_time({series}{{{Label.SERVICE}="{service}"}}[1h]) > 0'):
            labels = {key: value for key, value in row["metric"].items() if value != "none"}
            for value in tell(labels):
                found[value] += float(row["value"][1])
    return dict(found)


def _value(what: str, labels: Mapping[str, str], subject: str = "", version: str = "", *, agent: bool = True) -> Value:
    get = labels.get
    who = (get(Label.AGENT, ""), get(Label.PROMPT_VERSION, "")) if agent else ("", "")
    return Value(what, who[0], subject, version, who[1], get(Label.GRAPH_VERSION, ""))


def _tasks(labels: Mapping[str, str]) -> list[Value]:
    # Where no program opens a span for the task, the first agent's is it.
    return [_value("tasks", labels, labels.get(Label.OUTCOME, ""), agent=False)]


def _runs(labels: Mapping[str, str]) -> list[Value]:
    return [_value("agent runs", labels)]


def _models(labels: Mapping[str, str]) -> list[Value]:
    return [_value("model calls", labels, labels.get(Label.MODEL, ""))]


def _tokens(labels: Mapping[str, str]) -> list[Value]:
    return [_value(labels.get(Label.TOKEN_TYPE, ""), labels, labels.get(Label.MODEL, ""))]


def _tools(labels: Mapping[str, str]) -> list[Value]:
    said = ["tool calls"]
    said += ["failed"] if Label.ERROR_CLASS in labels else []
    said += ["retries"] if labels.get(Label.IS_RETRY) == "true" else []
    return [_value(what, labels, labels.get(Label.TOOL, ""), labels.get(Label.TOOL_VERSION, "")) for what in said]


_SERIES: Mapping[str, Callable[[Mapping[str, str]], list[Value]]] = {
    "agentic_task_calls_total": _tasks,
    "agentic_agent_calls_total": _runs,
    "agentic_llm_calls_total": _models,
    "agentic_llm_tokens_total": _tokens,
    "agentic_tool_calls_total": _tools,
}
