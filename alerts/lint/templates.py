"""Checks of the templates in labels and annotations: they are well-formed, and every label they use is there.

Not here: what they render to; rule tests compare the text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from alerts.lint.model import Problem
from alerts.promql import known, shapes
from alerts.promql.ruleset import Rule, RuleSet
from alerts.promql.tree import parse, selectors

_ACTION: Final = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_STRING: Final = re.compile(r'`[^`]*`|"(?:[^"\\]|\\.)*"')
_WORD: Final = re.compile(r"(?<![.$\w])[A-Za-z_]\w*")
_LABEL: Final = re.compile(r"\$labels\.(\w+)")
_ASKED: Final = re.compile(r"\b(?:with|if)\s+\$labels\.(\w+)")
_OF_SAMPLE: Final = re.compile(r"(?<!\$)\.Labels\.(\w+)")
_QUERY: Final = re.compile(r'\bquery\s+(?:\(\s*printf\s+)?(`[^`]*`|"(?:[^"\\]|\\.)*")')
_VERB: Final = re.compile(r"%[-+ #0]*[\d.]*([a-zA-Z%])")
_OPENING: Final = frozenset(("if", "range", "with", "block", "define"))
_KEYWORDS: Final = frozenset((*_OPENING, "else", "end", "template", "break", "continue", "nil", "true", "false"))
# Go's own, then those of Prometheus.
_FUNCTIONS: Final = frozenset((
    "and", "call", "html", "index", "slice", "js", "len", "not", "or", "print", "printf", "println", "urlquery",
    "eq", "ne", "lt", "le", "gt", "ge",
    "query", "first", "label", "value", "sortByLabel", "strvalue", "args", "reReplaceAll", "safeHtml", "match",
    "title", "toUpper", "toLower", "graphLink", "tableLink", "humanize", "humanize1024", "humanizeDuration",
    "humanizePercentage", "humanizeTimestamp", "toTime", "toDuration", "now", "pathPrefix", "externalURL",
    "stripPort", "stripDomain", "parseDuration", "urlQueryEscape",
))  # fmt: skip
# Variables that Prometheus defines; others are defined in the template with :=.
_VARIABLES: Final = frozenset(("$labels", "$value", "$externalLabels", "$externalURL", "$"))
# Labels that recorded series have beside those of the KPI series.
_OF_RULES: Final = frozenset(("kpi", "dimension", "version", "previous"))


def template(rule: Rule, _: RuleSet) -> Iterator[Problem]:
    """Braces and blocks close, functions and variables exist."""
    for where, text in _texts(rule).items():
        outside = _ACTION.sub("", text)
        if "{{" in outside or "}}" in outside:
            yield Problem(f"{where}: braces that do not close", "close each {{ with }}")
            continue
        yield from (Problem(f"{where}: {message}", fix) for message, fix in _actions(text))


def _actions(text: str) -> Iterator[tuple[str, str]]:
    depth, defined = 0, set(_VARIABLES)
    for action in _ACTION.findall(text):
        code = _STRING.sub('""', action).strip()
        words = _WORD.findall(code)
        if not code:
            yield "an empty action", "drop it"
        depth += (bool(words) and words[0] in _OPENING) - (words[:1] == ["end"])
        if depth < 0:
            break
        defined |= set(re.findall(r"(\$\w+)\s*(?:,\s*\$\w+\s*)?:=", code)) | set(re.findall(r",\s*(\$\w+)\s*:=", code))
        for word in words:
            if word not in _KEYWORDS and word not in _FUNCTIONS:
                yield f"no template function {word}", "a function of Prometheus or of Go templates"
        for name in re.findall(r"\$\w*", code):
            if name not in defined:
                yield f"no variable {name}", "$labels, $value or one that the template defines"
    if depth:
        yield "blocks that do not match their ends", "one {{ end }} for each if, with and range"


def template_label(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """A label that the expression does not have renders as nothing."""
    shape = every.shape(rule.tree) if rule.tree is not None else None
    there = frozenset[str]().union(*(each.names for each in shape)) if shape is not None else None
    for where, text in _texts(rule).items():
        code = " ".join(_ACTION.findall(text))
        # One text serves alerts of several labels: what `with` asks for may be missing, if it is a label at all.
        asked = set(_ASKED.findall(code)) & (known.KPI_LABELS | _OF_RULES)
        for label in dict.fromkeys(_LABEL.findall(code)):
            if there is not None and label not in there | asked:
                yield Problem(
                    f"{where}: $labels.{label}, and the expression has only {', '.join(sorted(there)) or 'no labels'}",
                    "keep the label in the expression, or drop it from the text",
                )
        for label in dict.fromkeys(_OF_SAMPLE.findall(code)):
            if label not in known.KPI_LABELS | _OF_RULES:
                yield Problem(f"{where}: .Labels.{label} is no label of our series", "correct the label")


def template_query(rule: Rule, every: RuleSet) -> Iterator[Problem]:
    """A query inside a template is PromQL, and reads what exists."""
    for where, text in _texts(rule).items():
        for action in _ACTION.findall(text):
            for quoted in _QUERY.findall(action):
                yield from (Problem(f"{where}: {message}", fix) for message, fix in _query(quoted[1:-1], every))


def _query(text: str, every: RuleSet) -> Iterator[tuple[str, str]]:
    filled = _VERB.sub(lambda verb: {"q": '"x"', "%": "%"}.get(verb[1], "1"), text)
    try:
        tree = parse(filled)
    except ValueError as error:
        yield f"the query {text} is not PromQL: {error}", "correct the query"
        return
    for selector in selectors(tree):
        name = selector.name or ""
        if not every.is_known(name):
            yield f"the query reads {name or 'every series'}, which nobody records", "name a recorded series"
            continue
        # The label is checked, not its value: that comes from the alert.
        shape = every.series(name)
        for matcher in selector.matchers.matchers:
            if shape and not any(matcher.name in each.by_name for each in shape):
                yield f"the query: {name} has no label {matcher.name}", "correct the label"
        fixed = [each for each in selector.matchers.matchers if each.value != "x"]
        if shape and not shapes.narrowed(shape, fixed):
            yield f"the query {text} matches nothing", "correct the values"


def _texts(rule: Rule) -> Mapping[str, str]:
    return {**{f"label {key}": text for key, text in rule.labels.items()}, **rule.annotations}
