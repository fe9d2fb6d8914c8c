"""Text of `collector/README.md`: tables made of `agentobs.contract`, between the hand-written parts in `docs/`.

Not here: writing the file (`agentobs render`).
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from agentobs.contract import (
    ABSENT,
    BAGGAGE_KEYS,
    COMMON_LABELS,
    DESCRIPTIONS,
    METRICS,
    SPAN_CALLS,
    Attr,
    ErrorClass,
    Event,
    Family,
    Label,
    Metric,
    MetricKind,
    Place,
)
from collector.redaction import table

_DOCS: Final = Path(__file__).parent / "docs"
_BEFORE: Final = ("start", "plain", "frameworks", "check")
_AFTER: Final = ("prices", "redaction", "sampling", "delivery", "cost", "traps")

_RULES: Final = "<!-- the rules of redaction -->"

_HEAD: Final = """\
# collector: the telemetry contract

Generated from `sdk/agentobs/contract/` and `collector/docs/` by `agentobs render`; do not edit.

Agents send OpenTelemetry spans and events; the collector makes KPI series of them, per agent, tool and version, and
stores traces and logs. This page says what to send and what comes out.
"""
_ATTRIBUTES: Final = f"""\
## Attributes

*Required*: without it a KPI is missing or cannot be told apart by agent, tool or version. *Development*: OpenTelemetry
may still rename it; the collector reads old and new names. *Content* is kept or dropped per environment and store.
These travel as baggage and then stand on every span: {", ".join(f"`{key}`" for key in BAGGAGE_KEYS)}."""
_METRICS: Final = f"""\
## KPI series

All series have the labels {", ".join(f"`{label}`" for label in COMMON_LABELS)}; series of events have no
`{Label.ERROR_CLASS}`. A family's own labels come on top, the same on all of its series, so that they join. A label that
does not apply reads `{ABSENT}`. `job` is the pipeline, `instance` the collector. Histograms are `_bucket`, `_sum` and
`_count`. These names stay, whatever OpenTelemetry renames."""
_EXEMPLARS: Final = f"""\
### Exemplars

`{SPAN_CALLS.series}`, with the labels of the family that its label `{Label.FAMILY}` names, counts the calls of all
families of spans once more and carries exemplars that lead to traces. A restart of the collector can lose some of its
counts, so KPIs read the series above."""
_LABEL_RULES: Final = """\
## Label rules

Never a label: {never}, content, error messages.
Names are short lists that somebody keeps, versions are those that are deployed: every combination is a series. A span
whose labels exceed 2 KiB together counts under `oversized`.

`error_class` is made of `error.type`, the exception event, the status message and, for tools, the result:"""
_TITLES: Final[dict[Place, str]] = {
    Place.RESOURCE: "Resource: the program",
    Place.EVERY: "Every span and event",
    Place.TASK: "Task span",
    Place.AGENT: "Agent span",
    Place.MODEL: "Model call span",
    Place.TOOL: "Tool call span",
    Place.MCP: "MCP spans",
    Place.FAILED: "Failed spans",
    Place.EVALUATION: f"Events: `{Event.EVALUATION}`",
    Place.POLICY: f"Events: `{Event.POLICY_VIOLATION}`",
}
_WHICH: Final[dict[Place, str]] = {
    Place.TASK: "One per request of a user; `gen_ai.operation.name` is `invoke_workflow` or `invoke_agent`.",
    Place.AGENT: "`gen_ai.operation.name` is `invoke_agent`.",
    Place.MODEL: "`gen_ai.operation.name` is `chat`, `text_completion` or `generate_content`.",
    Place.TOOL: "`gen_ai.operation.name` is `execute_tool` and the kind INTERNAL; one span per attempt.",
    Place.MCP: "Spans of the protocol; a SERVER span counts for the MCP server, no other counts.",
}
_ERRORS: Final[dict[ErrorClass, str]] = {
    ErrorClass.NONE: "no failure",
    ErrorClass.TIMEOUT: "`TimeoutError`, `httpx.ReadTimeout`, `504`, `-32001`, a message that says so",
    ErrorClass.RATE_LIMITED: "`openai.RateLimitError`, `ThrottlingException`, `429`, `529`, quota, overloaded",
    ErrorClass.CANCELLED: "`asyncio.CancelledError`, `GeneratorExit`, aborted",
    ErrorClass.INVALID_INPUT: "`ValueError`, `ValidationError`, `400`, `422`, `-32602`",
    ErrorClass.TOOL_ERROR: "`tool_error`, an MCP result with `isError`, a result that begins with an error text",
    ErrorClass.BLOCKED: "a policy refused the call: `RefusedError`, `-32010`, `-32015` to `-32018`",
    ErrorClass.OTHER: "every other failure",
}


def render() -> str:
    """The whole page."""
    known = {*_BEFORE, *_AFTER}
    more = sorted(path.stem for path in _DOCS.glob("*.md") if path.stem not in known)
    sections = [_HEAD, *_written(_BEFORE), _attributes(), _metrics(), _labels(), *_written([*_AFTER, *more])]
    return "\n".join(section.strip("\n") + "\n" for section in sections)


def _written(names: Iterable[str]) -> list[str]:
    paths = (_DOCS / f"{name}.md" for name in names)
    return [_filled(_demoted(path.read_text(encoding="utf-8"))) for path in paths if path.exists()]


def _filled(text: str) -> str:
    """A hand-written part with the table that it asks for."""
    return text.replace(_RULES, _table(table.HEADS, table.rows())) if _RULES in text else text


def _demoted(text: str) -> str:
    """Headings one level down, because a part of its own begins with the first level; code stays as it is."""
    code = text.split("```")
    return "```".join(
        part if number % 2 else re.sub(r"^#", "##", part, flags=re.MULTILINE) for number, part in enumerate(code)
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"

    return "\n".join([line(heads), "|" + "---|" * len(heads), *map(line, rows)])


def _attributes() -> str:
    parts = [_ATTRIBUTES]
    for place, title in _TITLES.items():
        here = [attr for attr in Attr if DESCRIPTIONS[attr].places[0] is place]
        elsewhere = [attr for attr in Attr if place in DESCRIPTIONS[attr].places[1:] and attr is not Attr.OPERATION]
        also = f"Also {_and(elsewhere)}." if elsewhere else ""
        intro = " ".join(text for text in (_WHICH.get(place, ""), also) if text)
        parts.append("\n\n".join(part for part in (f"### {title}", intro, _attribute_table(here)) if part))
    return "\n\n".join(parts)


def _attribute_table(attributes: Sequence[Attr]) -> str:
    if not attributes:
        return ""
    rows = [
        (
            f"`{attr}`",
            d.meaning,
            d.type,
            f"`{d.example}`",
            f"**{d.need}**" if d.need == "required" else d.need,
            d.source,
        )
        for attr in attributes
        for d in (DESCRIPTIONS[attr],)
    ]
    return _table(("attribute", "meaning", "type", "example", "need", "defined by"), rows)


def _metrics() -> str:
    parts = [_METRICS]
    for family in Family:
        metrics = [metric for metric in METRICS if metric.family is family]
        own = [label for label in family.labels if label not in COMMON_LABELS]
        labels = f"Own labels: {_and(own)}." if own else ""
        table = _table(("series", "meaning", "type, unit", "made of"), map(_metric, metrics))
        parts.append("\n\n".join(part for part in (f"### {family}", labels, table) if part))
    parts.append(_EXEMPLARS)
    return "\n\n".join(parts)


def _metric(metric: Metric) -> tuple[str, ...]:
    extra = f" (label {_and(metric.extra)})" if metric.extra else ""
    kind = (
        "counter" if metric.kind is MetricKind.COUNTER else f"histogram {metric.buckets[0]:g} to {metric.buckets[-1]:g}"
    )
    return f"`{metric.series}`", metric.meaning + extra, f"{kind}, `{metric.unit}`", metric.source


def _labels() -> str:
    never = [attr for attr in Attr if "never a label" in DESCRIPTIONS[attr].meaning]
    classes = _table(("error_class", "for example"), [(f"`{name}`", text) for name, text in _ERRORS.items()])
    return f"{_LABEL_RULES.format(never=_and(never))}\n\n{classes}"


def _and(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
