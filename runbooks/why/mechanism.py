"""How readily a cause shows in a KPI: prior odds from how agents work, the only part of the diagnosis that is opinion.

A grade weighs a cause against others that fit the same numbers; it never makes an effect out of chance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agentobs.contract import Label
from alerts import catalogue
from alerts.catalogue import Kpi, Unit
from runbooks.why.changes import VersionChange
from runbooks.why.places import Kind, Place

DIRECT: Final = 1.0
COMMON: Final = 0.5
SELDOM: Final = 0.1
RARE: Final = 0.02
NOT_AT_HOME: Final = 0.02
"""Weighs down a cause of which nothing is seen where it should show first."""
_NEVER: Final = 0.0


class Source(StrEnum):
    """What breaks: a version of one of the four dimensions, or something unversioned at a place."""

    PROMPT = "prompt"
    MODEL = "model"
    TOOL = "tool"
    GRAPH = "graph"
    BAD_TOOL = "bad_tool"
    BAD_AGENT = "bad_agent"
    BAD_SYSTEM = "bad_system"


class Relation(StrEnum):
    """Where it shows, seen from the cause."""

    OWN = "own"
    CALLER = "caller"
    CALLED = "called"
    SYSTEM = "system"
    PART = "part"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class _Grades:
    usual: float
    by_kpi: Mapping[str, float]

    def of(self, kpi: Kpi) -> float:
        return self.by_kpi.get(kpi.key, self.usual)


def _grades(usual: float, *exceptions: tuple[float, tuple[Kpi, ...]]) -> _Grades:
    return _Grades(usual, {kpi.key: grade for grade, kpis in exceptions for kpi in kpis})


_RUN: Final = (catalogue.AGENT_SUCCESS, catalogue.AGENT_LATENCY)
_TOKENS: Final = (catalogue.REQUEST_TOKENS, catalogue.MODEL_COST)
_VERDICTS: Final = (catalogue.EVALUATION_PASS, catalogue.HALLUCINATION)
_WAITING: Final = (catalogue.TOOL_TIMEOUTS, catalogue.TOOL_LATENCY)
_LOOPS: Final = (catalogue.AGENT_RUNS_PER_TASK,)
_NOT_OF_SLOWNESS: Final = (*_TOKENS, *_VERDICTS, *_LOOPS, catalogue.TASK_COST)
"""What waiting alone does not change."""
_POLICY: Final = (catalogue.POLICY_VIOLATIONS,)
# A failed call is tried again: more turns, a longer history.
_TOOL_CALLER: Final = _grades(SELDOM, (DIRECT, _RUN), (COMMON, _TOKENS), (RARE, (catalogue.MODEL_SUCCESS,)))
# An agent that calls another one waits for it and fails with it.
_TOOL_STRANGER: Final = _grades(_NEVER, (RARE, (*_RUN, *_VERDICTS)))
_TOOL_SYSTEM: Final = _grades(DIRECT, (COMMON, (catalogue.TASK_COST, *_LOOPS)), (RARE, _POLICY))
_AGENT_CALLED: Final = _grades(SELDOM, (RARE, _WAITING))
_AGENT_SYSTEM: Final = _grades(DIRECT, (COMMON, _LOOPS))

_TABLE: Final[Mapping[tuple[Source, Relation], _Grades]] = {
    (Source.TOOL, Relation.OWN): _grades(DIRECT),
    (Source.TOOL, Relation.CALLER): _TOOL_CALLER,
    (Source.TOOL, Relation.SYSTEM): _TOOL_SYSTEM,
    (Source.TOOL, Relation.STRANGER): _TOOL_STRANGER,
    (Source.BAD_TOOL, Relation.OWN): _grades(DIRECT),
    (Source.BAD_TOOL, Relation.CALLER): _TOOL_CALLER,
    (Source.BAD_TOOL, Relation.SYSTEM): _TOOL_SYSTEM,
    (Source.BAD_TOOL, Relation.STRANGER): _TOOL_STRANGER,
    (Source.PROMPT, Relation.OWN): _grades(
        DIRECT, (COMMON, (catalogue.AGENT_LATENCY, catalogue.MODEL_LATENCY)), (SELDOM, (catalogue.MODEL_SUCCESS,))
    ),
    (Source.PROMPT, Relation.CALLED): _AGENT_CALLED,
    (Source.PROMPT, Relation.SYSTEM): _AGENT_SYSTEM,
    (Source.MODEL, Relation.OWN): _grades(DIRECT),
    (Source.MODEL, Relation.CALLED): _AGENT_CALLED,
    (Source.MODEL, Relation.SYSTEM): _AGENT_SYSTEM,
    (Source.BAD_AGENT, Relation.OWN): _grades(DIRECT),
    (Source.BAD_AGENT, Relation.CALLED): _grades(RARE),
    (Source.BAD_AGENT, Relation.SYSTEM): _AGENT_SYSTEM,
    (Source.GRAPH, Relation.SYSTEM): _grades(DIRECT, (COMMON, (*_POLICY, catalogue.TASK_COST, catalogue.TASK_SUCCESS))),
    (Source.GRAPH, Relation.PART): _grades(
        SELDOM, (RARE, (*_WAITING, catalogue.MODEL_LATENCY, catalogue.TOOL_SUCCESS))
    ),
    # Inputs that change, or a machine that gets slow, show everywhere at once.
    (Source.BAD_SYSTEM, Relation.SYSTEM): _grades(DIRECT),
    (Source.BAD_SYSTEM, Relation.PART): _grades(
        COMMON, (DIRECT, (*_TOKENS, *_VERDICTS)), (SELDOM, (catalogue.TOOL_SUCCESS, catalogue.TOOL_RETRIES, *_WAITING))
    ),
}
_OF_DIMENSION: Final = {"prompt": Source.PROMPT, "model": Source.MODEL, "tool": Source.TOOL, "graph": Source.GRAPH}
_OF_PLACE: Final = {Kind.TOOL: Source.BAD_TOOL, Kind.AGENT: Source.BAD_AGENT, Kind.SYSTEM: Source.BAD_SYSTEM}


def is_home(cause: VersionChange | Place, at: Place) -> bool:
    """Whether a cause shows here first: a tool's at the tool, a prompt's or a model's at the agent, else everywhere."""
    if isinstance(cause, Place):
        return cause == at
    name = cause.place.get(Label.TOOL) or cause.place.get(Label.AGENT) or ""
    kind = {"tool": Kind.TOOL, "graph": Kind.SYSTEM}.get(cause.dimension.key, Kind.AGENT)
    return at.kind is kind and at.name == name


def follows(of: Kpi, kpi: Kpi) -> bool:
    """Whether a fault without a version that shows in one KPI first may show in another one too."""
    return of.unit is not Unit.SECONDS or kpi not in _NOT_OF_SLOWNESS


def grade(cause: VersionChange | Place, kpi: Kpi, at: Place, callers: Mapping[str, list[str]]) -> float:
    """Return how readily `cause` makes `kpi` worse at a place, 0 to 1. `callers` names the agents of each tool."""
    if isinstance(cause, Place):
        source, name = _OF_PLACE[cause.kind], cause.name
    else:
        source = _OF_DIMENSION[cause.dimension.key]
        name = cause.place.get(Label.TOOL) or cause.place.get(Label.AGENT) or ""
    grades = _TABLE.get((source, _relation(source, name, at, callers)))
    return grades.of(kpi) if grades else _NEVER


def _relation(source: Source, name: str, at: Place, callers: Mapping[str, list[str]]) -> Relation:
    if at.kind is Kind.SYSTEM:
        return Relation.SYSTEM
    if source in {Source.GRAPH, Source.BAD_SYSTEM}:
        return Relation.PART
    if source in {Source.TOOL, Source.BAD_TOOL}:
        if at.kind is Kind.TOOL:
            return Relation.OWN if at.name == name else Relation.STRANGER
        return Relation.CALLER if at.name in callers.get(name, ()) else Relation.STRANGER
    if at.kind is Kind.AGENT:
        return Relation.OWN if at.name == name else Relation.STRANGER
    return Relation.CALLED if name in callers.get(at.name, ()) else Relation.STRANGER
