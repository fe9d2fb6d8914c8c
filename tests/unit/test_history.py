"""The last versions of the accused thing, drift of the inputs, and how sure a sentence sounds."""

import numpy as np

from agentobs.contract import Label
from alerts.catalogue import DIMENSIONS, TASK_SUCCESS
from alerts.catalogue.model import DAY, HOUR
from runbooks.why import drift, history, words
from runbooks.why.changes import VersionChange
from runbooks.why.document import VersionUse
from runbooks.why.places import Kind, Place
from runbooks.why.spans import Segment, Span
from runbooks.why.tables import Table

NOW = 100 * DAY
PROMPT = next(dimension for dimension in DIMENSIONS if dimension.key == "prompt")


def change(version: str, previous: str, *later: str) -> VersionChange:
    return VersionChange(
        dimension=PROMPT,
        entity=("prod", "executor", "executor"),
        version=version,
        previous=previous,
        since=NOW - HOUR,
        previous_since=NOW - 2 * HOUR,
        later=later,
    )


def uses(*ages_s: float) -> list[VersionUse]:
    return [
        VersionUse(version=str(n), first_seen=NOW - age, last_seen=None, kpi="evaluation_pass", measured=None)
        for n, age in enumerate(ages_s)
    ]


def test_a_prompt_that_changes_again_and_again_is_not_to_be_edited_before_traces_are_compared():
    (warning,) = history.warnings(uses(HOUR, 3 * HOUR, 6 * HOUR, 9 * HOUR), change("13", "12"), NOW)
    assert "changed 3 times within a day" in warning
    assert "failing traces of 13" in warning
    assert "good ones of 12" in warning


def test_a_prompt_that_changes_now_and_then_is_no_thrashing():
    assert history.warnings(uses(HOUR, 3 * DAY, 9 * DAY), change("13", "12"), NOW) == []


def test_later_versions_that_did_not_mend_it_are_told():
    (warning,) = history.warnings(uses(HOUR, 2 * HOUR), change("13", "12", "14"), NOW)
    assert "13 broke it and 14 runs now" in warning


def tasks(**columns: list[int]) -> Table:
    below = np.array([[float(count) for count in row] for row in columns.values()])
    return Table(
        kpi=TASK_SUCCESS,
        place=Place("prod", Kind.SYSTEM),
        span=Span("prod", (Segment(0.0, 60.0, below.shape[1]),)),
        rows=tuple({Label.TASK_TYPE: name} for name in columns),
        bad=below,
        events=below,
        above=below,
        below=below,
    )


def test_other_kinds_of_tasks_are_drift():
    found = drift.find([tasks(refund=[20] * 10 + [8] * 10, legal=[0] * 10 + [12] * 10)])
    assert found is not None
    assert (found.border, found.grown) == (10, "legal")
    assert (found.before, found.after) == (0.0, 0.6)


def test_the_same_kinds_of_tasks_are_no_drift():
    assert drift.find([tasks(refund=[20] * 20, legal=[12] * 20)]) is None
    assert drift.find([tasks(refund=[20] * 20)]) is None


def test_three_odd_tasks_are_no_drift():
    assert drift.find([tasks(refund=[20] * 20, legal=[0] * 17 + [1] * 3)]) is None


def test_no_sentence_sounds_certain():
    assert words.sure(0.9999) == "> 99 %"
    assert words.sure(0.93) == "93 %"
    assert words.chance(1e-300) == "< 1e-99"
