"""Whether a span is what a search wants, decided here for stores that find only a part of it."""

import pytest

from collector.search import Attribute, Op, SearchError, Span, SpanSearch, Term, matching

EQ, NE, RE, GT, GE, LT, LE = Op


def span(attributes=None, *, resource=None, trace_id="1", failed=False, seconds=1.0):
    return Span(
        trace_id=trace_id, span_id="1", parent_id="", name="step", kind="internal", failed=failed,
        start=1_800_000_000.0, end=1_800_000_000.0 + seconds, attributes=attributes or {}, resource=resource or {},
    )  # fmt: skip


# What a span has under `k`, the condition, whether it is fulfilled.
HELD = [
    ("planner", EQ, "planner", True),
    ("planner", EQ, "Planner", False),
    ("planner", NE, "critic", True),
    ("planner", NE, "planner", False),
    ("", EQ, "", True),
    ("", NE, "x", True),
    (5, EQ, 5, True),
    (5.0, EQ, 5, True),
    ("5", EQ, 5, True),
    ("5.0", EQ, 5, True),
    (5, EQ, "5", True),
    (5.0, EQ, "5", True),
    ("5.0", EQ, "5", False),
    (5, NE, 6, True),
    ("many", NE, 6, True),
    ("many", EQ, 6, False),
    (True, EQ, True, True),
    ("true", EQ, True, True),
    (True, EQ, "true", True),
    (1, EQ, True, False),
    (True, EQ, 1, False),
    (False, NE, True, True),
    ("planner", RE, "plan", False),
    ("planner", RE, "plan.*", True),
    ("two\nlines", RE, "two.lines", True),
    ("ab", RE, "a|b", False),
    ("", RE, "", True),
    (429, RE, "4..", True),
    (True, RE, "true", True),
    (5, GT, 4, True),
    (5, GT, 5, False),
    (5, GE, 5, True),
    (5, LT, 5, False),
    (5, LE, 5, True),
    ("10", GT, 9, True),
    ("-0.5", LT, 0, True),
    ("1e3", GE, 1000, True),
    ("ten", GT, 9, False),
    ("ten", LT, 9, False),
    ("1_0", GT, 9, False),
    ("inf", GT, 9, False),
    ("nan", LE, 9, False),
    (True, GT, 0, False),
    (5, GT, "4", True),
    (None, EQ, "None", False),
    (["a", 1], EQ, "['a', 1]", True),
]


@pytest.mark.parametrize(("have", "op", "want", "held"), HELD)
def test_a_condition(have, op, want, held):
    assert matching.holds(Term("k", op, want), span({"k": have})) is held


@pytest.mark.parametrize("op", [*Op])
def test_what_is_missing_fulfils_nothing(op):
    want = ".*" if op is RE else 0
    assert not matching.holds(Term("k", op, want), span())
    assert not matching.holds(Term("service.k", op, want), span({"service.k": 0}))
    assert not matching.holds(Term("k", op, want), span(resource={"k": 0}))


@pytest.mark.parametrize(
    ("one", "other", "op", "held"),
    [
        (3, 5, LT, True),
        (5, 5, LT, False),
        ("3", 5, LT, True),
        (3, None, LT, False),
        (None, 3, NE, False),
        (3, 4, NE, True),
    ],
)
def test_two_attributes_of_a_span_are_compared(one, other, op, held):
    have = {key: value for key, value in (("a", one), ("b", other)) if value is not None}
    assert matching.holds(Term("a", op, Attribute("b")), span(have)) is held


def test_a_pattern_that_is_none_is_said_and_no_traceback():
    with pytest.raises(SearchError, match=r"'\(' is no regular expression: missing \)"):
        matching.holds(Term("k", RE, "("), span({"k": "x"}))


def test_one_step_has_to_fulfil_everything():
    both = SpanSearch(terms=(Term("a", EQ, 1), Term("b", EQ, 2)))
    apart = [span({"a": 1}), span({"b": 2})]
    assert matching.traces(both, apart) == frozenset()
    assert matching.traces(both, [span({"a": 1, "b": 2})]) == {"1"}


def test_of_a_group_one_condition_is_enough_and_of_every_group_one_is_needed():
    search = SpanSearch(any_of=((Term("a", EQ, 1), Term("b", EQ, 1)), (Term("c", EQ, 1), Term("d", EQ, 1))))
    assert matching.selects(search, span({"b": 1, "c": 1}))
    assert not matching.selects(search, span({"a": 1, "b": 1}))


def test_failed_and_slower():
    assert matching.selects(SpanSearch(failed=True), span(failed=True))
    assert not matching.selects(SpanSearch(failed=True), span())
    assert matching.selects(SpanSearch(), span(failed=True))
    for slower, seconds, wanted in (
        (0.5, 0.5, False),
        (0.0001, 0.0001, False),
        (0.5, 0.500001, True),
        ("500ms", 0.6, True),
        ("1m", 60, False),
    ):
        assert matching.selects(SpanSearch(slower_than_s=slower), span(seconds=seconds)) is wanted


def test_a_clock_that_went_back_makes_no_step_slow():
    assert span(seconds=-5).duration_s == 0
    assert not matching.selects(SpanSearch(slower_than_s=0), span(seconds=-5))


def test_enough_steps_of_one_trace_are_needed():
    spans = [span({"a": 1}, trace_id=each) for each in ("one", "two", "two", "three", "three", "three")]
    spans.append(span({"a": 2}, trace_id="two"))
    found = [matching.traces(SpanSearch(terms=(Term("a", EQ, 1),), at_least=least), spans) for least in (1, 2, 3, 4)]
    assert found == [{"one", "two", "three"}, {"two", "three"}, {"three"}, frozenset()]
