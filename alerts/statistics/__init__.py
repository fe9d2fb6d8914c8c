"""The statistics of `why`, baselines, the checklist and every gate: each method once, so that all say the same.

`tests` has the chance that a difference is chance, `intervals` how large it may be, `detection` how large it would have
to be to be found, `paired` cases that are compared with themselves, `families` how many comparisons are paid for,
`likelihood` how well two sides fit, `comparison` all of it for one KPI. `sequential` compares two tracks at
every look while they run. `estimates` has one window alone with its uncertainty, `histograms` how values of a histogram
become good and bad events.
"""

from alerts.statistics.comparison import Comparison, Counts, Kind, against, compare, counts_of, kind_of
from alerts.statistics.detection import detectable_mean, detectable_rate, detectable_share
from alerts.statistics.estimates import Counted, Estimate, Method, estimate, method_of
from alerts.statistics.families import holm
from alerts.statistics.histograms import Buckets, beyond, nearest, quantile, tail
from alerts.statistics.intervals import newcombe, poisson, ratio_of_rates, student, wilson
from alerts.statistics.likelihood import errors_of, nats_needed, nats_of_shares
from alerts.statistics.paired import cases_needed, chance_of_ratio, lower_bound, runs_needed
from alerts.statistics.sequential import (
    HARMS,
    NOTHING,
    PAST_RUNS,
    Outcomes,
    SafeTest,
    chance_of_split,
    design_effect,
    highest_worsening,
)
from alerts.statistics.tests import chance_beyond, chance_of_means, chance_of_rates, chance_of_shares, chance_of_strata

__all__ = [
    "HARMS",
    "NOTHING",
    "PAST_RUNS",
    "Buckets",
    "Comparison",
    "Counted",
    "Counts",
    "Estimate",
    "Kind",
    "Method",
    "Outcomes",
    "SafeTest",
    "against",
    "beyond",
    "cases_needed",
    "chance_beyond",
    "chance_of_means",
    "chance_of_rates",
    "chance_of_ratio",
    "chance_of_shares",
    "chance_of_split",
    "chance_of_strata",
    "compare",
    "counts_of",
    "design_effect",
    "detectable_mean",
    "detectable_rate",
    "detectable_share",
    "errors_of",
    "estimate",
    "highest_worsening",
    "holm",
    "kind_of",
    "lower_bound",
    "method_of",
    "nats_needed",
    "nats_of_shares",
    "nearest",
    "newcombe",
    "poisson",
    "quantile",
    "ratio_of_rates",
    "runs_needed",
    "student",
    "tail",
    "wilson",
]
