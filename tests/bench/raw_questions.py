"""The question a panel asks of recorded series, asked of raw metrics: recorded names are replaced by what records them.

Only for measuring cost. Where a question over time of a recorded series has no cheap equal, the raw side is given the
cheaper one (its value now), so that ratios err against us.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_SELECTOR: Final = re.compile(r"(?<![\w:\[])([a-z]\w*:[\w:]+)(\{[^}]*\})?(\[[^\]]+\])?")
_OVER_TIME: Final = re.compile(r"last_over_time\(([a-z]\w*:[\w:]+(?:\{[^}]*\})?)\[[^\]]+\]\)")
_MATCHER: Final = re.compile(r'(\w+)(=~|!=|!~|=)"((?:[^"\\]|\\.)*)"')
_LONGEST: Final = 2_000_000  # characters; a question that is larger is not one that anybody asks


class NotComparableError(Exception):
    """The question has no equal on raw metrics."""


@dataclass
class RawQuestions:
    """Rewrites PromQL with the recording rules of `groups`."""

    groups: Iterable[Mapping[str, Any]]
    _rules: dict[str, list[tuple[str, Mapping[str, str]]]] = field(init=False)
    _known: dict[tuple[str, str], str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._rules = defaultdict(list)
        for group in self.groups:
            for rule in group["rules"]:
                if "record" in rule:
                    self._rules[rule["record"]].append((rule["expr"], rule.get("labels", {})))

    def rewrite(self, query: str, inside: tuple[str, ...] = ()) -> str:
        """The same question without recorded names; a record that reads itself keeps its own name within."""
        query = _OVER_TIME.sub(r"\1", query)
        raw = _SELECTOR.sub(lambda found: self._inlined(found, inside), query)
        if len(raw) > _LONGEST:
            raise NotComparableError(f"{len(raw)} characters")
        return raw

    def _inlined(self, found: re.Match[str], inside: tuple[str, ...]) -> str:
        name, matchers, window = found.groups()
        if name not in self._rules or name in inside:
            return found[0]
        if window:
            raise NotComparableError(f"{name} over {window}")
        key = (name, matchers or "")
        if key not in self._known:
            self._known[key] = self._expression(name, _MATCHER.findall(matchers or ""), (*inside, name))
        return self._known[key]

    def _expression(self, name: str, matchers: list[tuple[str, str, str]], inside: tuple[str, ...]) -> str:
        fitting = [(expr, labels) for expr, labels in self._rules[name] if _fits(labels, matchers)]
        if not fitting:
            raise NotComparableError(f"no rule records {name} with {matchers}")
        return "(" + " or ".join(_labelled(self.rewrite(expr, inside), labels) for expr, labels in fitting) + ")"


def _fits(labels: Mapping[str, str], matchers: list[tuple[str, str, str]]) -> bool:
    return all(_holds(labels[label], mark, value) for label, mark, value in matchers if label in labels)


def _holds(value: str, mark: str, wanted: str) -> bool:
    equal = re.fullmatch(wanted, value) is not None if mark.endswith("~") else value == wanted
    return equal is not mark.startswith("!")


def _labelled(expr: str, labels: Mapping[str, str]) -> str:
    for label, value in labels.items():
        expr = f'label_replace({expr}, "{label}", "{value}", "", "")'
    return f"({expr})"
