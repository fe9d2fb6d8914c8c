"""Mutants of rules: every rule changed in one place, as a careless edit would. Tests must notice each of them.

Not here: running them (`kills`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser as pq

from alerts.promql import duration
from alerts.promql.tree import COMPARISONS, SETS, bare, op, parse

Document = Mapping[str, Any]
_FLIPPED = {">": ("<", ">="), "<": (">", "<="), ">=": ("<=", ">"), "<=": (">=", "<"), "==": ("!=",), "!=": ("==",)}
_SWAPPED = {"group_left": "group_right", "group_right": "group_left"}
_SCALED = (0.5, 2)
_BY_FUNCTION = re.compile(r"(?:kpi|dimension|track)=|\w+_?version!|model!")
_VARIES = (
    (re.compile(r"vector\([^)]*\)"), "vector"),
    (re.compile(r'"[^"]*"'), '""'),
    (re.compile(r"\{[^}]*\}"), ""),
    (re.compile(r"\b(by|on|group_left) ?\([^)]*\)"), r"\1"),
    (re.compile(r"\[\w+\]|(?<=offset )\w+"), "w"),
    (re.compile(r"\b(?:kpi:\w+:[a-z]+\w*|agentic_\w+)"), "series"),
)
_OTHER = {"page": "ticket", "ticket": "page"}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A rule that was changed: what kind of change, what it was, the document, and its index in its group.

    Recording rules are written by few functions, each for all KPIs. Mutants that come from the same change of such a
    function are of one `family`.
    """

    group: str
    index: int
    kind: str
    what: str
    rule: Document
    family: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(self.rule.get("alert") or self.rule["record"])

    def __str__(self) -> str:
        labels = {key: str(value) for key, value in self.rule.get("labels", {}).items()}
        told = ",".join(f"{key}={value}" for key, value in labels.items() if key not in {"owner", "family"})
        return f"{self.name}{{{told}}} {self.kind}: {self.what}"


@dataclass(frozen=True)
class Change:
    """An expression that was changed."""

    kind: str
    what: str
    text: str


def of(group: Document) -> Iterator[Mutant]:
    """All mutants of the rules of a group."""
    for index, rule in enumerate(group["rules"]):
        counted: Counter[str] = Counter()
        for kind, what, fields in (*_inside(rule), *_outside(rule)):
            counted[kind] += 1
            changed = {key: value for key, value in {**rule, **fields}.items() if value is not None}
            family = _family(rule, kind, what, counted[kind])
            yield Mutant(
                group=group["name"],
                index=index,
                kind=kind,
                what=what,
                rule=changed,
                family=family or (group["name"], f"{index}", kind, f"{counted[kind]}"),
            )


def _family(rule: Document, kind: str, what: str, number: int) -> tuple[str, ...]:
    """What the function decides is one for all its rules, what the catalogue says is one for each KPI."""
    if "record" not in rule:
        return ()
    skeleton = _skeleton(rule)
    labels = {key: str(value) for key, value in rule.get("labels", {}).items()}
    of_kpi = rule["record"].split(":")[1] if rule["record"].startswith("kpi:") else ""
    if kind == "grouping":
        return skeleton, kind, what, of_kpi or labels.get("dimension", "")
    if kind == "matcher" and not _BY_FUNCTION.match(what):
        return skeleton, kind, what, of_kpi or labels.get("kpi", "")
    return skeleton, kind, f"{number}"


def _skeleton(rule: Document) -> str:
    """A rule without what differs between KPIs and windows: names, labels, durations."""
    bare_expr = whole(rule["expr"])
    for pattern, text in _VARIES:
        bare_expr = pattern.sub(text, bare_expr)
    name = re.sub(r"\d+[smhd]$", "", rule["record"])
    return f"{re.sub(r'^kpi:[^:]+:', 'kpi:', name)} {bare_expr}"


def _inside(rule: Document) -> Iterator[tuple[str, str, Document]]:
    return ((change.kind, change.what, {"expr": change.text}) for change in changes(rule["expr"]))


def _outside(rule: Document) -> Iterator[tuple[str, str, Document]]:
    for key in ("for", "keep_firing_for"):
        if key in rule:
            seconds = pq.parse_duration(rule[key]).total_seconds()
            yield key, f"{key} {rule[key]} removed", {key: None}
            for factor in _SCALED:
                changed = duration(seconds * factor)
                yield key, f"{key} {rule[key]} -> {changed}", {key: changed}
    if "alert" in rule and rule["labels"].get("severity") in _OTHER:
        was = rule["labels"]["severity"]
        labels = {**rule["labels"], "severity": _OTHER[was]}
        yield "severity", f"severity {was} -> {_OTHER[was]}", {"labels": labels}


def changes(expr: str) -> list[Change]:
    """Every change of an expression."""
    return list(_printer(expr).changes(parse(expr)))


def whole(expr: str) -> str:
    """The expression as it is written without a change."""
    return _printer(expr).text(parse(expr))


def _printer(expr: str) -> "_Printer":
    # The parser loses `anchored`; so either all increases of an expression have it, or none.
    anchored = expr.count("] anchored")
    assert anchored in {0, expr.count("increase(")}, f"anchored in some increases only: {expr}"
    return _Printer(" anchored" if anchored else "")


def _reachable(node: pq.BinaryExpr) -> bool:
    """Whether `1 - x` can be the threshold at all: no x makes it 0.3, as floating point numbers go."""
    left = bare(node.lhs)
    if not (isinstance(left, pq.BinaryExpr) and op(left) == "-" and isinstance(node.rhs, pq.NumberLiteral)):
        return True
    return not isinstance(left.lhs, pq.NumberLiteral) or left.lhs.val - (left.lhs.val - node.rhs.val) == node.rhs.val


class _Printer:
    """Writes trees as text, whole or with one change."""

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.exact = False

    def text(self, node: pq.Expr) -> str:
        match node:
            case pq.NumberLiteral():
                return f"{node.val:.15g}"
            case pq.StringLiteral():
                return str(node)
            case pq.VectorSelector():
                return self._selector(node, self._matchers(node), "", node.offset)
            case pq.MatrixSelector():
                inner = node.vector_selector
                return self._selector(inner, self._matchers(inner), self._range(node), inner.offset)
            case pq.ParenExpr():
                return self.text(node.expr)  # whoever needs parentheses puts them
            case pq.UnaryExpr():
                return f"-({self.text(node.expr)})"
            case pq.Call():
                self.exact = node.func.name == "increase"
                return self._call(node, [self.text(arg) for arg in node.args])
            case pq.AggregateExpr():
                return self._aggregate(node, self._by(node), self._param(node), self.text(node.expr))
            case pq.BinaryExpr():
                return self._binary(node, op(node), self.text(node.lhs), self.text(node.rhs))
            case _:
                raise AssertionError(f"no way to write {node}")

    def changes(self, node: pq.Expr) -> Iterator[Change]:
        """The node with one change in it, for every change."""
        match node:
            case pq.NumberLiteral():
                yield from self._number(node)
            case pq.VectorSelector():
                yield from self._selected(node, "")
            case pq.MatrixSelector():
                yield from self._ranged(node)
            case pq.ParenExpr():
                yield from self.changes(node.expr)
            case pq.UnaryExpr():
                yield Change("operand", "minus dropped", self.text(node.expr))
                yield from (Change(each.kind, each.what, f"-({each.text})") for each in self.changes(node.expr))
            case pq.Call():
                yield from self._called(node)
            case pq.AggregateExpr():
                yield from self._aggregated(node)
            case pq.BinaryExpr():
                yield from self._operation(node)
                yield from self._sides(node)

    def _number(self, node: pq.NumberLiteral) -> Iterator[Change]:
        for changed in [node.val * factor for factor in _SCALED] if node.val else [1.0]:
            yield Change("threshold", f"{node.val:g} -> {changed:g}", f"{changed:.15g}")

    def _selected(self, node: pq.VectorSelector, range_: str) -> Iterator[Change]:
        matchers = self._matchers(node)
        for matcher in matchers:
            rest = [each for each in matchers if each != matcher]
            yield Change("matcher", f"{matcher} dropped", self._selector(node, rest, range_, node.offset))
        if node.offset is not None:
            yield Change("offset", "offset dropped", self._selector(node, matchers, range_, None))
            for factor in _SCALED:
                changed = node.offset * factor
                what = f"offset {duration(node.offset.total_seconds())} -> {duration(changed.total_seconds())}"
                yield Change("offset", what, self._selector(node, matchers, range_, changed))

    def _ranged(self, node: pq.MatrixSelector) -> Iterator[Change]:
        inner, matchers = node.vector_selector, self._matchers(node.vector_selector)
        yield from self._selected(inner, self._range(node))
        for factor in _SCALED:
            changed = self._range(node, factor)
            text = self._selector(inner, matchers, changed, inner.offset)
            yield Change("window", f"{self._range(node)} -> {changed}", text)

    def _called(self, node: pq.Call) -> Iterator[Change]:
        self.exact = node.func.name == "increase"
        texts = [self.text(arg) for arg in node.args]
        for index, arg in enumerate(node.args):
            self.exact = node.func.name == "increase"
            for each in self.changes(arg):
                changed = [*texts[:index], each.text, *texts[index + 1 :]]
                yield Change(each.kind, each.what, self._call(node, changed))

    def _aggregated(self, node: pq.AggregateExpr) -> Iterator[Change]:
        param, inner = self._param(node), self.text(node.expr)
        for label in node.modifier.labels if node.modifier is not None else ():
            yield Change("grouping", f"{label} dropped", self._aggregate(node, self._by(node, label), param, inner))
        for each in self.changes(node.expr):
            yield Change(each.kind, each.what, self._aggregate(node, self._by(node), param, each.text))
        if isinstance(node.param, pq.NumberLiteral):
            for each in self._number(node.param):
                yield Change(each.kind, each.what, self._aggregate(node, self._by(node), each.text, inner))

    def _operation(self, node: pq.BinaryExpr) -> Iterator[Change]:
        operator, left, right = op(node), self.text(node.lhs), self.text(node.rhs)
        if operator in COMPARISONS:
            for changed in _FLIPPED[operator]:
                if changed[0] == operator[0] and not _reachable(node):
                    continue
                text = self._binary(node, changed, left, right)
                yield Change("comparator", f"{operator} -> {changed} in {self._short(node)}", text)
        elif operator in SETS:
            yield Change("operand", f"left of {operator} dropped: {self._short(node.lhs)}", right)
            yield Change("operand", f"right of {operator} dropped: {self._short(node.rhs)}", left)
        elif operator in {"/", "-"}:
            text = self._binary(node, operator, right, left, swapped=True)
            yield Change("swap", f"sides of {operator} in {self._short(node)}", text)

    def _sides(self, node: pq.BinaryExpr) -> Iterator[Change]:
        left, right = self.text(node.lhs), self.text(node.rhs)
        for each in self.changes(node.lhs):
            yield Change(each.kind, each.what, self._binary(node, op(node), each.text, right))
        for each in self.changes(node.rhs):
            yield Change(each.kind, each.what, self._binary(node, op(node), left, each.text))

    def _short(self, node: pq.Expr) -> str:
        text, limit = self.text(node), 70
        return text if len(text) <= limit else f"{text[:limit]}..."

    @staticmethod
    def _matchers(node: pq.VectorSelector) -> list[str]:
        return [str(matcher) for matcher in node.matchers.matchers]

    def _range(self, node: pq.MatrixSelector, factor: float = 1) -> str:
        return f"[{duration(node.range.total_seconds() * factor)}]{self.suffix if self.exact else ''}"

    @staticmethod
    def _selector(node: pq.VectorSelector, matchers: list[str], range_: str, offset: Any) -> str:
        shifted = f" offset {duration(offset.total_seconds())}" if offset is not None else ""
        braces = f"{{{','.join(matchers)}}}" if matchers or not node.name else ""
        return f"{node.name or ''}{braces}{range_}{shifted}"

    @staticmethod
    def _call(node: pq.Call, args: list[str]) -> str:
        return f"{node.func.name}({', '.join(args)})"

    @staticmethod
    def _by(node: pq.AggregateExpr, without: str = "") -> str:
        if node.modifier is None:
            return ""
        kind = "by" if node.modifier.type == pq.AggModifierType.By else "without"
        return f" {kind} ({', '.join(label for label in node.modifier.labels if label != without)})"

    def _param(self, node: pq.AggregateExpr) -> str:
        return self.text(node.param) if isinstance(node.param, pq.Expr) else ""

    @staticmethod
    def _aggregate(node: pq.AggregateExpr, by: str, param: str, inner: str) -> str:
        return f"{op(node)}{by} ({param}{', ' if param else ''}{inner})"

    @staticmethod
    def _binary(node: pq.BinaryExpr, operator: str, left: str, right: str, *, swapped: bool = False) -> str:
        words, modifier = [operator], node.modifier
        if modifier is not None:
            words += ["bool"] if modifier.return_bool else []
            if modifier.matching is not None:
                on = modifier.matching.type == pq.LabelModifierType.Include
                words.append(f"{'on' if on else 'ignoring'} ({', '.join(modifier.matching.labels)})")
            many, few = pq.VectorMatchCardinality.ManyToOne, pq.VectorMatchCardinality.OneToMany
            side = "group_left" if modifier.card == many else "group_right" if modifier.card == few else ""
            if side:
                words.append(f"{_SWAPPED[side] if swapped else side}({', '.join(modifier.group_labels or ())})")
        left, right = (f"({text})" if " " in text else text for text in (left, right))
        return f"{left} {' '.join(words)} {right}"
