"""The summary of a run: what changed, who is to blame, how tasks ended, what was counted, where to look."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from agentobs import contract
from demo.runner import Options, best_traces
from demo.scenarios import SCENARIOS
from demo.system import SERVICE
from demo.truth import Truth


def build(
    options: Options, shares: Iterable[Mapping[str, Any]], *, started_at: float, ended_at: float
) -> dict[str, Any]:
    """Join the shares of all workers (`Share.document`) into the run's truth document. Times are Unix seconds."""
    truth = Truth(environment=options.environment, service=SERVICE)
    outcomes: Counter[str] = Counter()
    traces: list[tuple[bool, bool, str]] = []
    changes: list[float] = []
    lost = 0
    for share in shares:
        truth.merge(share["counts"])
        outcomes.update(share["outcomes"])
        traces += [(failed, after, trace_id) for failed, after, trace_id in share["traces"]]
        lost += share["telemetry_lost"]
        if share["changed_at"] is not None:
            changes.append(share["changed_at"])
    scenario = SCENARIOS[options.scenario]
    return {
        "scenario": scenario.name,
        "changes": scenario.changes,
        "seed": options.seed,
        "environment": options.environment,
        "service": SERVICE,
        "started_at": started_at,
        "ended_at": ended_at,
        "changed_at": min(changes, default=None),
        "culprit": asdict(scenario.culprit) if scenario.culprit and changes else None,
        "tasks": {"total": sum(outcomes.values()), **dict(sorted(outcomes.items()))},
        "totals": totals(truth),
        "counts": truth.document(),
        "trace_ids": best_traces(traces),
        "telemetry_lost": lost,
    }


def totals(truth: Truth) -> dict[str, float]:
    """Return the sum of every series, for people; tests compare `counts`."""
    names = [
        *(metric.series for metric in contract.METRICS if metric.kind is contract.MetricKind.COUNTER),
        contract.TASK_COST.sum,
        contract.TASK_TOKENS.sum,
    ]
    return {name: round(truth.total(name), 6) for name in names}


def lines(document: Mapping[str, Any]) -> list[str]:
    """Return the summary for people."""
    tasks = document["tasks"]
    outcomes = ", ".join(f"{count} {name}" for name, count in tasks.items() if name != "total")
    seconds = document["ended_at"] - document["started_at"]
    culprit = document["culprit"]
    found = [
        f"{document['scenario']}: {tasks['total']} tasks in {seconds:.0f} s ({outcomes or 'none ended'})",
        f"what changed: {document['changes'] if document['changed_at'] else 'nothing'}",
    ]
    if culprit:
        found.append("to be found: " + ", ".join(f"{key} {value}" for key, value in culprit.items() if value))
    if document["trace_ids"]:
        found.append("a trace to look at: " + document["trace_ids"][0])
    found.append(f"telemetry lost: {document['telemetry_lost']}")
    return found
