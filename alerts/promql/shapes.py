"""Which labels, with which values, the series of an expression can have: worked out from the expression alone.

A shape is a tuple of variants, because a recorded series can come from several rules with different labels (versions
of prompts and of tools share one name). None is a shape nobody knows: metrics of programs that are not ours.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import promql_parser as pq

from alerts.promql.tree import SETS, bare, children, is_scalar, op

Values = frozenset[str] | None
"""What a label can hold; None: anything but nothing."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One set of labels. `implied` are labels that follow from the others, so that they tell no two series apart."""

    labels: tuple[tuple[str, Values], ...] = ()
    implied: frozenset[str] = frozenset()
    by_name: Mapping[str, Values] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", dict(self.labels))

    def get(self, label: str) -> Values:
        """What the label can hold; a label that is not there is empty."""
        return self.by_name.get(label, _EMPTY)

    @property
    def names(self) -> frozenset[str]:
        """All its labels."""
        return frozenset(self.by_name)

    @property
    def free(self) -> frozenset[str]:
        """Labels by which two series of this variant can differ."""
        return frozenset(
            name for name, values in self.labels if name not in self.implied and (values is None or len(values) > 1)
        )

    def with_label(self, label: str, values: Values, *, implied: bool = False) -> "Variant":
        """The same with a label set; without it if the value is empty."""
        given = {**self.by_name, label: values}
        if values == _EMPTY:
            del given[label]
        return variant(given, (self.implied - {label}) | ({label} if implied else frozenset()))

    def keep(self, labels: Iterable[str]) -> "Variant":
        """The same with only these labels."""
        wanted = frozenset(labels)
        return variant({k: v for k, v in self.labels if k in wanted}, self.implied & wanted)

    def drop(self, labels: Iterable[str]) -> "Variant":
        """The same without these labels."""
        return self.keep(self.names - frozenset(labels))


Shape = tuple[Variant, ...] | None
Series = Callable[[str], Shape]
_EMPTY: Final[Values] = frozenset(("",))
# More combinations than this are no longer told apart; none of our expressions comes near.
_MOST: Final = 4000


def variant(labels: Mapping[str, Values], implied: Iterable[str] = ()) -> Variant:
    """A variant, with its labels in order so that equal ones are equal."""
    return Variant(tuple(sorted(labels.items(), key=lambda item: item[0])), frozenset(implied))


def one(*labels: str) -> Shape:
    """A shape of one variant, of any values."""
    return (variant(dict.fromkeys(labels)),)


def shape(node: pq.Expr, series: Series) -> Shape:
    """The shape of an expression; `series` gives that of a name."""
    node = bare(node)
    match node:
        case pq.VectorSelector():
            return narrowed(series(node.name), node.matchers.matchers) if node.name else None
        case pq.MatrixSelector() | pq.SubqueryExpr() | pq.UnaryExpr():
            return shape(children(node)[0], series)
        case pq.AggregateExpr():
            return _aggregated(node, shape(node.expr, series))
        case pq.BinaryExpr():
            return _combined(node, series)
        case pq.Call():
            return _called(node, series)
        case _:
            return one()


def holds(matcher: pq.Matcher, value: str) -> bool:
    """Whether a label of this value matches."""
    if matcher.op == pq.MatchOp.Re or matcher.op == pq.MatchOp.NotRe:  # noqa: PLR1714 the parser's values have no hash
        return (re.fullmatch(matcher.value, value) is not None) is (matcher.op == pq.MatchOp.Re)
    return (matcher.value == value) is (matcher.op == pq.MatchOp.Equal)


def narrowed(shape_: Shape, matchers: Iterable[pq.Matcher]) -> Shape:
    """Those variants that the matchers leave, with the values that they leave."""
    if shape_ is None:
        return None
    for matcher in matchers:
        kept = (_narrowed(each, matcher) for each in shape_)
        shape_ = tuple(each for each in kept if each is not None)
    return shape_


def _narrowed(given: Variant, matcher: pq.Matcher) -> Variant | None:
    values = given.get(matcher.name)
    if values is not None:
        left = frozenset(value for value in values if holds(matcher, value))
        return given.with_label(matcher.name, left, implied=matcher.name in given.implied) if left else None
    if matcher.op == pq.MatchOp.Equal:
        known = frozenset((matcher.value,)) if matcher.value else None
        return given.with_label(matcher.name, known) if known else None
    return given


def partners(left: Variant, right: Variant, match: pq.LabelModifier | None) -> bool:
    """Whether a series of one variant can match one of the other."""
    if match is not None and match.type == pq.LabelModifierType.Include:
        labels = frozenset(match.labels)
    else:
        labels = (left.names | right.names) - frozenset(match.labels if match is not None else ())
    return all(_meet(left.get(label), right.get(label)) for label in labels)


def _meet(left: Values, right: Values) -> bool:
    if left is None or right is None:
        return _EMPTY not in {left, right}
    return bool(left & right)


def _aggregated(node: pq.AggregateExpr, inner: Shape) -> Shape:
    if op(node) in {"topk", "bottomk", "limitk", "limit_ratio"}:
        return inner
    modifier = node.modifier
    if modifier is None:
        found: Shape = one()
    elif modifier.type == pq.AggModifierType.By:
        found = one(*modifier.labels) if inner is None else _distinct(each.keep(modifier.labels) for each in inner)
    else:
        found = None if inner is None else _distinct(each.drop(modifier.labels) for each in inner)
    if op(node) == "count_values" and found is not None and isinstance(node.param, pq.StringLiteral):
        counted = node.param.val
        found = _distinct(each.with_label(counted, None) for each in found)
    return found


def _called(node: pq.Call, series: Series) -> Shape:
    name = node.func.name
    if name in {"absent", "absent_over_time"}:
        inner = bare(node.args[0])
        selector = inner.vector_selector if isinstance(inner, pq.MatrixSelector) else inner
        matchers = selector.matchers.matchers if isinstance(selector, pq.VectorSelector) else []
        equal = [each for each in matchers if each.op == pq.MatchOp.Equal and each.value]
        return (variant({each.name: frozenset((each.value,)) for each in equal}),)
    found = next((shape(arg, series) for arg in node.args if not _is_plain(arg)), one())
    if found is None:
        return None
    if name == "label_replace":
        return _distinct(_replaced(each, *(str(arg.val) for arg in node.args[1:])) for each in found)
    if name == "label_join":
        return _distinct(each.with_label(str(node.args[1].val), None) for each in found)
    if name in {"histogram_quantile", "histogram_fraction"}:
        return _distinct(each.drop(("le",)) for each in found)
    return found


def _is_plain(node: pq.Expr) -> bool:
    return isinstance(bare(node), pq.StringLiteral) or is_scalar(node)


def _replaced(given: Variant, target: str, text: str, source: str, pattern: str) -> Variant:
    if not source:
        return given.with_label(target, frozenset((text,)))
    if (text, pattern) == ("$1", "(.*)"):
        # Each value of the source has its own in the target: neither tells more series apart than the other.
        return given.with_label(target, given.get(source), implied=source in given.implied)
    return given.with_label(target, None)


def _combined(node: pq.BinaryExpr, series: Series) -> Shape:
    if is_scalar(node.lhs) or is_scalar(node.rhs):
        return shape(node.rhs if is_scalar(node.lhs) else node.lhs, series)
    left, right = shape(node.lhs, series), shape(node.rhs, series)
    if op(node) in SETS:
        return _selected(op(node), left, right, node.modifier)
    if left is None or right is None:
        return _joined_with_unknown(left, node.modifier)
    match = node.modifier.matching if node.modifier is not None else None
    return _distinct(_joined(a, b, node.modifier) for a in left for b in right if partners(a, b, match))


def _selected(operator: str, left: Shape, right: Shape, modifier: pq.BinModifier | None) -> Shape:
    """What a set operation leaves: series of the left, or of both sides."""
    if operator == "or":
        return None if left is None or right is None else _distinct((*left, *right))
    if left is None or right is None or operator == "unless":
        return left
    match = modifier.matching if modifier is not None else None
    return tuple(a for a in left if any(partners(a, b, match) for b in right))


def _joined_with_unknown(left: Shape, modifier: pq.BinModifier | None) -> Shape:
    known = modifier is None or not (modifier.group_labels or modifier.card == pq.VectorMatchCardinality.OneToMany)
    return left if known else None


def _joined(left: Variant, right: Variant, modifier: pq.BinModifier | None) -> Variant:
    if modifier is None:
        return left
    if modifier.card == pq.VectorMatchCardinality.OneToMany:
        left, right = right, left
    if modifier.card != pq.VectorMatchCardinality.OneToOne:
        for label in modifier.group_labels or ():
            # What the one side adds follows from what was matched.
            left = left.with_label(label, right.get(label), implied=True)
        return left
    if modifier.matching is None:
        return left
    if modifier.matching.type == pq.LabelModifierType.Include:
        return left.keep(modifier.matching.labels)
    return left.drop(modifier.matching.labels)


def _distinct(found: Iterable[Variant]) -> Shape:
    kept = tuple(dict.fromkeys(found))
    return kept if len(kept) <= _MOST else None
