"""Scatter: bursts count for less, and a rate whose two counters are seen at different times has none, nor an end."""

from dataclasses import replace

import numpy as np
import pytest
from support.why_tables import change, table

from alerts.catalogue import AGENT_RUNS_PER_TASK, POLICY_VIOLATIONS, TASK_LATENCY, TOOL_SUCCESS
from runbooks.why import evidence
from runbooks.why.evidence import Cells
from runbooks.why.examination import explain
from runbooks.why.joining import Incident
from runbooks.why.places import Kind, Place
from runbooks.why.spans import Segment, Span
from runbooks.why.tables import Table

COLUMNS = 48


def _cells(kpi, bad, events, width=1.2) -> Cells:
    place, span = Place("prod", Kind.SYSTEM, ""), Span("prod", (Segment(0.0, width, COLUMNS),))
    bad, events = np.array([bad]), np.array([events])
    return Cells(Table(kpi, place, span, ({},), bad, events, above=bad, below=events))


def _late() -> np.ndarray:
    return (np.arange(COLUMNS) >= 15)[None, :]


def test_violations_that_are_seen_before_their_tasks_end_are_no_bursts():
    """Measured: 31 tasks without a violation, then 70 in 129, and the last 40 tasks were counted at once."""
    violations, tasks = np.zeros(COLUMNS), np.zeros(COLUMNS)
    tasks[5:15] = 3.1
    violations[15:26] = 70 / 11
    tasks[15:24] = 89 / 9
    tasks[26] = 40
    cells = _cells(POLICY_VIOLATIONS, violations, tasks)
    found = evidence.judged(cells, _late(), evidence.scatter(cells, _late()))
    assert found is not None
    assert found.p < 1e-6


def test_a_rate_that_comes_in_bursts_is_worth_less_where_there_is_time_to_see_it():
    tasks, violations = np.full(COLUMNS, 30.0), np.zeros(COLUMNS)
    violations[::4] = 40.0
    assert evidence.scatter(_cells(POLICY_VIOLATIONS, violations, tasks, width=60), _late()) > 10


def test_failures_that_come_in_bursts_are_worth_less():
    calls, bad = np.full(COLUMNS, 30.0), np.zeros(COLUMNS)
    bad[::4] = 30.0
    assert evidence.scatter(_cells(TOOL_SUCCESS, bad, calls), _late()) > 10


def test_bursts_longer_than_a_column_are_seen_too():
    calls, bad = np.full(COLUMNS, 3.0), np.zeros(COLUMNS)
    for start in range(0, COLUMNS, 12):
        bad[start : start + 4] = 2.0
    assert evidence.scatter(_cells(TOOL_SUCCESS, bad, calls), np.zeros((1, COLUMNS), bool)) > 3


def test_independent_events_do_not_scatter():
    noise = np.random.default_rng(7)
    calls = np.full(COLUMNS, 30.0)
    found = [
        evidence.scatter(_cells(TOOL_SUCCESS, noise.binomial(30, 0.1, COLUMNS).astype(float), calls), _late())
        for _ in range(50)
    ]
    assert np.median(found) < 1.6


def test_gains_of_borders_and_intervals_agree_with_single_splits():
    made = Cells(table(TOOL_SUCCESS, "search", ({"agent_name": "a"}, [(n % 3 == 0, 4) for n in range(40)])))
    bad, events = made.by_stratum
    borders = evidence.of_borders(made.kind, bad, events)
    intervals = evidence.of_intervals(made.kind, bad, events)
    rows = np.ones(1, bool)
    for first, last in ((3, 40), (10, 40), (5, 17), (21, 22)):
        one = made.gain([evidence.Part(rows, first, last)])
        assert intervals[first, last] == np.float64(one) or np.isclose(intervals[first, last], one)
        if last == 40:
            assert np.isclose(borders[first], one)


# Measured each second: a graph with a loop from column 20 on, until the last task ended; (agent runs, tasks).
BEFORE = [(17, 1), (41, 9), (44, 11), (57, 11), (48, 12), (48, 13), (46, 14), (32, 5), (48, 12), (43, 11), (41, 10),
          (45, 10), (45, 12), (46, 11), (21, 6), (41, 9), (43, 11), (44, 10), (47, 14), (16, 8)]  # fmt: skip
AFTER = [(21, 1), (47, 6), (55, 5), (30, 3), (72, 8), (90, 8), (56, 8), (197, 27), (50, 8), (101, 9), (92, 18),
         (80, 14), (44, 5), (84, 9), (96, 14), (36, 4), (92, 14), (92, 9), (44, 7)]  # fmt: skip
THE_LAST = [(44, 12), (22, 6), (9, 4), (2, 1)]
"""Tasks end whose agents ran, and were counted, before."""
ON_AS_BEFORE = [(44, 11)] * 20


def _told(*after: tuple[int, int]) -> Incident:
    """What is told first of tasks that last a second, and of the looping graph three and a half."""
    rows = [
        ({"graph_version": "1"}, [*BEFORE, *[(0, 0)] * len(after)]),
        ({"graph_version": "2"}, [*[(0, 0)] * len(BEFORE), *after]),
    ]
    span = Span("prod", (Segment(0.0, 1.0, len(BEFORE) + len(after)),))
    runs, latency = (replace(table(kpi, "", *rows), span=span) for kpi in (AGENT_RUNS_PER_TASK, TASK_LATENCY))
    lasting = np.where(np.arange(span.columns) >= len(BEFORE), 3.5, 1.0) * latency.events
    latency = replace(latency, above=lasting, bad=np.zeros_like(lasting))
    looping = replace(change("graph", "support"), since=float(len(BEFORE)))
    return explain(span, [runs, latency], [looping]).incidents[0]


def test_a_rate_that_sinks_with_the_last_tasks_is_not_over():
    incident = _told(*AFTER, *THE_LAST)
    assert incident.change is not None
    assert incident.confidence > 0.9


def test_a_rate_that_is_as_before_while_tasks_go_on_is_over():
    incident = _told(*AFTER, *THE_LAST, *ON_AS_BEFORE)
    assert incident.change is None
    assert incident.explanation.last == pytest.approx(len(BEFORE) + len(AFTER), abs=2)
