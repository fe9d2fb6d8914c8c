"""A condition renders to PromQL that a parser reads as it was meant, and its comparisons have the right roles."""

import itertools

import promql_parser as pq
import pytest

from alerts import alerting
from alerts.alerting.condition import Comparison, Role
from alerts.promql import tree
from alerts.timing import PRODUCTION

A, B, C = (Comparison(name, ">", number) for number, name in enumerate("abc", start=1))


def read(node: pq.Expr) -> object:
    """What a parser makes of an expression: nested tuples of operators."""
    node = tree.bare(node)
    if isinstance(node, pq.BinaryExpr) and tree.op(node) in {*tree.SETS, "or"}:
        return (read(node.lhs), tree.op(node), read(node.rhs))
    return " ".join(node.prettify().split())


@pytest.mark.parametrize(
    ("condition", "text", "meant"),
    [
        (A & B, "a > 1 and b > 2", ("a > 1", "and", "b > 2")),
        (A | B & C, "a > 1 or (b > 2 and c > 3)", ("a > 1", "or", ("b > 2", "and", "c > 3"))),
        ((A | B) & C, "(a > 1 or b > 2) and c > 3", (("a > 1", "or", "b > 2"), "and", "c > 3")),
        (A.unless(B) & C, "a > 1 unless b > 2 and c > 3", (("a > 1", "unless", "b > 2"), "and", "c > 3")),
        (A.unless(B & C), "a > 1 unless (b > 2 and c > 3)", ("a > 1", "unless", ("b > 2", "and", "c > 3"))),
        (A.unless(B.unless(C)), "a > 1 unless (b > 2 unless c > 3)", ("a > 1", "unless", ("b > 2", "unless", "c > 3"))),
        # Joined from the left or from the right, it holds for the same instances.
        (A & (B & C), "a > 1 and b > 2 and c > 3", (("a > 1", "and", "b > 2"), "and", "c > 3")),
        (A | (B | C), "a > 1 or b > 2 or c > 3", (("a > 1", "or", "b > 2"), "or", "c > 3")),
        (A & B.and_on("x", C), "a > 1 and (b > 2 and on (x) c > 3)", ("a > 1", "and", ("b > 2", "and", "c > 3"))),
    ],
)
def test_it_reads_as_it_was_meant(condition, text, meant):
    assert str(condition) == text
    assert read(tree.parse(text)) == meant


def test_what_guards_and_what_ends_is_told_apart():
    whole = (A | B).unless(C) & Comparison("d").and_on("x, y", Comparison("e", "<", "f:g", "on (x)"))
    said = [(each.value, each.role, each.on) for each in whole.comparisons()]
    assert said == [
        ("a", Role.VALUE, None),
        ("b", Role.VALUE, None),
        ("c", Role.ENDS, None),
        ("d", Role.GUARD, None),
        ("e", Role.GUARD, frozenset({"x", "y"})),
    ]


def test_a_threshold_is_a_number_or_asked_or_the_time():
    asked, now = Comparison("a", ">", "kpi:b", "on ()"), Comparison("a", ">", "(time() - 60)")
    assert [(each.is_number, each.is_asked) for each in (A, asked, now)] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert str(asked) == "a > on () kpi:b"
    assert A.number == 1
    with pytest.raises(TypeError, match="is not compared with a number"):
        _ = asked.number


def _first_values(node: pq.Expr) -> list[str]:
    """What a parser sees as the values: leftmost of `and` and `unless`, both sides of `or`."""
    node = tree.bare(node)
    operator = tree.op(node) if isinstance(node, pq.BinaryExpr) else ""
    if operator == "or":
        return [*_first_values(node.lhs), *_first_values(node.rhs)]
    if operator in tree.SETS:
        return _first_values(node.lhs)
    return [_text(node.lhs if operator in tree.COMPARISONS else node)]


def _text(node: pq.Expr) -> str:
    return tree.bare(node).prettify()


def test_every_alert_is_read_by_a_parser_as_its_condition_says():
    """The condition is the truth, and the parser of the linter the independent reader of what Prometheus gets."""
    for alert in alerting.alerts(PRODUCTION):
        values = [each.value for each in alert.condition.comparisons() if each.role is Role.VALUE]
        assert [_text(tree.parse(value)) for value in values] == _first_values(tree.parse(alert.expr)), alert.name


def test_an_alert_about_a_kpi_reads_that_kpi():
    for alert in alerting.alerts(PRODUCTION):
        read_first = next(iter(tree.selectors(tree.parse(alert.expr))), None)
        name = (read_first.name or "") if read_first is not None else ""
        assert alert.kpi is None or name.startswith(f"kpi:{alert.kpi.key}:"), alert.name
        assert alert.watches is None or alert.watches in alert.kpi.objectives, alert.name


def test_the_jobs_of_alerts_are_those_whose_metrics_they_read():
    """By the beginnings of the names that each program gives its metrics."""
    owners = {
        "otelcol": "collector", "prometheus": "prometheus", "alertmanager": "alertmanager", "loki": "loki",
        "tempo": "tempo", "tempodb": "tempo", "jaeger": "jaeger", "vl": "victorialogs", "vm": "victorialogs",
            "agentobs": "release-controller",
    }  # fmt: skip
    for alert in alerting.alerts(PRODUCTION):
        found = [*tree.selectors(tree.parse(alert.expr))]
        asked = [
            m.value for each in found for m in each.matchers.matchers if m.name == "job" and m.op == pq.MatchOp.Equal
        ]
        owned = [owners[start] for each in found if (start := (each.name or "").partition("_")[0]) in owners]
        if "job" in map(str, alert.by):
            assert alert.job == next(itertools.chain(asked, owned), ""), alert.name
