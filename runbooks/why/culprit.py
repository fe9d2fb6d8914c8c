"""Naming what a guilty version belongs to: the agents it acts through, the tool, the prompt, the workflow."""

from collections.abc import Mapping

from agentobs.contract import Label
from alerts.catalogue import AGENT_RUNS_PER_TASK, AGENT_SUCCESS, TASK_SUCCESS
from runbooks.why.changes import VersionChange
from runbooks.why.document import Culprit
from runbooks.why.tables import Table


def name(change: VersionChange, tables: list[Table], callers: Mapping[str, list[str]], since: float) -> Culprit:
    """Return the culprit of a change that was first used at `since` (unix seconds)."""
    where = change.place
    if Label.AGENT in where:
        agents = [where[Label.AGENT]]
    elif Label.TOOL in where:
        agents = callers.get(where[Label.TOOL], [])
    else:
        agents = _busier(change, tables)
    return Culprit(
        environment=where[Label.ENVIRONMENT],
        agent=agents[0] if agents else None,
        agents=agents,
        tool=where.get(Label.TOOL),
        workflow=where.get(Label.WORKFLOW),
        prompt=where.get(Label.PROMPT),
        dimension=change.dimension.key,
        version=change.version,
        previous=change.was,
        since=since,
    )


def _busier(change: VersionChange, tables: list[Table]) -> list[str]:
    """Agents that the new graph runs more often per task than it tolerates: those in its loop, the most first."""

    def per_task(version: str) -> dict[str, float]:
        tasks = sum(_events(table, version) for table in tables if table.kpi is TASK_SUCCESS)
        runs = {t.place.name: _events(t, version) for t in tables if t.kpi is AGENT_SUCCESS}
        return {agent: count / tasks for agent, count in runs.items() if count} if tasks else {}

    before, now = per_task(change.previous), per_task(change.version)
    growth = {agent: count / before[agent] for agent, count in now.items() if agent in before}
    new = [agent for agent in now if agent not in before]
    grown = [agent for agent, factor in growth.items() if factor >= 1 + AGENT_RUNS_PER_TASK.tolerance]
    return new + sorted(grown, key=lambda agent: -growth[agent])


def _events(table: Table, version: str) -> float:
    rows = [value == version for value in table.values(Label.GRAPH_VERSION)]
    return float(table.below[rows].sum())
