"""What do I do? A board per alert: its runbook beside live panels, narrowed to the alert's labels.

The text is handed in, as this folder knows no pages; the queries are the alert's own quick checks.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import promql_parser as pq

from agentobs.contract import VERSION_LABELS, Label
from alerts import instances
from alerts.alerting import Alert, command
from alerts.alerting.model import runbook_slug
from alerts.catalogue import Unit
from alerts.evidence import Mark, QuickCheck, identity, quick_checks, rules_of
from alerts.explore import METRICS
from alerts.promql import tree
from collector.search import LineSearch, SpanSearch
from dashboards.lib import opening, thresholds
from dashboards.lib.links import HOME
from dashboards.lib.model import (
    Board,
    Colour,
    Format,
    LineQuery,
    LogList,
    Panel,
    Prom,
    Section,
    StateTimeline,
    Step,
    Text,
    TimeSeries,
    TraceList,
    TraceQuery,
    Variable,
)
from dashboards.lib.panels import legend

_FIRST: Final = "First"
_PAGE: Final = re.compile(r"\]\(([\w-]+)\.md(?:#[\w-]+)?\)")
_HALF, _WHOLE = 12, 24
_LINE: Final = 80  # characters on a line of half a board
_ROWS: Final = {_HALF: (8, 22), _WHOLE: (8, 60)}  # beside panels a long text is scrolled
_OF_VERSION: Final = "{{dimension}} {{agent_name}}{{tool_name}}{{workflow}} {{version}}"
_TEXT: Final = "The runbook of this alert; the same text as in the other forms of the runbooks."
_NO_TEXT: Final = "Nobody has written it yet."
_WITHOUT_NUMBERS: Final = "Nothing was recorded for what is chosen in this time range."


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as a board shows it: its sections in order, heading -> Markdown. `name` is the alert's or the slug."""

    name: str
    title: str
    sections: Mapping[str, str]


def alert(page: Page) -> Board:
    """The board of an alert. Raises KeyError if there is none of that name."""
    rule = rules_of(page.name)[0]
    checks = quick_checks(page.name, Mark.PATTERN)
    return Board(
        slug=runbook_slug(page.name),
        title=f"Runbook: {page.title}",
        question=f"{page.title} fires: is it true, what broke, and what do I do?",
        variables=tuple(_variables(rule)),
        sections=tuple(_sections(page, rule, checks)),
        next=tuple(dict.fromkeys((rule.board, "fleet", "versions"))),
        tags=("runbook",),
    )


def text(page: Page) -> Board:
    """The board of a procedure, or of a page of the guide: nothing but its text."""
    # Without panels there is no choice of a data source: the one that Grafana is provisioned with.
    page = _with_links(page, frozenset(), METRICS)
    panels = tuple(_text(title, {title: body}, width=_WHOLE) for title, body in page.sections.items())
    return Board(
        slug=runbook_slug(page.name),
        title=f"Runbook: {page.title}",
        question=page.title,
        variables=(),
        sections=(Section(title=page.title, panels=panels),),
        next=("fleet",),
        tags=("runbook",),
    )


def _sections(page: Page, rule: Alert, checks: tuple[QuickCheck, ...]) -> Iterator[Section]:
    versions = [each for each in checks if "version" in each.title.lower()]
    page = _with_links(page, _choices(rule))
    page = replace(page, sections={_FIRST: _first(rule.name), **page.sections})
    found = (
        ("Is it true?", (_part(page, _FIRST, "Meaning", "Impact"), _value(rule, checks))),
        ("What broke?", (_part(page, "Diagnosis"), *(_by_version(rule, each) for each in versions[:1]))),
        ("What do I do?", (_part(page, "Mitigation"), _part(page, "Verify", "Do not", "Escalation"))),
        ("Where does it show?", (*_evidence(checks), _firing(rule))),
    )
    return (Section(title=title, panels=panels) for title, panels in found)


def _first(name: str) -> str:
    """The line to type, not filled in: Grafana quotes no name for a shell, as the alert's message does."""
    values = {label: label.upper() for label in identity(name)}
    return (
        "Take this line from the alert's message, which has it filled in. It runs all checks of this page, then asks"
        f" for the diagnosis:\n\n```bash\n{command.line(name, values)}\n```"
    )


def _with_links(page: Page, variables: frozenset[str], source: str = opening.CHOSEN) -> Page:
    """The page with a link below each query, which opens it for what is chosen above."""
    return replace(
        page, sections={title: opening.below(body, variables, source) for title, body in page.sections.items()}
    )


def _part(page: Page, *titles: str) -> Text:
    return _text(", ".join(titles), {title: page.sections.get(title, _NO_TEXT) for title in titles})


def _text(title: str, parts: Mapping[str, str], width: int = _HALF) -> Text:
    whole = "\n\n".join(f"## {name}\n\n{body}" for name, body in parts.items()) if len(parts) > 1 else parts[title]
    return Text(
        title=title,
        description=_TEXT,
        no_data=_NO_TEXT,
        markdown=_PAGE.sub(lambda found: f"]({HOME}{runbook_slug(found[1])})", whole),
        width=width,
        height=_height(whole, width),
    )


def _height(markdown: str, width: int) -> int:
    """Rows for a text: a line of text is two thirds of a row, a gap half a line. What is longer can be scrolled."""
    lines, code = 2.0, False
    for line in markdown.splitlines():
        code ^= line.lstrip().startswith("```")
        lines += 1 if code else len(line) * _HALF / (_LINE * width) if line else 0.6
    low, high = _ROWS[width]
    return max(low, min(high, 2 + round(lines * 2 / 3)))


def _variables(rule: Alert) -> Iterator[Variable]:
    """One for each label of the alert, of the name that links of alerts give it."""
    series = {selector.name: None for each in rules_of(rule.name) for selector in tree.selectors(_tree(each))}
    for label in identity(rule.name):
        sources = [name for name in series if name and _has(name, label)]
        if sources:
            yield Variable(
                name=label,
                title=label.replace("_", " ").capitalize(),
                series=sources[0],
                label=label,
                where={Label.ENVIRONMENT: Label.ENVIRONMENT}
                if label != Label.ENVIRONMENT and _has(sources[0], Label.ENVIRONMENT) and Label.ENVIRONMENT in rule.by
                else {},
                all=label != Label.ENVIRONMENT,
                # An alert is about one; and of one alone Grafana writes the name into an address as it is.
                single=True,
            )


def _choices(rule: Alert) -> frozenset[str]:
    return frozenset(each.name for each in _variables(rule))


def _tree(rule: Alert) -> pq.Expr:
    return tree.parse(rule.expr)


def _has(series: str, label: str) -> bool:
    shape = instances.every_rule().series(series)
    # Of programs that are not ours nobody knows the labels; none has ours.
    return label not in set(Label) if shape is None else any(label in variant.by_name for variant in shape)


def _value(rule: Alert, checks: tuple[QuickCheck, ...]) -> TimeSeries:
    values = [check for check in checks if check.value]
    threshold = next((check for check in values if check.threshold is not None), None)
    beside = [check for check in checks if check.title.startswith("Its threshold")]
    lines = [*values, *beside] or [checks[0]]
    names = legend(rule.by)
    return TimeSeries(
        title="The value against its threshold",
        description="What the alert compares, for what is chosen above. Beyond the dashed line it counts as trouble.",
        no_data=f"{_WITHOUT_NUMBERS} The alert cannot fire then, unless it is about something that is missing.",
        queries=tuple(Prom(expr=check.text, legend=_legend(check, names)) for check in lines),
        format=_format(rule),
        steps=_steps(threshold) if threshold else (),
        links=(opening.link([check.text for check in lines], _choices(rule)),),
        width=_HALF,
        minimum=None,
    )


def _legend(check: QuickCheck, names: str) -> str:
    return f"{names or 'value'}{check.title.removeprefix('The value').removeprefix('Its threshold')}" + (
        " threshold" if check.title.startswith("Its threshold") else ""
    )


def _format(rule: Alert) -> Format:
    kpi = rule.kpi
    if kpi is None or " / " in rule.expr:
        return Format.SCORE
    return thresholds.FORMATS[kpi.unit] if kpi.unit is not Unit.TOKENS else Format.COUNT


def _steps(check: QuickCheck) -> tuple[Step, ...]:
    low, high = (Colour.GOOD, Colour.BAD) if check.above else (Colour.BAD, Colour.GOOD)
    return (Step(None, low), Step(check.threshold, high))


def _by_version(rule: Alert, check: QuickCheck) -> TimeSeries:
    return TimeSeries(
        title=check.title,
        description=check.shows,
        no_data="No version with enough events ran in this time range.",
        queries=(Prom(expr=check.text, legend=_OF_VERSION if "version:" in check.text else legend(VERSION_LABELS)),),
        format=_format(rule),
        links=(opening.link([check.text], _choices(rule)),),
        width=_HALF,
        minimum=None,
    )


def _evidence(checks: tuple[QuickCheck, ...]) -> Iterator[Panel]:
    for check in checks:
        match check.query:
            case SpanSearch():
                no_data, query = "No kept trace is like that in this time range.", TraceQuery(check.query)
                yield TraceList(
                    title="Traces", description=check.shows, no_data=no_data, queries=(query,), width=_HALF, height=9
                )
            case LineSearch():
                no_data, line = "No line is like that in this time range.", LineQuery(check.query)
                yield LogList(
                    title="Lines", description=check.shows, no_data=no_data, queries=(line,), width=_HALF, height=9
                )
            case _:
                continue


def _firing(rule: Alert) -> StateTimeline:
    labels = ", ".join(("severity", "alertstate", *rule.by))
    # Of all environments at once: a bar names its own.
    where = f"{{{{{Label.ENVIRONMENT}}}}} " if Label.ENVIRONMENT in rule.by else ""
    return StateTimeline(
        title="Where it fires",
        description="Every instance of this alert, whatever is chosen above: one, or many that share something.",
        no_data="It did not fire in this time range.",
        queries=(
            Prom(
                expr=f'max by ({labels}) (ALERTS{{alertname="{rule.name}"}})',
                legend=f"{where}{legend(rule.by)} {{{{alertstate}}}}",
            ),
        ),
        states={1: ("is so", Colour.BAD)},
        width=_WHOLE,
        height=7,
    )
