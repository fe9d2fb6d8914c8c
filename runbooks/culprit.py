"""Naming what a guilty version belongs to: the agents it acts through, the tool, the prompt, the workflow."""

from collections.abc import Mapping

from alerts import promql
from alerts.catalogue import AGENT_RUNS_PER_TASK, TOOL_SUCCESS, Selector
from alerts.source import MetricsSource
from collector.signals import ABSENT, Label
from runbooks.changes import VersionChange
from runbooks.report import Culprit


def name_culprit(
    source: MetricsSource, change: VersionChange, where: Mapping[Label, str], start: float, end: float
) -> Culprit:
    """Return the culprit of a change, looking at `where` between `start` and `end` (unix seconds)."""
    of_version = change.where(change.version)
    if Label.AGENT in of_version:
        agents = [of_version[Label.AGENT]]
    elif Label.TOOL in of_version:
        agents = _callers(source, {**where, **of_version}, change.since, end)
    else:
        agents = _busier(source, change, where, start, end)
    return Culprit(
        environment=of_version[Label.ENVIRONMENT],
        agent=agents[0] if agents else None,
        agents=agents,
        tool=of_version.get(Label.TOOL),
        workflow=of_version.get(Label.WORKFLOW),
        prompt=of_version.get(Label.PROMPT),
        dimension=change.dimension.key,
        version=change.version,
        previous=change.previous,
        since=change.since,
    )


def _by_agent(
    source: MetricsSource, selector: Selector, where: Mapping[Label, str], start: float, end: float
) -> dict[str, float]:
    known = {label: value for label, value in where.items() if label in selector.labels}
    samples = source.instant(promql.increase(selector, (Label.AGENT,), known, end - start), end)
    found = {sample.labels.get(Label.AGENT, ABSENT): sample.value for sample in samples if sample.value > 0}
    found.pop(ABSENT, None)
    return found


def _callers(source: MetricsSource, where: Mapping[Label, str], start: float, end: float) -> list[str]:
    """Agents that call the tool, the most frequent first."""
    calls = _by_agent(source, TOOL_SUCCESS.denominator, where, start, end)
    return sorted(calls, key=lambda agent: -calls[agent])


def _busier(
    source: MetricsSource, change: VersionChange, where: Mapping[Label, str], start: float, end: float
) -> list[str]:
    """Agents that the new graph runs more often per task than it tolerates: those in its loop, the most first."""
    runs, tasks = AGENT_RUNS_PER_TASK.numerator, AGENT_RUNS_PER_TASK.denominator

    def per_task(version: str, since: float) -> dict[str, float]:
        chosen = {**where, **change.where(version)}
        samples = source.instant(promql.increase(tasks, (), chosen, end - since), end)
        ended = samples[0].value if samples else 0.0
        return {a: n / ended for a, n in _by_agent(source, runs, chosen, since, end).items()} if ended else {}

    before, now = (
        per_task(change.previous, max(start, change.previous_since - 1)),
        per_task(change.version, change.since),
    )
    growth = {agent: count / before[agent] for agent, count in now.items() if agent in before}
    new = [agent for agent in now if agent not in before]
    grown = [agent for agent, factor in growth.items() if factor >= 1 + AGENT_RUNS_PER_TASK.tolerance]
    return new + sorted(grown, key=lambda agent: -growth[agent])
