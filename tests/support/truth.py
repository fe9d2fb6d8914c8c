"""Agent traffic whose KPIs are known: requests, and beside each what it adds to every series on the full label set.

The labels are written out here by hand, from the contract and not from the code that renders the pipeline.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from support import otlp

Key = tuple[str, frozenset[tuple[str, str]]]
COMMON = (
    "environment",
    "service",
    "agent_name",
    "prompt_name",
    "prompt_version",
    "graph_version",
    "tool_name",
    "tool_version",
    "model",
    "error_class",
    "track",
)
_TOOL_ERRORS = {"": "none", "TimeoutError": "timeout", "tool_error": "tool_error", "-32001": "timeout"}
_MODEL_ERRORS = {"": "none", "openai.RateLimitError": "rate_limited", "httpx.ReadTimeout": "timeout"}


def _key(name: str, **labels: str) -> Key:
    common = {label: labels.pop(label, "none") for label in COMMON}
    return name, frozenset({**common, **labels}.items())


@dataclass
class Traffic:
    """Makes tasks of one service in one environment; `seed` fixes everything but ids and times."""

    environment: str = "test"
    service: str = "agents"
    seed: int = 1
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    @property
    def resource(self) -> dict[str, Any]:
        return {
            "service.name": self.service,
            "service.version": "5.0.0",
            "deployment.environment.name": self.environment,
        }

    def tasks(self, count: int) -> tuple[Message, Counter[Key]]:
        """One trace request of `count` tasks, and what it adds."""
        spans, adds = [], Counter[Key]()
        for _ in range(count):
            spans.extend(self._task(adds))
        return otlp.traces(spans, self.resource), adds

    def _labels(self, **more: str) -> dict[str, str]:
        return {"environment": self.environment, "service": self.service, "track": "stable", **more}

    def _task(self, adds: Counter[Key]) -> list[Any]:
        rng, trace_id = self.rng, self.rng.randbytes(16)
        graph, version = rng.choice("34"), rng.choice(("6", "7"))
        outcome = rng.choice(("success", "success", "failure"))
        sliced = {"agentic.graph.version": graph, "agentic.rollout.track": "stable"}
        cost, tokens, done = rng.randint(1, 900) / 1000, rng.randint(100, 9000), rng.randint(0, 3)
        root = otlp.span(
            "invoke_workflow support",
            {
                **sliced,
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": "support",
                "agentic.span.role": "task",
                "agentic.task.outcome": outcome,
                "agentic.task.type": "refund",
                "agentic.task.cost_usd": cost,
                "agentic.task.tokens": tokens,
                "agentic.plan.steps_planned": 3,
                "agentic.plan.steps_completed": done,
            },
            trace_id=trace_id,
            seconds=12.5,
        )
        task = self._labels(graph_version=graph, workflow="support", outcome=outcome, task_type="refund")
        adds[_key("agentic_task_calls_total", **task)] += 1
        adds[_key("agentic_task_duration_seconds_count", **task)] += 1
        adds[_key("agentic_task_duration_seconds_sum", **task)] += 12.5
        adds[_key("agentic_task_cost_usd_count", **task)] += 1
        adds[_key("agentic_task_cost_usd_sum", **task)] += cost
        adds[_key("agentic_task_tokens_count", **task)] += 1
        adds[_key("agentic_task_tokens_sum", **task)] += tokens
        adds[_key("agentic_plan_steps_total", **task, state="planned")] += 3
        if done:
            adds[_key("agentic_plan_steps_total", **task, state="completed")] += done
        agent = rng.choice(("planner", "executor"))
        prompt = {"gen_ai.agent.name": agent, "gen_ai.prompt.name": f"{agent}-system", "gen_ai.prompt.version": version}
        named = self._labels(
            graph_version=graph, agent_name=agent, prompt_name=f"{agent}-system", prompt_version=version
        )
        run = otlp.span(
            f"invoke_agent {agent}",
            {**sliced, **prompt, "gen_ai.operation.name": "invoke_agent"},
            trace_id=trace_id,
            parent=root.span_id,
            seconds=6.25,
        )
        adds[_key("agentic_agent_calls_total", **named, is_retry="false")] += 1
        adds[_key("agentic_agent_duration_seconds_count", **named, is_retry="false")] += 1
        adds[_key("agentic_agent_duration_seconds_sum", **named, is_retry="false")] += 6.25
        chat = self._chat({**sliced, **prompt}, named, trace_id, run.span_id, adds)
        tools = self._tool({**sliced, **prompt}, named, trace_id, run.span_id, adds)
        return [root, run, chat, *tools]

    def _chat(
        self, base: dict[str, Any], named: dict[str, str], trace_id: bytes, parent: bytes, adds: Counter[Key]
    ) -> Any:
        error, error_class = self.rng.choice(list(_MODEL_ERRORS.items()))
        retry = self.rng.random() < 0.2
        attributes: dict[str, Any] = {
            **base,
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "sim",
            "gen_ai.request.model": "m-1",
            "agentic.retry.attempt": int(retry),
        }
        labels = {
            **named,
            "model": "m-1",
            "error_class": error_class,
            "provider": "sim",
            "is_retry": "true" if retry else "false",
            "is_fallback": "false",
        }
        if error:
            attributes["error.type"] = error
        else:
            used_in, used_out, cost = self.rng.randint(10, 900), self.rng.randint(1, 90), self.rng.randint(1, 99) / 1000
            attributes |= {
                "gen_ai.usage.input_tokens": used_in,
                "gen_ai.usage.output_tokens": used_out,
                "agentic.cost.usd": cost,
            }
            adds[_key("agentic_llm_tokens_total", **labels, token_type="input")] += used_in
            adds[_key("agentic_llm_tokens_total", **labels, token_type="output")] += used_out
            adds[_key("agentic_request_tokens_count", **labels)] += 1
            adds[_key("agentic_request_tokens_sum", **labels)] += used_in + used_out
            adds[_key("agentic_cost_usd_total", **labels)] += cost
        adds[_key("agentic_llm_calls_total", **labels)] += 1
        adds[_key("agentic_llm_duration_seconds_count", **labels)] += 1
        adds[_key("agentic_llm_duration_seconds_sum", **labels)] += 0.5
        status = "error" if error else "unset"
        return otlp.span(
            "chat m-1", attributes, kind="client", trace_id=trace_id, parent=parent, seconds=0.5, status=status
        )

    def _tool(
        self, base: dict[str, Any], named: dict[str, str], trace_id: bytes, parent: bytes, adds: Counter[Key]
    ) -> list[Any]:
        name, version = self.rng.choice(("search", "lookup")), self.rng.choice(("1.4.0", "2.0.0"))
        error, error_class = self.rng.choice(list(_TOOL_ERRORS.items()))
        attributes = {
            **base,
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "agentic.tool.version": version,
        }
        if error:
            attributes["error.type"] = error
        labels = {
            **named,
            "tool_name": name,
            "tool_version": version,
            "error_class": error_class,
            "is_retry": "false",
            "is_fallback": "false",
        }
        adds[_key("agentic_tool_calls_total", **labels)] += 1
        adds[_key("agentic_tool_duration_seconds_count", **labels)] += 1
        adds[_key("agentic_tool_duration_seconds_sum", **labels)] += 0.25
        call = otlp.span(
            f"execute_tool {name}",
            attributes,
            trace_id=trace_id,
            parent=parent,
            seconds=0.25,
            status="error" if error else "unset",
        )
        send = otlp.span(
            f"MCP send tools/call {name}",
            {**base, "mcp.method.name": "tools/call"},
            kind="client",
            trace_id=trace_id,
            parent=call.span_id,
            seconds=0.2,
        )
        served = otlp.span(
            f"tools/call {name}",
            {
                **base,
                "mcp.method.name": "tools/call",
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": name,
            },
            kind="server",
            trace_id=trace_id,
            parent=send.span_id,
            seconds=0.125,
        )
        server = {
            **named,
            "tool_name": name,
            "tool_version": "5.0.0",
            "error_class": "none",
            "mcp_method": "tools/call",
        }
        adds[_key("agentic_mcp_server_calls_total", **server)] += 1
        adds[_key("agentic_mcp_server_duration_seconds_count", **server)] += 1
        adds[_key("agentic_mcp_server_duration_seconds_sum", **server)] += 0.125
        return [call, send, served]

    def events(self, count: int) -> tuple[Message, Counter[Key]]:
        """One log request of `count` evaluations and as many policy violations, and what it adds."""
        records, adds = [], Counter[Key]()
        for _ in range(count):
            label, score = self.rng.choice((("pass", 0.75), ("fail", 0.25)))
            evaluation = {
                "gen_ai.evaluation.name": "quality",
                "agentic.evaluation.source": "human",
                "gen_ai.evaluation.score.label": label,
                "gen_ai.evaluation.score.value": score,
                "gen_ai.agent.name": "planner",
            }
            records.append(otlp.record("gen_ai.evaluation.result", evaluation))
            labels = {
                "environment": self.environment,
                "service": self.service,
                "agent_name": "planner",
                "eval_name": "quality",
                "eval_source": "human",
                "label": label,
            }
            for name, value in (("eval_results_total", 1), ("eval_score_count", 1), ("eval_score_sum", score)):
                adds[_event_key(f"agentic_{name}", **labels)] += value
            records.append(
                otlp.record(
                    "agentic.policy.violation", {"agentic.policy.id": "no-pii", "agentic.policy.action": "blocked"}
                )
            )
            policy = {
                "environment": self.environment,
                "service": self.service,
                "policy_id": "no-pii",
                "action": "blocked",
            }
            adds[_event_key("agentic_policy_violations_total", **policy)] += 1
        return otlp.logs(records, self.resource), adds


def _event_key(name: str, **labels: str) -> Key:
    found = _key(name, **labels)
    return name, frozenset(pair for pair in found[1] if pair[0] != "error_class")


def differences(truth: Counter[Key], found: dict[Key, float], again: Counter[Key] | None = None) -> list[str]:
    """What is missing, superfluous or different; floating sums may differ by a billionth.

    `again` is what was sent once more because its answer never came: that may be counted twice.
    """
    lines = []
    for key in sorted(set(truth) | set(found), key=str):
        wanted, got = truth.get(key, 0), found.get(key, 0.0)
        off, twice = 1e-9 * max(1.0, abs(wanted)), (again or {}).get(key, 0)
        if not wanted - off <= got <= wanted + twice + off:
            lines.append(f"{key[0]} {dict(sorted(key[1]))}: wanted {wanted}, found {got}")
    return lines
