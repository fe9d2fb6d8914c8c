"""Trials as telemetry: OTLP requests of the tasks that many environments handle at the same time, in real time."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support import otlp
from support.trials import NEW_TYPES, TYPES, USERS, Change, Fault, Trial

_TICK_S = 0.5
_ATTEMPTS = 3
_PRICE = 0.000004


class _Task:
    """One task of a trial at a share `at` of its run: spans and records with the effects of the faults in force."""

    def __init__(self, trial: Trial, at: float) -> None:
        self.trial, self.at, self.rng = trial, at, trial.noise
        # A canary is chosen per task and per change.
        self.new = {change: at >= change.at and self.rng.random() < change.share for change in trial.changes}
        self.spans: list[Any] = []
        self.records: list[Any] = []
        self.trace_id = self.rng.randbytes(16)
        self.cost, self.tokens, self.failed = 0.0, 0, False
        drifted = self.size("new types", "")
        self.novel = drifted is not None and self.rng.random() < drifted
        self.type = self.rng.choice(NEW_TYPES if self.novel else TYPES)
        self.sliced = {"agentic.graph.version": self.version("graph", ""), "agentic.rollout.track": self._track()}

    def _track(self) -> str:
        canary = any(new and change.share < 1 for change, new in self.new.items())
        return "canary" if canary else "stable"

    def version(self, dimension: str, entity: str) -> str:
        for change, new in self.new.items():
            if (change.dimension, change.entity) == (dimension, entity):
                return change.new if new else change.old
        return "1"

    def size(self, effect: str, entity: str) -> float | None:
        for fault in self.trial.faults:
            if (fault.effect, fault.entity) == (effect, entity) and self._hits(fault):
                return fault.size
        return None

    def _hits(self, fault: Fault) -> bool:
        change: Change | None = fault.change
        return self.new[change] if change else self.at >= fault.at

    def run(self) -> None:
        root = self.rng.randbytes(8)
        rounds = 1
        if self.size("loops", "") is not None:
            wanted = self.size("loops", "") or 1.0
            rounds = int(wanted) + (self.rng.random() < wanted % 1)
            self.failed |= self.rng.random() < 0.2
        order = ["router", "planner", *(("executor", "critic") * rounds)]
        seconds = sum(self._agent(agent, root) for agent in order)
        failed = self.failed or self.rng.random() < 0.02
        attributes = {
            **self.sliced,
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "support",
            "agentic.span.role": "task",
            "agentic.task.outcome": "failure" if failed else "success",
            "agentic.task.type": self.type,
            "agentic.task.cost_usd": self.cost,
            "agentic.task.tokens": self.tokens,
        }
        self.spans.append(
            otlp.span("invoke_workflow support", attributes, trace_id=self.trace_id, span_id=root, seconds=seconds)
        )

    def _agent(self, agent: str, root: bytes) -> float:
        named = {
            **self.sliced,
            "gen_ai.agent.name": agent,
            "gen_ai.prompt.name": agent,
            "gen_ai.prompt.version": self.version("prompt", agent),
        }
        run = self.rng.randbytes(8)
        seconds, failed = self._model(agent, named, run, 1.0)
        for tool in self.rng.sample(USERS.get(agent, ()), min(2, len(USERS.get(agent, ())))):
            spent, gave_up = self._tool(agent, tool, named, run)
            seconds += spent
            self.failed |= gave_up
        failed = failed or self.rng.random() < max(0.005, self.size("agent fails", agent) or 0.0)
        attributes = {**named, "gen_ai.operation.name": "invoke_agent", **({"error.type": "agent"} if failed else {})}
        status = "error" if failed else "unset"
        self.spans.append(
            otlp.span(f"invoke_agent {agent}", attributes, trace_id=self.trace_id, span_id=run, parent=root,
                      seconds=seconds, status=status)
        )  # fmt: skip
        self.failed |= failed and self.rng.random() < 0.5
        self._evaluate(agent, named)
        return seconds

    def _model(self, agent: str, named: dict[str, Any], parent: bytes, longer: float) -> tuple[float, bool]:
        base, rng = self.trial.base, self.rng
        model = self.version("model", agent)
        seconds = base["model s"][agent] * rng.lognormvariate(-0.1, 0.45) * self.trial.slow
        seconds *= self.size("model is slow", agent) or 1.0
        failed = rng.random() < max(base["model fails"][agent], self.size("model fails", agent) or 0.0)
        attributes = {
            **named,
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "sim",
            "gen_ai.request.model": f"{agent}-model-{model}",
        }
        if failed:
            attributes["error.type"] = "503"
        else:
            tokens = base["tokens"][agent] * rng.lognormvariate(-0.08, 0.4) * longer
            tokens *= (self.size("tokens grow", agent) or 1.0) * (self.size("inputs grow", "") or 1.0)
            cost = tokens * _PRICE * (self.size("model is dear", agent) or 1.0)
            attributes |= {
                "gen_ai.usage.input_tokens": int(tokens * 0.8),
                "gen_ai.usage.output_tokens": int(tokens * 0.2),
                "agentic.cost.usd": cost,
            }
            self.cost += cost
            self.tokens += int(tokens)
        self.spans.append(
            otlp.span(f"chat {model}", attributes, kind="client", trace_id=self.trace_id, parent=parent,
                      seconds=seconds, status="error" if failed else "unset")
        )  # fmt: skip
        return seconds, failed

    def _tool(self, agent: str, tool: str, named: dict[str, Any], parent: bytes) -> tuple[float, bool]:
        base, rng, spent = self.trial.base, self.rng, 0.0
        for attempt in range(_ATTEMPTS):
            seconds = base["tool s"][tool] * rng.lognormvariate(-0.1, 0.45) * self.trial.slow
            seconds *= self.size("tool is slow", tool) or 1.0
            error = ""
            if rng.random() < (self.size("tool times out", tool) or 0.0):
                error, seconds = "TimeoutError", 5.0
            elif rng.random() < max(base["tool fails"][tool], self.size("tool fails", tool) or 0.0):
                error = "tool_error"
            attributes = {
                **named,
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": tool,
                "agentic.tool.version": self.version("tool", tool),
                "agentic.retry.attempt": attempt,
                **({"error.type": error} if error else {}),
            }
            self.spans.append(
                otlp.span(f"execute_tool {tool}", attributes, trace_id=self.trace_id, parent=parent, seconds=seconds,
                          status="error" if error else "unset")
            )  # fmt: skip
            spent += seconds
            after, _ = self._model(agent, named, parent, 1.1 + 0.1 * attempt)
            spent += after
            if not error:
                return spent, False
        return spent, True

    def _evaluate(self, agent: str, named: dict[str, Any]) -> None:
        rng = self.rng
        chance = max(self.trial.base["bad answers"][agent], self.size("answers are bad", agent) or 0.0)
        if self.novel:
            chance = max(chance, 0.55 if agent in {"planner", "executor"} else 0.2)
        bad = rng.random() < chance
        self.failed |= bad and rng.random() < 0.4
        verdict = {
            **named,
            "gen_ai.evaluation.name": "quality",
            "agentic.evaluation.source": "code",
            "gen_ai.evaluation.score.label": "fail" if bad else "pass",
            "gen_ai.evaluation.score.value": 0.2 if bad else 0.9,
            "gen_ai.request.model": f"{agent}-model-{self.version('model', agent)}",
        }
        self.records.append(otlp.record("gen_ai.evaluation.result", verdict, trace_id=self.trace_id))
        if rng.random() < 0.004:
            violation = {**named, "agentic.policy.id": "no-pii", "agentic.policy.action": "redacted"}
            self.records.append(otlp.record("agentic.policy.violation", violation, trace_id=self.trace_id))


def play(
    trials: Sequence[Trial],
    send: Callable[[Message], Any],
    seconds: float,
    tell: Callable[[float], Any] = lambda _: None,
) -> list[float]:
    """Play all trials at once for so many seconds; return when each equal part of it began (unix seconds).

    A crowded machine falls behind, so the parts may last longer than meant. `tell` hears the progress, 0 to 1.
    """
    began, ticks, times = time.time(), int(seconds / _TICK_S), []
    for tick in range(ticks):
        time.sleep(max(0.0, began + tick * _TICK_S - time.time()))
        times.append(time.time())
        traces, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
        for trial in trials:
            trial.slow = min(2.0, max(0.5, trial.slow**0.97 * trial.noise.lognormvariate(0, 0.02)))
            spans, records = [], []
            for _ in range(_arrivals(trial)):
                task = _Task(trial, (tick + trial.noise.random()) / ticks)
                task.run()
                trial.played += 1
                spans += task.spans
                records += task.records
            resource = {"service.name": "agents", "deployment.environment.name": trial.environment}
            traces.MergeFrom(otlp.traces(spans, resource))
            logs.MergeFrom(otlp.logs(records, resource))
        send(traces)
        send(logs)
        tell((tick + 1) / ticks)
    return times


def _arrivals(trial: Trial) -> int:
    """A Poisson number of tasks for one tick."""
    left, count = trial.noise.expovariate(trial.rate), 0
    while left < _TICK_S:
        count += 1
        left += trial.noise.expovariate(trial.rate)
    return count
