"""Short ways to write a KPI down: a share of a counter, a mean of a histogram, one counter per another."""

from typing import Any

from agentobs.contract import Metric
from alerts.catalogue.model import BY, Direction, Kpi, Selector, Unit, counter
from alerts.catalogue.wanted import Where

UP, DOWN = Direction.HIGHER_IS_BETTER, Direction.LOWER_IS_BETTER


def share(  # noqa: PLR0913 one row of a table
    key: str,
    title: str,
    metric: Metric,
    of: Where,
    direction: Direction,
    *,
    among: Where | None = None,
    **rest: Any,  # noqa: ANN401 fields of Kpi
) -> Kpi:
    """Share of the events of `metric` (only those `among`, if given) that `of` selects."""
    among = among or {}
    return Kpi(
        key=key,
        title=title,
        unit=Unit.RATIO,
        direction=direction,
        numerator=counter(metric, {**among, **of}),
        denominator=counter(metric, among),
        **{"by": BY[metric.family], **rest},
    )


def mean(
    key: str,
    title: str,
    unit: Unit,
    histogram: Metric,
    *,
    among: Where | None = None,
    **rest: Any,  # noqa: ANN401 fields of Kpi
) -> Kpi:
    """Mean of a histogram; its quantiles can be recorded beside it."""
    among = among or {}
    return Kpi(
        key=key,
        title=title,
        unit=unit,
        numerator=Selector(series=histogram.sum, labels=histogram.labels, where=among),
        denominator=Selector(series=histogram.count, labels=histogram.labels, where=among),
        histogram=histogram,
        **{"by": BY[histogram.family], "direction": DOWN, **rest},
    )


def per(
    key: str,
    title: str,
    unit: Unit,
    numerator: Selector,
    denominator: Selector,
    **rest: Any,  # noqa: ANN401 fields of Kpi
) -> Kpi:
    """One counter per another."""
    return Kpi(
        key=key, title=title, unit=unit, numerator=numerator, denominator=denominator, **{"direction": DOWN, **rest}
    )
