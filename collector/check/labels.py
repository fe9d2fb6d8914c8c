"""Labels whose values multiply the series: too many of them, or ids among them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agentobs.contract import ABSENT, VERSION_LABELS, Attr, Label
from collector.check.findings import COLLECTOR, Finding, Kind, Severity
from collector.series_key import OVERSIZED

# Labels whose values the pipeline itself makes up from short lists.
BOUNDED: Final = frozenset(
    {Label.IS_RETRY, Label.IS_FALLBACK, Label.TOKEN_TYPE, Label.STATE, Label.FAMILY, Label.SCOPE}
)
# More values than this in one service are not a list that somebody keeps.
_MANY: Final = 50
_MANY_VERSIONS: Final = 20
_FEW: Final = 10
_CLOSED: Final = (Label.ENVIRONMENT, Label.ERROR_CLASS, Label.TRACK, Label.OUTCOME, Label.EVALUATION_LABEL)
# Values that differ only in such parts differ in an id; versions may.
_ID_PART: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12,}|\d+|\S+@\S+", re.IGNORECASE)
_SAME_SHAPE: Final = 10
_MOSTLY: Final = 0.8  # of the values under one agent: then the agent is to blame
_SHOWN: Final = 3
_SHOWN_LENGTH: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of one label, under one service and agent, and how many series have it."""

    label: Label
    value: str
    service: str
    agent: str
    series: int


def exploding(values: Iterable[Value]) -> list[Finding]:
    """Labels with too many values, with ids in them, or with values that were too long, per service."""
    rows = list(values)
    grouped: defaultdict[tuple[str, Label], list[Value]] = defaultdict(list)
    for row in rows:
        if row.value not in ("", ABSENT, OVERSIZED) and row.label not in BOUNDED:
            grouped[row.service, row.label].append(row)
    explosions = (
        _explosion(service, label, found)
        for (service, label), found in list(grouped.items())
        if not _is_borrowed(label, found, grouped[service, Label.AGENT])
    )
    return [*(finding for finding in explosions if finding), *_oversize(rows)]


def _is_borrowed(label: Label, found: Iterable[Value], agents: Iterable[Value]) -> bool:
    """A task that nobody has named has the name of its agent: told once."""
    return label is Label.WORKFLOW and {each.value for each in found} <= {each.value for each in agents}


def _limit(label: Label) -> int:
    if label in _CLOSED:
        return _FEW
    return _MANY_VERSIONS if label in VERSION_LABELS else _MANY


def _explosion(service: str, label: Label, found: list[Value]) -> Finding | None:
    distinct = {value.value for value in found}
    with_id = _with_ids(distinct) if label not in VERSION_LABELS else set()
    if not with_id and len(distinct) <= _limit(label):
        return None
    shown = ", ".join(value[:_SHOWN_LENGTH] for value in sorted(with_id or distinct)[:_SHOWN])
    reason = "ids in its values" if with_id else f"more than {_limit(label)} values"
    return Finding(
        severity=Severity.PROBLEM,
        kind=Kind.EXPLODING,
        service=service,
        agent=_culprit(label, found),
        subject=label,
        what=f"label {label} has {reason}: {shown} ...",
        count=len(distinct),
        fix=_fix(label),
    )


def folded(values: Iterable[str]) -> dict[str, str]:
    """Values that would be equal without the ids in them, where there are many of a kind, and what stands for all."""
    found = _with_ids(set(values))
    return {value: _ID_PART.sub("*", value) for value in found}


def _with_ids(values: set[str]) -> set[str]:
    """Values that would be equal without the numbers, hashes and addresses in them, if there are several of a kind."""
    shapes: defaultdict[str, set[str]] = defaultdict(set)
    for value in values:
        shape, replaced = _ID_PART.subn("#", value)
        if replaced:
            shapes[shape].add(value)
    return {value for alike in shapes.values() if len(alike) >= _SAME_SHAPE for value in alike}


def _culprit(label: Label, found: list[Value]) -> str:
    if label is Label.AGENT:
        return ""
    per_agent = Counter(agent for agent, _ in {(value.agent, value.value) for value in found})
    (agent, number), total = per_agent.most_common(1)[0], per_agent.total()
    return agent if agent != ABSENT and number >= _MOSTLY * total else ""


def _fix(label: Label) -> str:
    if label in VERSION_LABELS:
        return "send only versions that are deployed, not one per run, build or rendered prompt"
    return (
        f"take ids, users and free text out of the name; {Attr.TASK_ID} and {Attr.USER_ID} are for them and no labels"
    )


def _oversize(values: Iterable[Value]) -> list[Finding]:
    """The pipeline replaces all labels of such a span at once, its service too."""
    series = sum(value.series for value in values if value.label is Label.AGENT and value.value == OVERSIZED)
    if not series:
        return []
    return [
        Finding(
            severity=Severity.PROBLEM,
            kind=Kind.EXPLODING,
            service=COLLECTOR,
            subject=Label.AGENT,
            what=f"labels of more than 2 KiB; every one of them now reads {OVERSIZED}",
            count=series,
            fix="send short names and versions; content belongs into the content attributes",
        )
    ]
