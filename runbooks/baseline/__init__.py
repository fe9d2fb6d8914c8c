"""The KPI baseline: what a release is compared with. Values with versions, counts and intervals, kept as a file.

Not here: where files lie and which store is asked (`stacks.baselines`), the rules that alert on a baseline
(`alerts.recording.comparison`).
"""

from runbooks.baseline.compare import Change, Comparison, Finding, compare, compare_tracks
from runbooks.baseline.document import Baseline, BaselineError, Bucket, InUse, Point, parse, points
from runbooks.baseline.judging import Basis
from runbooks.baseline.reading import record

__all__ = [
    "Baseline",
    "BaselineError",
    "Basis",
    "Bucket",
    "Change",
    "Comparison",
    "Finding",
    "InUse",
    "Point",
    "compare",
    "compare_tracks",
    "parse",
    "points",
    "record",
]
