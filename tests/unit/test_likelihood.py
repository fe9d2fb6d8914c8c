"""Scatter: bursts count for less, and a rate whose two counters are seen at different times has none."""

import numpy as np

from alerts.catalogue import POLICY_VIOLATIONS, TOOL_SUCCESS
from runbooks import likelihood
from runbooks.cells import Span, Table
from runbooks.places import Kind, Place

COLUMNS = 48


def _table(kpi, above, below, width=1.2) -> Table:
    place, span = Place("prod", Kind.SYSTEM, ""), Span("prod", 0.0, width, COLUMNS)
    return Table(kpi=kpi, place=place, span=span, rows=({},), above=np.array([above]), below=np.array([below]))


def _late() -> np.ndarray:
    return np.arange(COLUMNS) >= 15


def test_violations_that_are_seen_before_their_tasks_end_are_no_bursts():
    """Measured: 31 tasks without a violation, then 70 in 129, and the last 40 tasks were counted at once."""
    violations, tasks = np.zeros(COLUMNS), np.zeros(COLUMNS)
    tasks[5:15] = 3.1
    violations[15:26] = 70 / 11
    tasks[15:24] = 89 / 9
    tasks[26] = 40
    found = likelihood.tested(_table(POLICY_VIOLATIONS, violations, tasks), _late()[None, :])
    assert found is not None
    assert found.p < 1e-6


def test_a_rate_that_comes_in_bursts_is_worth_less_where_there_is_time_to_see_it():
    tasks, violations = np.full(COLUMNS, 30.0), np.zeros(COLUMNS)
    violations[::4] = 40.0
    table = _table(POLICY_VIOLATIONS, violations, tasks, width=60)
    assert likelihood.dispersion(table, _late()[None, :])[0] > 10


def test_failures_that_come_in_bursts_are_worth_less():
    calls, good = np.full(COLUMNS, 30.0), np.full(COLUMNS, 30.0)
    good[::4] = 0.0
    assert likelihood.dispersion(_table(TOOL_SUCCESS, good, calls), _late()[None, :])[0] > 10
