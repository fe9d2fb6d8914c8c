"""Explain, second half: symptoms with the same cause become one incident.

Tables are taken from the deepest place up (tools, then agents, then all tasks), because harm travels that way. Each
joins the incident that explains it best, by time and by how agents work, or begins one of its own. So a version that
breaks its own KPI is found at its own KPI, whatever else got worse at the same time.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from alerts import catalogue
from alerts.catalogue import FALSE_ALARMS, POSSIBLE
from runbooks.why import mechanism
from runbooks.why.changes import VersionChange
from runbooks.why.explaining import Explainer
from runbooks.why.explanations import Examined, Explanation
from runbooks.why.joining import (
    BEHIND,
    NEAR,
    NEW,
    RUNS,
    Incident,
    add,
    as_new,
    belongs,
    best_fit,
    joins,
    shown_by,
)
from runbooks.why.places import Kind, Place
from runbooks.why.shared import TOGETHER, TOOLS_TOGETHER, gather
from runbooks.why.tables import Table

_HINT: Final = 4.0
"""Nats at home that keep a version suspected for what is seen elsewhere."""
_FAR: Final = 50.0
_BESIDE: Final = 0.3
"""A second cause of what one explains is at most so probable."""
_DEPTH: Final = {Kind.TOOL: 0, Kind.AGENT: 2, Kind.SYSTEM: 4}
_LAST: Final = 5
_AFTER_FAILURES: Final = (catalogue.TOOL_LATENCY, catalogue.TOOL_RETRIES)


def assemble(
    found: Sequence[Examined], unsure: Sequence[Examined], explainer: Explainer, inputs: Incident | None = None
) -> list[Incident]:
    """Return the incidents of one environment; `unsure` are tables that are not certain by themselves.

    `inputs` is the incident of other kinds of tasks, where they are certain.
    """
    incidents: list[Incident] = []
    hinted = frozenset(change for one in (*found, *unsure) for change in _hints(one))
    explainer = replace(explainer, hinted=hinted)
    ordered = sorted(found, key=lambda one: (_depth(one.table), one.best.p * one.tried))
    if inputs is not None:
        incidents.append(inputs)
    # A tool that fails, certain or not, is slow for that reason, whatever else is slow at the same time.
    hurt = {one.table.place for one in (*found, *unsure) if _depth(one.table) == 0 and one.best.p <= BEHIND / 10}
    failing = [one for one in ordered if _depth(one.table) == 0 or one.table.place in hurt]
    rest = [one for one in ordered if one not in failing]
    gather(*TOOLS_TOGETHER, failing, incidents, explainer)
    for one in failing:
        _place(one, incidents, explainer)
    for kpis, following in TOGETHER:
        gather(kpis, following, rest, incidents, explainer)
    for one in rest:
        if one.table.place.kind is Kind.SYSTEM and not belongs(one, incidents, explainer):
            for behind in _behind(one, unsure, explainer):
                _place(behind, incidents, explainer)
        _place(one, incidents, explainer)
    for one in ordered:
        _second(one, incidents, explainer)
    return incidents


def _hints(one: Examined) -> Iterator[VersionChange]:
    """Versions of which something is seen at home, certain or not."""
    whole = one.table.place.kind is Kind.SYSTEM and one.table.kpi is not catalogue.AGENT_RUNS_PER_TASK
    if whole or one.table.kpi in RUNS:
        return  # what all tasks or a whole run show may come from anywhere
    best = one.explanations[0].score
    for explanation in one.explanations:
        change = explanation.change
        fits = min(explanation.gain, explanation.score - best + 2 * _HINT) >= _HINT
        if change is not None and fits and mechanism.is_home(change, one.table.place):
            yield change


def _behind(one: Examined, unsure: Sequence[Examined], explainer: Explainer) -> list[Examined]:
    """The agent or tool behind what all tasks show for certain: it need only be more than chance at that moment.

    What shows a version at home is behind what the version does to all tasks, whenever it was.
    """
    mine = one.explanations[0]
    near = []
    for other in (other for other in unsure if other.table.place.kind is not Kind.SYSTEM):
        first = other.explanations[0]
        grade = mechanism.grade(first.of, one.table.kpi, one.table.place, explainer.callers)
        same = abs(first.first - mine.first) < NEAR[1] and first.last is None
        if mine.change is not None:
            same = first.change == mine.change and mechanism.is_home(mine.change, other.table.place)
        if grade > 0 and same:
            near.append(other)
    best = min(near, key=lambda other: other.best.p, default=None)
    return [best] if best is not None and best.best.p * explainer.tables <= BEHIND else []


def _depth(table: Table) -> int:
    """Order of a table: failures of tools, then what follows from them, then agents, then tasks."""
    if table.kpi in _AFTER_FAILURES:
        return 1
    if table.kpi is catalogue.TASK_SUCCESS:
        return _LAST  # everything ends there
    return 3 if table.kpi in RUNS else _DEPTH[table.place.kind]


def _place(one: Examined, incidents: list[Incident], explainer: Explainer) -> None:
    """Join the incident that explains a table best, or begin a new one."""
    if any(symptom.examined is one for incident in incidents for symptom in incident.symptoms):
        return
    joined = best_fit(one, incidents, explainer)
    own = [as_new(explanation, one.table, explainer) for explanation in one.explanations]
    first = max(own, key=lambda explanation: explanation.score)
    if joined is not None and joins(joined[1], first, one, explainer):
        add(joined[0], one, joined[1])
        _add_rival(joined[0], joined[1], first, one)
        return
    same = next((i for i in incidents if i.explanation.of == first.of and _overlap(i.explanation, first)), None)
    if same is not None:
        add(same, one, first)
        return
    incident = Incident(first, [])
    if add(incident, one, first):
        others = [joined[1]] if joined is not None else []
        options = [*own, *(replace(o, odds=o.odds - NEW) for o in others)]
        incident.confidence, rivals = _weighed(first, options)
        shown = [(shown_by(one, rival), probability) for rival, probability in rivals]
        incident.rivals = [(symptom, probability) for symptom, probability in shown if symptom is not None]
        incidents.append(incident)


def _add_rival(incident: Incident, fit: Explanation, own: Explanation, one: Examined) -> None:
    """Name a version that may be behind a symptom too: at home, at the same moment, and as good a fit."""
    if own.change is None or own.of == incident.explanation.of or not mechanism.is_home(own.change, one.table.place):
        return
    probability = min(_BESIDE, 1 / (1 + math.exp(min(_FAR, fit.score - own.score - NEW))))
    known = [rival.explanation.of for rival, _ in incident.rivals]
    shown = shown_by(one, own)
    if shown is not None and probability >= POSSIBLE and own.of not in known:
        incident.rivals.append((shown, probability))


def _overlap(one: Explanation, other: Explanation) -> bool:
    """Whether two faults of one place are one in time."""
    return one.change is not None or abs(one.first - other.first) <= NEAR[1]


def _weighed(first: Explanation, options: Sequence[Explanation]) -> tuple[float, list[tuple[Explanation, float]]]:
    """Probability of the first and of the others that are possible, each cause once."""
    best: dict[VersionChange | Place, Explanation] = {}
    weights: dict[VersionChange | Place, float] = {}
    top = max(option.score for option in options)
    for option in options:
        weights[option.of] = weights.get(option.of, 0.0) + math.exp(option.score - top)
        if option.of not in best or option.score > best[option.of].score:
            best[option.of] = option
    total = sum(weights.values())
    others = [(best[of], weight / total) for of, weight in weights.items() if of != first.of]
    rivals = sorted((pair for pair in others if pair[1] >= POSSIBLE), key=lambda pair: -pair[1])
    return weights[first.of] / total, rivals


def _second(one: Examined, incidents: list[Incident], explainer: Explainer) -> None:
    """A version that is bad at home in what is left of a table when its first cause is taken out."""
    mine = [s for incident in incidents for s in incident.symptoms if s.examined is one]
    if not mine:
        return
    gone = one.cells.mask(mine[0].explanation.parts)
    left = replace(
        one.table,
        events=np.where(gone, 0.0, one.table.events),
        bad=np.where(gone, 0.0, one.table.bad),
        alternatives=(),
    )
    homes = [change for change in explainer.changes if mechanism.is_home(change, left.place)]
    known = [incident.explanation.of for incident in incidents]
    again = replace(explainer, changes=[change for change in homes if change not in known])
    found = again.examine(left) if again.changes else None
    if found is None or found.explanations[0].change is None or found.best.p * one.tried > FALSE_ALARMS * BEHIND:
        return
    _place(found, incidents, again)
