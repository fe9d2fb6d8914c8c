"""Counters as a store holds them: a point each few seconds where a value changed, and where a series begins.

A series begins with a zero and, a millisecond later, with what its first flush counted, as the collector writes it.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentobs import contract
from agentobs.contract import Metric
from support.worlds.model import NAMED, WORKFLOW, World
from support.worlds.simulate import Events, Played, play

GRID_S: Final = 5.0
_FLUSH_S: Final = 1.0
Numbers = NDArray[np.float64]
Sampled = tuple[str, dict[str, str], Numbers, Numbers]
"""Name, labels, times in seconds from the start of the world, values."""


def sampled(world: World, grid_s: float = GRID_S) -> Iterator[Sampled]:
    """Every counter of a world, as a store would have it."""
    yield from _Sampler(world, grid_s).series(play(world))


class _Sampler:
    def __init__(self, world: World, grid_s: float) -> None:
        self.world, self.grid_s = world, grid_s
        begins = [(0.0, "collector-0")]
        for number, restart in enumerate(world.restarts, 1):
            begins.append((restart.at + restart.gap, f"collector-{number}" if restart.renamed else begins[-1][1]))
        ends = [*(restart.at for restart in world.restarts), world.seconds]
        self.epochs = [(begin, end, instance) for (begin, instance), end in zip(begins, ends, strict=True)]
        self.common = {"environment": world.environment, "job": "agentic-kpi", "service": f"svc-{world.seed}"}

    def series(self, played: Played) -> Iterator[Sampled]:
        lead = self.world.agents[0].name if self.world.base.lead else "none"
        none = {"tool_name": "none", "tool_version": "none"}
        for (graph, track, error, outcome, kind), events in played.tasks.items():
            labels = {
                "agent_name": lead, "prompt_name": "none", "prompt_version": "none", "model": "none", **none,
                "graph_version": graph, "track": track, "error_class": error, "outcome": outcome, "task_type": kind,
                "workflow": WORKFLOW,
            }  # fmt: skip
            yield from self._calls(contract.TASK_CALLS, contract.TASK_DURATION, labels, events)
            yield from self._histogram(contract.TASK_COST, labels, events[0], events[2])
        for (agent, prompt, graph, track, error), events in played.runs.items():
            labels = {**_of(agent, prompt, graph, track), **none, "model": "none", "error_class": error}
            yield from self._calls(
                contract.AGENT_CALLS, contract.AGENT_DURATION, labels | {"is_retry": "false"}, events
            )
        for (agent, prompt, graph, model, track, error), events in played.models.items():
            labels = {
                **_of(agent, prompt, graph, track), **none, "model": model, "error_class": error,
                "is_retry": "false", "is_fallback": "false", "provider": "openai",
            }  # fmt: skip
            yield from self._calls(contract.LLM_CALLS, contract.LLM_DURATION, labels, events)
            if events[2]:
                yield from self._histogram(contract.REQUEST_TOKENS, labels, events[0], events[2])
                yield from self._counter(contract.COST.series, labels, events[0], events[3])
        for (agent, prompt, graph, tool, version, track, error, retry), events in played.tools.items():
            labels = {
                **_of(agent, prompt, graph, track), "tool_name": tool, "tool_version": version, "model": "none",
                "error_class": error, "is_retry": retry, "is_fallback": "false",
            }  # fmt: skip
            yield from self._calls(contract.TOOL_CALLS, contract.TOOL_DURATION, labels, events)
        yield from self._events(played.evaluations, played.violations)

    def _events(self, evaluations: Events, violations: Events) -> Iterator[Sampled]:
        none = {"tool_name": "none", "tool_version": "none"}
        for (agent, prompt, graph, model, track, label), events in evaluations.items():
            labels = {
                **_of(agent, prompt, graph, track), **none, "model": model, "label": label,
                "eval_name": "quality", "eval_source": "llm_judge",
            }  # fmt: skip
            yield from self._counter(contract.EVAL_RESULTS.series, labels, events[0])
        for (agent, prompt, graph, track), events in violations.items():
            labels = {
                **_of(agent, prompt, graph, track), **none, "model": "none", "action": "flagged", "policy_id": "no-pii",
            }  # fmt: skip
            yield from self._counter(contract.POLICY_VIOLATIONS.series, labels, events[0])

    def _calls(
        self, calls: Metric, lasted: Metric, labels: dict[str, str], events: list[list[float]]
    ) -> Iterator[Sampled]:
        yield from self._counter(calls.series, labels, events[0])
        yield from self._histogram(lasted, labels, events[0], events[1])

    def _counter(
        self, name: str, labels: dict[str, str], times: Sequence[float], values: Sequence[float] | None = None
    ) -> Iterator[Sampled]:
        added = np.ones((len(times), 1)) if values is None else np.array(values)[:, None]
        for instance, at, (grown,) in self._sums(times, added):
            yield name, {**labels, **self.common, "instance": instance}, at, grown

    def _histogram(
        self, metric: Metric, labels: dict[str, str], times: Sequence[float], values: Sequence[float]
    ) -> Iterator[Sampled]:
        measured = np.array(values)[:, None]
        bounds = np.array([*metric.buckets, math.inf])
        added = np.hstack([np.ones_like(measured), measured, measured <= bounds])
        for instance, at, (count, total, *buckets) in self._sums(times, added):
            common = {**labels, **self.common, "instance": instance}
            yield metric.count, common, at, count
            yield metric.sum, common, at, total
            for bound, bucket in zip(bounds, buckets, strict=True):
                kept = np.diff(bucket, prepend=-1.0) != 0
                kept[:2] = True
                le = "+Inf" if math.isinf(bound) else f"{bound:g}" if bound < 1e6 else str(int(bound))
                yield metric.bucket, {**common, "le": le}, at[kept], bucket[kept]

    def _sums(self, times: Sequence[float], added: Numbers) -> Iterator[tuple[str, Numbers, list[Numbers]]]:
        """What each column of `added` has grown to, per instance: its name, the times, a column each."""
        order = np.argsort(np.array(times), kind="stable")
        ends, added = np.array(times)[order], added[order]
        parts: dict[str, list[tuple[Numbers, Numbers]]] = {}
        for begin, end, instance in self.epochs:
            mine = slice(np.searchsorted(ends, begin), np.searchsorted(ends, end, side="right"))
            if mine.start < mine.stop:
                parts.setdefault(instance, []).append(self._grown(ends[mine], added[mine], end))
        for instance, found in parts.items():
            at = np.concatenate([times for times, _ in found])
            yield instance, at, [*np.concatenate([values for _, values in found]).T]

    def _grown(self, ends: Numbers, added: Numbers, last: float) -> tuple[Numbers, Numbers]:
        first = min(math.ceil(ends[0] / _FLUSH_S) * _FLUSH_S, last)
        slots = np.minimum(np.ceil(ends / self.grid_s) * self.grid_s, last)
        slots[ends <= first] = first + 1e-3
        closes = np.flatnonzero(np.diff(slots, append=math.inf))
        values = np.cumsum(added, axis=0)[closes]
        return np.concatenate([[first], slots[closes]]), np.vstack([np.zeros(added.shape[1]), values])


def _of(agent: str, prompt: str, graph: str, track: str) -> dict[str, str]:
    name, named, version = prompt.rpartition(NAMED)
    return {
        "agent_name": agent, "prompt_name": name if named else agent, "prompt_version": version,
        "graph_version": graph, "track": track,
    }  # fmt: skip
