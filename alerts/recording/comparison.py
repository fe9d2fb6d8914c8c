"""Recording rules that compare a KPI with itself: the same hour a week ago, and the recorded baseline."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from alerts.catalogue import CATALOGUE, Direction, Kpi
from alerts.catalogue.counts import SPEND
from alerts.catalogue.model import DAY, HOUR, MINUTE
from alerts.recording import rule
from alerts.recording.certainty import UNTESTED_EVENTS
from alerts.recording.rule import Record, RecordGroup
from alerts.timing import Timing

_WEEK_S: Final = 7 * DAY
COMPARED: Final = tuple(kpi for kpi in CATALOGUE if HOUR in kpi.windows_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePoint:
    """One value of a recorded baseline: a KPI at one set of its labels."""

    kpi: str
    labels: dict[str, str]
    value: float


def worsening(kpi: Kpi, now: str, before: str, on: Iterable[str], *, carry: str = "") -> str:
    """How much worse `now` is than `before`, positive for worse: a difference for a ratio, else a share of `before`.

    `carry` names labels that the result takes from `before`.
    """
    match = f"on ({', '.join(on)}) group_left({carry})"
    difference = f"({now} - {match} {before})"
    sign = "-1 * " if kpi.direction is Direction.HIGHER_IS_BETTER else ""
    if kpi.is_share:
        return f"{sign}{difference}"
    return f"{sign}{difference} / {match} ({before} > 0)"


def groups(timing: Timing, baseline: Iterable[BaselinePoint], daily_budget_usd: float | None) -> Iterator[RecordGroup]:
    """The comparisons; the constants of a baseline and of a budget only where there are any."""
    points = tuple(
        Record(name=rule.BASELINE, expr=f"vector({point.value:g})", labels={"kpi": point.kpi, **point.labels})
        for point in baseline
    )
    budget = (
        (Record(name=rule.DAILY_BUDGET, expr=f"vector({daily_budget_usd:g})"),) if daily_budget_usd is not None else ()
    )
    rules = [record for kpi in COMPARED for record in _comparisons(kpi, timing)]
    yield RecordGroup(name="kpi-comparisons", interval_s=MINUTE, rules=(*points, *budget, *rules, _spend(timing)))


def _comparisons(kpi: Kpi, timing: Timing) -> Iterator[Record]:
    # Little traffic proves little: both sides need their events.
    enough = f"{rule.events(kpi, HOUR)} >= {UNTESTED_EVENTS}"
    now = f"({rule.value(kpi, HOUR)} and ({enough}))"
    offset = f"offset {timing.of(_WEEK_S)}"
    week_ago = f"({rule.value(kpi, HOUR)} {offset} and ({rule.events(kpi, HOUR)} {offset} >= {UNTESTED_EVENTS}))"
    labels = {"kpi": kpi.key}
    yield Record(name=rule.WEEK_WORSENING, expr=worsening(kpi, now, week_ago, kpi.by), labels=labels)
    at_start = f'{rule.BASELINE}{{kpi="{kpi.key}"}}'
    yield Record(name=rule.BASELINE_WORSENING, expr=worsening(kpi, now, at_start, kpi.by), labels=labels)


def _spend(timing: Timing) -> Record:
    series = rule.increase(SPEND, HOUR)
    return Record(name=rule.SPEND_WEEK_RATIO, expr=f"{series} / ({series} offset {timing.of(_WEEK_S)} > 0)")
