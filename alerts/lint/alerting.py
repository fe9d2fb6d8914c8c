"""Checks of alerts: they can be silent, they wait, they carry what people need, they talk about what they read."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import promql_parser as pq

from alerts.lint.model import Problem
from alerts.promql import known
from alerts.promql.ruleset import Rule, RuleSet
from alerts.promql.tree import COMPARISONS, bare, children, is_scalar, op, walk

_ABSENT: Final = frozenset(("absent", "absent_over_time"))
_ABSENT_HOLD_S: Final = 4 * known.SCRAPE_S

# Words that promise a topic, and what the name of a series about that topic holds.
_TOPICS: Final[tuple[tuple[str, str], ...]] = (
    (r"slow\w*|latency|takes? \S+ long\w*", r"latency|duration|seconds|p\d\d_"),
    (r"costs?|costly|spen[dt]\w*|money|budget of \$", r"cost|spend|usd"),
    (r"tokens?", r"token"),
    (r"timeouts?|ran out of time", r"timeout"),
    (r"retr(?:y|ies|ying)", r"retr"),
    (r"hallucinat\w*", r"hallucination"),
    (r"scores?", r"score"),
    (r"policy|policies", r"polic|violation"),
    (r"rate.limit\w*", r"rate_limited|discarded|limit"),
    (r"fallbacks?", r"fallback"),
)


def comparison(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """An alert that is not told when to be silent always fires."""
    if rule.is_alert and rule.tree is not None and rule.name not in known.ALWAYS and not _can_be_silent(rule.tree):
        yield Problem("fires whenever the series exists", "compare it with a threshold")


def _can_be_silent(node: pq.Expr) -> bool:
    node = bare(node)
    match node:
        case pq.BinaryExpr():
            return _operation_can_be_silent(node)
        case pq.Call():
            if node.func.name in _ABSENT:
                return True
            return any(_can_be_silent(arg) for arg in node.args)
        case pq.AggregateExpr() | pq.UnaryExpr() | pq.SubqueryExpr():
            return any(_can_be_silent(child) for child in children(node))
        case _:
            return False


def _operation_can_be_silent(node: pq.BinaryExpr) -> bool:
    operator = op(node)
    left, right = _can_be_silent(node.lhs), _can_be_silent(node.rhs)
    if operator in COMPARISONS:
        as_number = node.modifier is not None and node.modifier.return_bool
        return left or right if as_number else not (is_scalar(node.lhs) and is_scalar(node.rhs))
    if operator == "or":
        return left and right
    return operator == "unless" or left or right


def hold(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """One bad evaluation wakes nobody, unless there is a reason on record."""
    if rule.is_alert and not rule.hold_s and rule.name not in known.AT_ONCE:
        yield Problem("fires at the first evaluation", "add `for`, or list it with the reason")


def absent(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """A series is absent for a moment whenever Prometheus or its target starts."""
    if not rule.is_alert or rule.tree is None or rule.hold_s >= _ABSENT_HOLD_S:
        return
    if any(isinstance(node, pq.Call) and node.func.name in _ABSENT for node, _above in walk(rule.tree)):
        yield Problem(f"absent() with `for` of {rule.hold_s:g} s", f"{_ABSENT_HOLD_S} s or more")


def labels(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """Severity, owner and family are those that the routing knows, letter by letter."""
    if not rule.is_alert:
        return
    for name, values in known.REQUIRED_LABELS.items():
        if rule.labels.get(name) not in values:
            given = f"{rule.labels[name]!r} is unknown" if name in rule.labels else "is missing"
            yield Problem(f"label {name} {given}", f"one of {', '.join(values)}")


def annotations(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """What happened, how bad, what to do, where to look."""
    if rule.is_alert:
        for name in known.REQUIRED_ANNOTATIONS:
            if not rule.annotations.get(name, "").strip():
                yield Problem(f"no annotation {name}", "write it")


def topic(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """The summary is about what the expression reads, not about what the alert it was copied from read."""
    if not rule.is_alert or not rule.selectors:
        return
    text = re.sub(r"{{.*?}}", " ", rule.annotations.get("summary", ""))
    read = " ".join([*(selector.name or "" for selector in rule.selectors), *_values(rule)])
    for words, series in _TOPICS:
        found = re.search(rf"\b(?:{words})\b", text, re.IGNORECASE)
        if found and not re.search(series, read):
            yield Problem(
                f"the summary says {found.group()!r}, and the expression reads {read}", "describe what it reads"
            )
    key, kpis = rule.labels.get("kpi"), _kpis(rule, every)
    if key and kpis and key not in kpis:
        yield Problem(f"label kpi is {key}, and the expression reads {', '.join(kpis)}", "name the KPI that it reads")


def _values(rule: Rule) -> Iterator[str]:
    return (matcher.value for selector in rule.selectors for matcher in selector.matchers.matchers)


def _kpis(rule: Rule, every: RuleSet) -> Mapping[str, None]:
    names = (selector.name or "" for selector in rule.selectors)
    return dict.fromkeys(name.split(":")[1] for name in names if name.startswith("kpi:") and name in every.names)
