"""Which recording rules a case needs: what is left out could not have changed what the case looks at."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import promql_parser as pq

from alerts.promql.shapes import holds
from alerts.promql.tree import parse, selectors

Rule = Mapping[str, Any]
_RECORDED = re.compile(r"(?:kpi|version|track):[a-z0-9_:]+")


@cache
def read(expr: str) -> tuple[pq.VectorSelector, ...]:
    """What an expression selects."""
    return tuple(selectors(parse(expr)))


def meets(selector: pq.VectorSelector, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a selector can select a series of these labels; it may have more of them."""
    return selector.name == name and all(
        holds(matcher, labels[matcher.name]) for matcher in selector.matchers.matchers if matcher.name in labels
    )


def needed(
    groups: Sequence[Rule], record: str, fed: Collection[str], *, select: str = "", exact: bool = True
) -> list[dict[str, Any]]:
    """The rules of `record` that can give what `select` asks for, and those that they read.

    Of many rules of one name those that read, at last, what is fed. `exact` goes by the labels that rules give and
    matchers ask for; otherwise by names alone, for those who are about to change a matcher.
    """
    graph = _Graph(groups, fed, exact=exact)
    asked = pq.parse(f"{record}{select}")
    for rule in graph.named[record]:
        if meets(asked, record, rule.get("labels", {})):
            graph.reaches(rule)
    kept = {number for number, reaches in graph.known.items() if reaches}
    chosen = [{**group, "rules": [rule for rule in group["rules"] if id(rule) in kept]} for group in groups]
    return [group for group in chosen if group["rules"]]


class _Graph:
    """Rules by name, and what they read of each other; `known`: by identity, whether one is of use."""

    def __init__(self, groups: Sequence[Rule], fed: Collection[str], *, exact: bool) -> None:
        self.named: dict[str, list[Rule]] = defaultdict(list)
        for group in groups:
            for rule in group["rules"]:
                self.named[rule["record"]].append(rule)
        self.fed = set(fed)
        self.given = {name for name in fed if _RECORDED.fullmatch(name)}
        self.exact = exact
        self.known: dict[int, bool] = {}

    def reaches(self, rule: Rule) -> bool:
        """Whether a rule reads, at last, what is fed, where recorded series are."""
        if id(rule) not in self.known:
            names = {selector.name for selector in read(rule["expr"])}
            # A selector without a name reads every series.
            direct = not self.given or None in names or bool(self.given & names)
            below = [self.reaches(other) for other in self._below(rule)]
            self.known[id(rule)] = direct or any(below)
        return self.known[id(rule)]

    def _below(self, rule: Rule) -> Iterator[Rule]:
        """Rules that it reads; not those of its own name, whose past it reads."""
        for selector in read(rule["expr"]):
            if selector.name == rule["record"] or selector.name in self.fed:
                continue
            for other in self.named.get(selector.name, ()):
                if meets(selector, selector.name, other.get("labels", {}) if self.exact else {}):
                    yield other
