"""Checks of what an expression reads: series that exist, matchers that can match, counters and gauges as such."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

import promql_parser as pq

from agentobs.contract import Label
from alerts.lint.model import Problem
from alerts.promql import known, shapes
from alerts.promql.ruleset import Rule, RuleSet
from alerts.promql.tree import bare, op, walk

_RATES: Final = frozenset(("rate", "increase", "irate"))
# Functions that mean something on the raw value of a counter.
_OF_COUNTERS: Final = frozenset((
    *_RATES, "resets", "changes", "absent", "absent_over_time", "present_over_time", "count_over_time", "timestamp",
))  # fmt: skip
_COUNTING: Final = frozenset(("count", "group"))
_WINDOW_SCRAPES: Final = 4
_SPECIAL: Final = re.compile(r"[.*+?()\[\]{}|^$\\]")


def counter(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """A counter says how much since some start: only its growth means something."""
    for node, above in _nodes(rule):
        if not isinstance(node, pq.VectorSelector) or not known.is_counter(node.name or ""):
            continue
        calls = {each.func.name for each in above if isinstance(each, pq.Call)}
        counted = {op(each) for each in above if isinstance(each, pq.AggregateExpr)}
        if not calls & _OF_COUNTERS and not counted & _COUNTING and not _is_new(node, above):
            yield Problem(f"{node.name} is a counter, read as it stands", "read its increase or its rate")


def _is_new(node: pq.VectorSelector, above: tuple[pq.Expr, ...]) -> bool:
    """Whether a counter is asked for where it was not a while ago: all of it is growth then."""
    operation = next((each for each in reversed(above) if not isinstance(each, pq.ParenExpr)), None)
    if not isinstance(operation, pq.BinaryExpr) or op(operation) != "unless":
        return False
    before = bare(operation.rhs)
    return isinstance(before, pq.VectorSelector) and before.name == node.name and before.offset is not None


def gauge(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """A gauge that falls looks to `rate` like a counter that started anew."""
    for name, matrix in _ranges(rule):
        if known.is_gauge(matrix.vector_selector.name or ""):
            yield Problem(
                f"{name} of {matrix.vector_selector.name}, which is no counter", "delta, deriv or avg_over_time"
            )


def window(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """A window holds four samples, so that one missed scrape leaves a rate."""
    least = _WINDOW_SCRAPES * known.SCRAPE_S
    for name, matrix in _ranges(rule):
        seconds = matrix.range.total_seconds()
        if seconds < least:
            yield Problem(f"{name} over {seconds:g} s; scrapes come every {known.SCRAPE_S} s", f"{least} s or more")


def unknown(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """Every series that is read is recorded by a rule or given by a program."""
    for name in dict.fromkeys(selector.name for selector in rule.selectors):
        if name is None:
            if rule.name in known.EVERY_SERIES:
                continue
            yield Problem("a selector without a name reads every series", "name the series")
        elif not every.is_known(name):
            whose = "no rule records it" if ":" in name else "no program here gives it"
            yield Problem(f"{name}: {whose}", "correct the name, or record it")


def impossible(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """A selector can match something: its labels and values are those that the series can have."""
    for selector in rule.selectors:
        shape = every.series(selector.name) if selector.name else None
        if not shape:
            continue
        for matcher in selector.matchers.matchers:
            if not any(matcher.name in each.by_name for each in shape):
                yield Problem(f"{selector.name} has no label {matcher.name}", "drop the matcher, or correct the label")
        if not shapes.narrowed(shape, selector.matchers.matchers):
            given = ",".join(str(matcher) for matcher in selector.matchers.matchers)
            yield Problem(f"{selector.name}{{{given}}} matches nothing", "correct the values")


def regexp(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """A regular expression only where a plain comparison is not enough."""
    for selector in rule.selectors:
        for matcher in selector.matchers.matchers:
            if matcher.op == pq.MatchOp.Re or matcher.op == pq.MatchOp.NotRe:  # noqa: PLR1714 no hash
                yield from _regexp(matcher)


def _regexp(matcher: pq.Matcher) -> Iterator[Problem]:
    pattern = matcher.value
    alternatives = Counter(pattern.split("|"))
    if pattern in {"", ".*"}:
        what = "nothing but an absent label" if not pattern else "everything"
        yield Problem(f"{matcher} matches {what}", "drop it")
    elif not _SPECIAL.search(pattern):
        yield Problem(f"{matcher} needs no regular expression", f"{'=' if matcher.op == pq.MatchOp.Re else '!='}")
    elif pattern.startswith("^") or (pattern.endswith("$") and not pattern.endswith("\\$")):
        yield Problem(f"{matcher}: patterns are anchored anyway", "drop ^ and $")
    elif "(" not in pattern and max(alternatives.values()) > 1:
        yield Problem(f"{matcher} has a repeated alternative", "drop it")


def environment(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """No rule for one environment: rules that name them are how dev and prod get swapped."""
    for selector in rule.selectors:
        for matcher in selector.matchers.matchers:
            if matcher.name == Label.ENVIRONMENT:
                yield Problem(
                    f"{matcher} ties the rule to an environment", "group by the label; let the routing choose"
                )


def _nodes(rule: Rule) -> Iterator[tuple[pq.Expr, tuple[pq.Expr, ...]]]:
    return walk(rule.tree) if rule.tree is not None else iter(())


def _ranges(rule: Rule) -> Iterator[tuple[str, pq.MatrixSelector]]:
    for node, above in _nodes(rule):
        call = above[-1] if above else None
        if isinstance(node, pq.MatrixSelector) and isinstance(call, pq.Call) and call.func.name in _RATES:
            yield call.func.name, node
