"""Reads Prometheus for a canary: which guardrails have series at all, and the counts of both tracks since it began.

Each series is asked for once per look, both sides of a guardrail in one answer, read at one instant. Counts are
increases since the beginning, so a look that was missed, or a counter that was reset, loses nothing.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from agentobs.contract import ABSENT, Label, Track
from alerts import promql
from alerts.catalogue import MIN_EVENTS, Selector
from alerts.catalogue.model import DAY, HOUR, MINUTE
from alerts.catalogue.wanted import Like, Not, Unlike, Where
from alerts.source import EXPORT_DELAY_S, MetricsSource
from alerts.statistics import Outcomes, nearest
from delivery.releases.diff import Change
from delivery.releases.document import Dim
from delivery.rollout.evidence import Reading, Sides
from delivery.rollout.guardrails import GUARDRAILS, LARGE, Guardrail
from delivery.rollout.plan import Plan, Watched

PAST_S: Final = DAY
"""What stable did before a canary is looked up in so long."""
_SEALED_S: Final = HOUR
_LATE_S: Final = MINUTE  # after which a sample of that time has arrived, or never will
_LE: Final = "le"
_TRACKS: Final = Like(f"{Track.STABLE}|{Track.CANARY}")

Row = tuple[Mapping[str, str], float]
"""Labels and increase."""
_Rows = dict[tuple[str, ...], float]

# Whose version a dimension is, and where that version is told.
_TOLD: Final = {
    Dim.PROMPT: (Label.AGENT, Label.PROMPT_VERSION),
    Dim.TOOL: (Label.TOOL, Label.TOOL_VERSION),
    Dim.GRAPH: (None, Label.GRAPH_VERSION),
}
"""Not the model: a fallback is the candidate at work, too."""
_VERSIONS: Final = (Label.AGENT, Label.PROMPT_VERSION, Label.TOOL, Label.TOOL_VERSION, Label.GRAPH_VERSION)


def _needed() -> dict[str, tuple[str, ...]]:
    """Labels by which each series is read."""
    found: dict[str, set[str]] = defaultdict(set)
    for guardrail in GUARDRAILS.values():
        for selector in (guardrail.part, guardrail.whole):
            carried = {label for label in _VERSIONS if label in selector.labels}
            found[selector.series] |= {Label.TRACK, *carried, *selector.where}
            found[selector.series] |= {_LE} if guardrail.by_size else set()
    return {series: tuple(sorted(map(str, labels))) for series, labels in found.items()}


_NEEDED: Final = _needed()


@dataclass(slots=True)
class CanaryReader:
    """Reads one canary again and again. `began` is where its counts begin (unix seconds).

    What is older than an hour is summed up once and kept, so that a look at a canary of days costs what one of an hour
    does. It can be lost: the first look after a restart reads it all again.
    """

    source: MetricsSource
    plan: Plan
    _sealed: dict[str, _Rows] = field(default_factory=lambda: defaultdict(dict))
    _since: dict[str, float] = field(default_factory=dict)

    def read(self, at: float) -> Reading:
        """Counts of every watched guardrail until unix time `at`. Raises what the source raises where none answers."""
        asked = {s.series for key in self.plan.watched for s in (GUARDRAILS[key].part, GUARDRAILS[key].whole)}
        rows = {series: self._rows(series, at) for series in asked}
        counts = {key: self._sides(rows, key) for key in self.plan.watched}
        return Reading({key: sides for key, sides in counts.items() if sides is not None})

    def _sides(self, rows: Mapping[str, list[Row]], key: str) -> Sides | None:
        guardrail, bound = GUARDRAILS[key], self.plan.watched[key].bound
        mine = {series: [row for row in found if _is_of(self.plan, row[0])] for series, found in rows.items()}
        sides = [_outcomes(mine, guardrail, track, bound) for track in (Track.STABLE, Track.CANARY)]
        stable, canary = (side or Outcomes() for side in sides)
        return Sides(stable, canary) if any(side is not None for side in sides) else None

    def _rows(self, series: str, at: float) -> list[Row]:
        since = self._since.get(series, self.plan.began)
        if at < since:  # the clock went back to before what is kept
            self._sealed[series], since = {}, self.plan.began
        starts = [since + _SEALED_S * number for number in range(max(1, math.ceil((at - since) / _SEALED_S)))]
        pieces = [self._increases(series, start, min(start + _SEALED_S, at)) for start in starts]
        # An hour is over once something was counted after it: this machine's clock may be ahead of what it reads.
        grew = [number for number, piece in enumerate(pieces) if any(piece.values())]
        over = max(grew, default=0) if at - starts[max(grew, default=0)] > _LATE_S else 0
        for piece in pieces[:over]:
            _add(self._sealed[series], piece)
        self._since[series] = starts[over]
        total = dict(self._sealed[series])
        for piece in pieces[over:]:
            _add(total, piece)
        return [(dict(zip(_NEEDED[series], key, strict=True)), value) for key, value in total.items()]

    def _increases(self, series: str, since: float, until: float) -> _Rows:
        if until <= since:
            return {}
        return _increases(self.source, self.plan.environment, series, since, until)


def _add(known: _Rows, more: _Rows) -> None:
    for key, value in more.items():
        known[key] = known.get(key, 0.0) + value


def _increases(source: MetricsSource, environment: str, series: str, since: float, until: float) -> _Rows:
    by = _NEEDED[series]
    where: Where = {Label.ENVIRONMENT: environment, Label.TRACK: _TRACKS}
    query = promql.increase(Selector(series=series, labels=()), by, where, until - since)
    found: _Rows = {}
    for one in source.range(query, until, until, EXPORT_DELAY_S):
        value = one.points[-1][1] if one.points else math.nan
        # What no counter can have grown by is none; false for NaN, too.
        if value >= 0 and not math.isinf(value):
            _add(found, {tuple(one.labels.get(label, ABSENT) for label in by): value})
    return found


def _is_of(plan: Plan, labels: Mapping[str, str]) -> bool:
    """Whether a row belongs to this canary, or to stable: one that ended just now has tasks that still run."""
    if labels.get(Label.TRACK) != Track.CANARY:
        return True
    return all(_fits(labels, change) for change in plan.changes)


def _fits(labels: Mapping[str, str], change: Change) -> bool:
    """False only where the row tells another version of the very thing that changed."""
    if change.dimension not in _TOLD or change.after is None:
        return True
    whose, told = _TOLD[change.dimension]
    name = change.tool if whose is Label.TOOL else change.agent
    is_another = whose is not None and labels.get(whose, ABSENT) != name
    return is_another or labels.get(told, ABSENT) in {ABSENT, change.after.version}


def _outcomes(
    rows: Mapping[str, list[Row]], guardrail: Guardrail, track: Track, bound: float | None
) -> Outcomes | None:
    """Bad events and events of one track; None where no series has any."""
    whole = [*_selected(rows, guardrail.whole, track)]
    if not whole:
        return None
    if guardrail.by_size:
        return _beyond(whole, bound)
    events = sum(value for _, value in whole)
    part = sum(value for _, value in _selected(rows, guardrail.part, track))
    return Outcomes(max(0.0, events - part) if guardrail.counts_good else part, events)


def _beyond(rows: Iterable[Row], bound: float | None) -> Outcomes | None:
    """Events beyond a bound of their buckets. None where it is no bound of theirs: the histogram is another one now."""
    upto = _buckets(rows)
    if bound is None or bound not in upto or math.inf not in upto:
        return None
    return Outcomes(max(0.0, upto[math.inf] - upto[bound]), upto[math.inf])


def _buckets(rows: Iterable[Row]) -> dict[float, float]:
    upto: dict[float, float] = defaultdict(float)
    for labels, value in rows:
        if labels[_LE] != ABSENT:
            upto[float(labels[_LE])] += value
    return upto


def _selected(rows: Mapping[str, list[Row]], selector: Selector, track: Track) -> Iterator[Row]:
    for labels, value in rows.get(selector.series, []):
        if labels[Label.TRACK] == track and all(_is(labels[label], want) for label, want in selector.where.items()):
            yield labels, value


def _is(value: str, wanted: object) -> bool:
    match wanted:
        case Not(other):
            return value != other
        case Like() | Unlike():
            raise NotImplementedError(f"no guardrail selects by a pattern so far, {wanted} does")
        case _:
            return value == wanted


@dataclass(frozen=True, slots=True)
class Proof:
    """Guardrails that have series before a canary, ready for `Plan.watched`, and why the others guard nothing."""

    watched: Mapping[str, Watched]
    without: Mapping[str, str]


def prove(source: MetricsSource, environment: str, at: float, past_s: float = PAST_S) -> Proof:
    """Ask, with the very queries of a canary, what stable did in the time before `at` (unix seconds)."""
    watched: dict[str, Watched] = {}
    without: dict[str, str] = {}
    series = {selector.series for g in GUARDRAILS.values() for selector in (g.part, g.whole)}
    rows: dict[str, list[Row]] = {
        one: [
            (dict(zip(_NEEDED[one], key, strict=True)), value)
            for key, value in _increases(source, environment, one, at - past_s, at).items()
        ]
        for one in series
    }
    for key, guardrail in GUARDRAILS.items():
        bound = _bound(_selected(rows, guardrail.whole, Track.STABLE)) if guardrail.by_size else None
        past = _outcomes(rows, guardrail, Track.STABLE, bound)
        if past is None:
            without[key] = f"{guardrail.whole.series} has no series of the track stable in {environment}"
        elif past.events < MIN_EVENTS:
            without[key] = f"{past.events:.0f} events in {promql.duration(past_s)}, at least {MIN_EVENTS} are needed"
        else:
            watched[key] = Watched(past, bound)
    return Proof(watched, without)


def _bound(rows: Iterable[Row]) -> float | None:
    """The bound of the buckets beyond which about a twentieth of the values lie."""
    upto = _buckets(rows)
    events = upto.get(math.inf, 0.0)
    if events <= 0:
        return None
    return nearest({bound: 1 - count / events for bound, count in upto.items() if not math.isinf(bound)}, LARGE)
