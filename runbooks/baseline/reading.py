"""Reads KPIs with their uncertainty from a `MetricsSource`, and makes a baseline of them."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from agentobs.contract import ABSENT, Label
from alerts import promql
from alerts.catalogue import CATALOGUE, DIMENSIONS, MIN_EVENTS, Kpi, Selector
from alerts.source import MetricsSource
from alerts.statistics import Buckets, Counted, Method, estimate, method_of
from runbooks.baseline.document import Baseline, BaselineError, Bucket, InUse, Point

_PARTS: Final = 12
Slice = tuple[str, ...]
Progress = Callable[[str, int, int], None]


def record(  # noqa: PLR0913 what a baseline is made of
    source: MetricsSource,
    *,
    name: str,
    environment: str,
    start: float,
    end: float,
    by: str,
    release: str = "",
    progress: Progress = lambda _title, _done, _total: None,
) -> Baseline:
    """Record the KPIs of an environment between two moments (unix seconds).

    KPIs with fewer than `MIN_EVENTS` events are listed, not recorded. Raises BaselineError where nothing is left.
    """
    where = {Label.ENVIRONMENT: environment}
    found: list[Point] = []
    too_few: list[str] = []
    for done, kpi in enumerate(CATALOGUE, start=1):
        progress(kpi.title, done, len(CATALOGUE))
        for slice_, counted in read(source, kpi, kpi.by, where, start, end).items():
            labels = dict(zip(kpi.by, slice_, strict=True))
            if counted.denominator >= MIN_EVENTS:
                found.append(point(kpi, labels, counted))
            else:
                at = ", ".join(value for label, value in labels.items() if label is not Label.ENVIRONMENT)
                too_few.append(f"{kpi.key} of {at or environment}: {counted.denominator:g} events")
    if not found:
        raise BaselineError(
            f"environment {environment} had too little traffic in this window: no KPI has {MIN_EVENTS} events."
            " Fix: look further back with --since, or name another environment with -e"
        )
    return Baseline(
        name=name,
        release=release,
        environment=environment,
        recorded_at=end,
        recorded_by=by,
        window_start=start,
        window_end=end,
        versions=versions(source, where, start, end),
        points=found,
        too_few=too_few,
    )


def point(kpi: Kpi, labels: Mapping[Label, str], counted: Counted) -> Point:
    """A KPI with its interval, as the file keeps it."""
    made = estimate(kpi, counted)
    return Point(
        kpi=kpi.key,
        labels={str(label): value for label, value in labels.items()},
        value=made.value,
        low=made.low,
        high=made.high,
        numerator=counted.numerator,
        events=counted.denominator,
        error=made.error,
        freedom=made.freedom,
        method=made.method,
        buckets=_kept(counted.buckets),
    )


def _kept(buckets: Buckets) -> list[Bucket]:
    """JSON has no infinity."""
    return [Bucket(upper=None if math.isinf(bound) else bound, count=count) for bound, count in sorted(buckets)]


def versions(source: MetricsSource, where: Mapping[Label, str], start: float, end: float) -> list[InUse]:
    """Every version of all four dimensions that was at work, most calls first."""
    found = []
    for dimension in DIMENSIONS:
        for slice_, calls in _increases(source, dimension.counted, dimension.labels, where, start, end).items():
            *entity, version = slice_
            if calls > 0 and version not in {"", ABSENT}:
                labels = {str(label): value for label, value in zip(dimension.entity, entity, strict=True)}
                found.append(InUse(dimension=dimension.key, entity=labels, version=version, calls=calls))
    return sorted(found, key=lambda each: (each.dimension, *each.entity.values(), -each.calls))


def read(  # noqa: PLR0913, PLR0917 a question: what of whom, where and when
    source: MetricsSource, kpi: Kpi, by: tuple[Label, ...], where: Mapping[Label, str], start: float, end: float
) -> dict[Slice, Counted]:
    """What was counted of a KPI, by the labels `by`; slices without events are left out."""
    below = _increases(source, kpi.denominator, by, where, start, end)
    above = _increases(source, kpi.numerator, by, where, start, end)
    found = {
        slice_: Counted(numerator=above.get(slice_, 0.0), denominator=events)
        for slice_, events in below.items()
        if events > 0
    }
    match method_of(kpi):
        case Method.HISTOGRAM:
            buckets = _buckets(source, kpi, by, where, start, end)
            return {slice_: replace(each, buckets=buckets.get(slice_, ())) for slice_, each in found.items()}
        case Method.PARTS:
            parts = _parts(source, kpi, by, where, start, end)
            return {slice_: replace(each, parts=parts.get(slice_, ())) for slice_, each in found.items()}
        case _:
            return found


def _slice(labels: Mapping[str, str], by: tuple[Label, ...]) -> Slice:
    return tuple(labels.get(label, "") for label in by)


def _increases(  # noqa: PLR0913, PLR0917 a question: what of whom, where and when
    source: MetricsSource, of: Selector, by: tuple[Label, ...], where: Mapping[Label, str], start: float, end: float
) -> dict[Slice, float]:
    samples = source.instant(promql.increase(of, by, where, end - start), end)
    return {_slice(sample.labels, by): sample.value for sample in samples}


def _buckets(  # noqa: PLR0913, PLR0917 a question: what of whom, where and when
    source: MetricsSource, kpi: Kpi, by: tuple[Label, ...], where: Mapping[Label, str], start: float, end: float
) -> dict[Slice, list[tuple[float, float]]]:
    if kpi.histogram is None:
        return {}
    query = promql.buckets(kpi.histogram.bucket, by, {**kpi.denominator.where, **where}, end - start)
    found: defaultdict[Slice, list[tuple[float, float]]] = defaultdict(list)
    for sample in source.instant(query, end):
        found[_slice(sample.labels, by)].append((float(sample.labels["le"]), sample.value))
    return found


def _parts(  # noqa: PLR0913, PLR0917 a question: what of whom, where and when
    source: MetricsSource, kpi: Kpi, by: tuple[Label, ...], where: Mapping[Label, str], start: float, end: float
) -> dict[Slice, list[tuple[float, float]]]:
    width = (end - start) / _PARTS
    sides: list[dict[Slice, dict[int, float]]] = []
    for selector in (kpi.numerator, kpi.denominator):
        query = promql.increase(selector, by, where, width)
        found = source.range(query, start + width, end, width)
        sides.append({
            _slice(series.labels, by): {round((at - start) / width): value for at, value in series.points}
            for series in found
        })  # fmt: skip
    above, below = sides
    return {
        slice_: [(above.get(slice_, {}).get(number, 0.0), events) for number, events in parts.items()]
        for slice_, parts in below.items()
    }
