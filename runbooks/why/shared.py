"""Explain: what several places share. A slow machine, a provider, larger inputs, or tasks of other kinds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from agentobs.contract import ABSENT, Label
from alerts import catalogue
from alerts.catalogue import Kpi
from runbooks.why import evidence
from runbooks.why.evidence import Cells, Part
from runbooks.why.explaining import Explainer
from runbooks.why.explanations import Examined, Explanation
from runbooks.why.joining import BEHIND, HALF, NEAR, RUNS, Incident, Symptom, add, belongs, fitted, has_version
from runbooks.why.places import Kind, Place
from runbooks.why.tables import Table

_OF_INPUTS: Final = (
    catalogue.TASK_SUCCESS,
    catalogue.TASK_LATENCY,
    catalogue.TASK_COST,
    catalogue.EVALUATION_PASS,
    catalogue.HALLUCINATION,
    catalogue.AGENT_SUCCESS,
)
"""What other kinds of tasks make worse."""
_LEAST_PLACES: Final = 2
"""So many places, without a version to blame, must have got worse together for a cause that they share."""
_TOOLS: Final = (catalogue.TOOL_SUCCESS, catalogue.TOOL_TIMEOUTS)
TOOLS_TOGETHER: Final = (
    _TOOLS,
    (catalogue.TOOL_RETRIES, catalogue.TOOL_LATENCY, *RUNS, catalogue.TASK_SUCCESS, catalogue.TASK_LATENCY),
)
"""Tools that fail at the same moment: one backend, one network, one credential."""
TOGETHER: Final = (
    ((catalogue.TOOL_LATENCY, catalogue.MODEL_LATENCY, catalogue.AGENT_LATENCY), (catalogue.TASK_LATENCY,)),
    ((catalogue.MODEL_SUCCESS,), (catalogue.AGENT_SUCCESS, catalogue.TASK_SUCCESS, catalogue.MODEL_LATENCY)),
    ((catalogue.REQUEST_TOKENS, catalogue.MODEL_COST), (catalogue.TASK_COST, catalogue.MODEL_LATENCY)),
    ((catalogue.EVALUATION_PASS, catalogue.HALLUCINATION), (catalogue.TASK_SUCCESS, catalogue.AGENT_SUCCESS)),
)
"""KPIs that one thing can make worse everywhere (a machine, a provider, larger or other inputs), and what follows."""


def of_inputs(tables: Sequence[Table], border: int) -> Incident | None:
    """The incident of other kinds of tasks from a column on: what got worse over all kinds, if anything did."""
    incident: Incident | None = None
    for table in tables:
        if table.kpi not in _OF_INPUTS or table.place.kind is not Kind.SYSTEM:
            continue
        # All kinds together: each for itself may be as it was.
        rows = tuple({**row, Label.TASK_TYPE: ABSENT} for row in table.rows)
        cells = Cells(replace(table, rows=rows, alternatives=()))
        part = Part(np.ones(len(rows), bool), border, table.span.columns)
        scatter = evidence.scatter(cells, cells.mask([part]))
        compared = evidence.judged(cells, cells.mask([part]), scatter)
        if compared is None or not compared.matters or compared.p > BEHIND:
            continue
        place = Place(table.place.environment, Kind.SYSTEM)
        explanation = Explanation(place, [part], None, cells.gain([part]) / scatter, 0.0, border)
        symptom = Symptom(Examined(cells, [explanation], compared, 1, scatter, scatter), explanation, compared)
        if incident is None:
            incident = Incident(explanation, [], shared=_OF_INPUTS)
        incident.symptoms.append(symptom)
    return incident


def gather(
    kpis: Sequence[Kpi],
    following: Sequence[Kpi],
    rest: Sequence[Examined],
    incidents: list[Incident],
    explainer: Explainer,
) -> None:
    """One incident for what got worse in several places at the same moment, if no version of theirs explains it."""
    tested = [one for one in rest if one.table.kpi in kpis and not one.best.promised]  # what is new explains itself
    loose = [one for one in tested if not belongs(one, incidents, explainer)]
    begun = [(one, border) for one in loose if (border := _border(one)) is not None]
    unversioned = [border for one, border in begun if not has_version(one)]
    if not unversioned:
        return
    at = max(unversioned, key=lambda border: sum(abs(border - other) < NEAR[1] for other in unversioned))
    same = [one for one, border in begun if abs(border - at) < NEAR[1]]
    if len(_independent(same, explainer)) < _LEAST_PLACES:
        return
    first = max(same, key=lambda one: one.best.z)
    shared = Place(first.table.place.environment, Kind.SYSTEM)
    columns = first.table.span.columns
    last = max(one.explanations[0].last or columns for one in same)
    cause = Explanation(shared, [], None, 0.0, 0.0, at, last if last < columns else None)
    incident = Incident(cause, [], shared=(*kpis, *following))
    for one in sorted(same, key=lambda each: -each.best.z):
        for fit in fitted(incident, one, explainer):
            add(incident, one, fit)
    if incident.symptoms:
        incident.explanation = replace(incident.lead.explanation, of=shared)
        incidents.append(incident)


def _independent(found: Sequence[Examined], explainer: Explainer) -> set[Place]:
    """Places that got worse without a version and do not wait for another one: an agent waits for tools it calls."""
    tools = {one.table.place.name for one in found if one.table.place.kind is Kind.TOOL}
    waiting = {agent for tool in tools for agent in explainer.callers.get(tool, ())}
    own = {one.table.place.name for one in found if one.table.kpi not in RUNS}
    places = {one.table.place for one in found if not has_version(one)}
    return {p for p in places if p.kind is Kind.TOOL or p.name not in waiting or p.name in own}


def _border(one: Examined) -> int | None:
    """Where a table began to be worse without a version."""
    found = [e for e in one.explanations if e.change is None]
    best = max(found, key=lambda explanation: explanation.gain, default=None)
    return best.first if best is not None and best.gain >= HALF * one.explanations[0].gain else None
