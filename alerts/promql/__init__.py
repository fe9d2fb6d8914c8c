"""PromQL: the one place that builds it (`build`), reads it (`tree`, `shapes`), and what is known of series (`known`).

Only building is imported here: reading needs a parser, and most of what asks a store does not.
"""

from alerts.promql.build import (
    buckets,
    duration,
    exemplars,
    increase,
    labelled,
    last,
    matchers,
    plain,
    renamed,
    series_per_value,
    sum_by,
    total,
)

__all__ = [
    "buckets",
    "duration",
    "exemplars",
    "increase",
    "labelled",
    "last",
    "matchers",
    "plain",
    "renamed",
    "series_per_value",
    "sum_by",
    "total",
]
