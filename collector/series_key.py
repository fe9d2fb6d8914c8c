"""The series key: all labels of a span or event packed into one attribute, once, and unpacked once per series.

Fifteen labels on every copy of every span cost more than anything else in the KPI branch. So a span is reduced to one
key per family and the numbers that the metrics read; the connectors group by that key; the labels come back on the
few metric points that are left (`series_labels.py`). Not here: which numbers become which metric (`connectors.py`).
"""

from collections.abc import Iterable
from typing import Any, Final

from agentobs.contract import (
    COMMON_LABELS,
    EVENT_LABELS,
    INFERENCE,
    ROLE_TASK,
    Attr,
    Event,
    Family,
    Label,
    Operation,
)
from collector import ottl, unread

# ASCII unit separator: no honest name or version holds it, and a key stays readable in a debugger.
SEPARATOR: Final = "\\x1f"
_MAX_KEY: Final = 2048
_SHARED: Final = 'cache["shared"]'
NIL: Final = "<nil>"  # what Concat makes of an attribute that is not there
OVERSIZED: Final = "oversized"
KPI_JOB: Final = "agentic-kpi"

SPAN_FAMILIES: Final = (Family.TASK, Family.AGENT, Family.LLM, Family.TOOL, Family.MCP_SERVER)
_BY_FREQUENCY: Final = (Family.LLM, Family.TOOL, Family.AGENT, Family.TASK, Family.MCP_SERVER)
# What `span_metrics` puts on the one series into which all go that are over its limit.
_OVERFLOW: Final = "otel.metric.overflow"
# Where the scope waits, on spans that are unread, until it is packed.
_SCOPE: Final = "kpi.scope"
EVENT_FAMILIES: Final[dict[Family, Event]] = {
    Family.EVALUATION: Event.EVALUATION,
    Family.POLICY: Event.POLICY_VIOLATION,
    Family.PROCESS: Event.PROCESS_START,
}
_FROM_RESOURCE: Final[dict[Label, Attr]] = {Label.ENVIRONMENT: Attr.ENVIRONMENT, Label.SERVICE: Attr.SERVICE_NAME}
_FROM_ATTRIBUTE: Final[dict[Label, str]] = {
    Label.AGENT: Attr.AGENT_NAME,
    Label.PROMPT: Attr.PROMPT_NAME,
    Label.PROMPT_VERSION: Attr.PROMPT_VERSION,
    Label.GRAPH_VERSION: Attr.GRAPH_VERSION,
    Label.TOOL: Attr.TOOL_NAME,
    Label.TOOL_VERSION: Attr.TOOL_VERSION,
    Label.MODEL: Attr.REQUEST_MODEL,
    Label.ERROR_CLASS: Label.ERROR_CLASS,
    Label.TRACK: Attr.TRACK,
    Label.WORKFLOW: Attr.WORKFLOW_NAME,
    Label.OUTCOME: Attr.TASK_OUTCOME,
    Label.TASK_TYPE: Attr.TASK_TYPE,
    Label.IS_RETRY: Label.IS_RETRY,
    Label.IS_FALLBACK: Label.IS_FALLBACK,
    Label.PROVIDER: Attr.PROVIDER,
    Label.MCP_METHOD: Attr.MCP_METHOD,
    Label.EVALUATION: Attr.EVALUATION_NAME,
    Label.EVALUATION_SOURCE: Attr.EVALUATION_SOURCE,
    Label.EVALUATION_LABEL: Attr.EVALUATION_LABEL,
    Label.POLICY: Attr.POLICY_ID,
    Label.POLICY_ACTION: Attr.POLICY_ACTION,
    Label.SCOPE: _SCOPE,
}


def source(label: Label) -> tuple[str, str]:
    """Where the value of a label comes from: `resource` or `span`, and the attribute there."""
    if label in _FROM_RESOURCE:
        return "resource", _FROM_RESOURCE[label]
    return "span", _FROM_ATTRIBUTE[label]


def attribute(family: Family) -> str:
    """Name of the attribute that holds the key of `family`."""
    return f"kpi.{family}"


def _span(key: str) -> str:
    return ottl.attribute("span", key)


def member(family: Family) -> str:  # noqa: PLR0911 one condition per family
    """The condition under which a normalised span counts in `family`.

    A tool call over MCP is up to three spans, and only the agent side's INTERNAL span is the call.
    """
    operation = _span(Attr.OPERATION)
    match family:
        case Family.TASK:
            return f'{_span(Attr.SPAN_ROLE)} == "{ROLE_TASK}"'
        case Family.AGENT:
            return f'{operation} == "{Operation.INVOKE_AGENT}"'
        case Family.LLM:
            return "(" + " or ".join(f'{operation} == "{name}"' for name in INFERENCE) + ")"
        case Family.TOOL:
            return f'{operation} == "{Operation.EXECUTE_TOOL}" and span.kind == SPAN_KIND_INTERNAL'
        case Family.MCP_SERVER:
            return f"span.kind == SPAN_KIND_SERVER and {_span(Attr.MCP_METHOD)} != nil"
        case Family.UNREAD:
            return f"{_span(_SCOPE)} != nil"
        case _:
            return f'log.event_name == "{EVENT_FAMILIES[family]}"'


def _part(scope: str, label: Label) -> str:
    if label in _FROM_RESOURCE:
        return ottl.attribute("resource", _FROM_RESOURCE[label])
    return ottl.attribute(scope, _FROM_ATTRIBUTE[label])


def _joined(parts: Iterable[str]) -> str:
    return f'Concat([{", ".join(parts)}], "{SEPARATOR}")'


def _shared(scope: str, labels: tuple[Label, ...]) -> str:
    """The statement that keeps what several families begin with; their keys are made of it."""
    return f"set({scope}.{_SHARED}, {_joined(_part(scope, label) for label in labels)})"


def _pack(scope: str, family: Family, shared: tuple[Label, ...] = ()) -> list[str]:
    target = ottl.attribute(scope, attribute(family))
    begin = [f"{scope}.{_SHARED}"] if shared else []
    own = [_part(scope, label) for label in family.labels[len(shared) :]]
    oversized = SEPARATOR.join([OVERSIZED] * len(family.labels))
    return [
        f"set({target}, {_joined([*begin, *own])}) where {member(family)}",
        # A label of megabytes would live in every table from here to Prometheus.
        f'set({target}, "{oversized}") where {target} != nil and Len({target}) > {_MAX_KEY}',
    ]


def _track_of_resource(scope: str) -> str:
    track = ottl.attribute(scope, Attr.TRACK)
    return ottl.copy(track, ottl.attribute("resource", Attr.TRACK), condition=f"{track} == nil")


def _own_resource() -> list[str]:
    """One resource for all, so that a series has one writer; runs after the last span has read the old one."""
    service = ottl.attribute("resource", Attr.SERVICE_NAME)
    return [ottl.constant(service, KPI_JOB), f'keep_keys(resource.attributes, ["{Attr.SERVICE_NAME}"])']


def _unread() -> dict[str, Any]:
    """What no family has taken and should have. A span that counts leaves at the first condition."""
    free = " and ".join(f"{_span(attribute(family))} == nil" for family in _BY_FREQUENCY)
    scope, name = _span(_SCOPE), "instrumentation_scope.name"
    known = unread.KNOWN_SCOPE.replace("\\", "\\\\")
    return {
        "conditions": [f"{free} and {unread.condition()}"],
        "statements": [
            ottl.constant(scope, unread.OTHER),
            f'set({scope}, {name}) where IsMatch({name}, "{known}")',
            *_pack("span", Family.UNREAD),
        ],
    }


def _keep(scope: str, families: tuple[Family, ...], numbers: tuple[str, ...]) -> str:
    names = ", ".join(f'"{name}"' for name in (*map(attribute, families), *numbers))
    return f"keep_keys({scope}.attributes, [{names}])"


def packer(numbers: tuple[str, ...], event_numbers: tuple[str, ...]) -> dict[str, Any]:
    """Configuration of `transform/kpi`: leave on a span or event only its key and the given numeric attributes.

    `error_class` comes from the normaliser. The statements on the resource are a group of their own: in the first
    group they would run after the first span and take the resource's labels from all others.
    """
    retry, fallback = _span(Label.IS_RETRY), _span(Label.IS_FALLBACK)
    tool_version, server = _span(Attr.TOOL_VERSION), member(Family.MCP_SERVER)
    spans = [
        _track_of_resource("span"),
        # An MCP server's service.version is the version of its tools.
        ottl.copy(tool_version, ottl.attribute("resource", Attr.SERVICE_VERSION), condition=server),
        ottl.constant(retry, "true", f"{_span(Attr.RETRY_ATTEMPT)} > 0"),
        ottl.constant(fallback, "true", f"{_span(Attr.FALLBACK)} == true"),
        _shared("span", COMMON_LABELS),
        *(statement for family in SPAN_FAMILIES for statement in _pack("span", family, COMMON_LABELS)),
    ]
    bare = [
        _keep("span", (*SPAN_FAMILIES, Family.UNREAD), numbers),
        'set(span.name, "")',
        ottl.constant("span.status.message", "", 'span.status.message != ""'),
        # A clock that went backwards is a duration of zero: a negative one would make a counter fall. So is a start
        # that is missing: it would add half a century.
        (
            "set(span.end_time_unix_nano, span.start_time_unix_nano)"
            " where span.end_time_unix_nano < span.start_time_unix_nano or span.start_time_unix_nano <= 0"
        ),
    ]
    logs = [
        _track_of_resource("log"),
        _shared("log", EVENT_LABELS),
        *(statement for family in EVENT_FAMILIES for statement in _pack("log", family, EVENT_LABELS)),
        _keep("log", tuple(EVENT_FAMILIES), event_numbers),
        'set(log.body, "")',
    ]
    return {
        "error_mode": "ignore",
        "trace_statements": [
            {"statements": spans},
            _unread(),
            {"statements": bare},
            {"statements": _own_resource()},
        ],
        "log_statements": [{"statements": logs}, {"statements": _own_resource()}],
    }


def span_keys() -> tuple[str, ...]:
    """The attributes of which a span in the KPI branch has at least one."""
    return tuple(attribute(family) for family in SPAN_FAMILIES)


def not_counted() -> dict[str, Any]:
    """Configuration of `filter/kpi`: spans and records that no KPI reads leave the KPI branch, span events too."""
    spans = " and ".join(f"{_span(key)} == nil" for key in (Attr.OPERATION, Attr.MCP_METHOD, Attr.SPAN_ROLE))
    spans += f" and not {unread.promises()}"
    logs = " and ".join(f'log.event_name != "{event}"' for event in EVENT_FAMILIES.values())
    return {"error_mode": "ignore", "trace_conditions": [spans, "spanevent.name != nil"], "log_conditions": [logs]}


def no_exemplar() -> dict[str, Any]:
    """Configuration of `filter/exemplars`: what is of no family of spans has no exemplars.

    The point that stands for all series beyond the limit stays: it says that there are too many.
    """
    keys = (*span_keys(), _OVERFLOW)
    points = " and ".join(f"{ottl.attribute('datapoint', key)} == nil" for key in keys)
    return {"error_mode": "ignore", "metric_conditions": [points]}


def unkeyed() -> dict[str, Any]:
    """Configuration of `filter/keyed`: drop what belongs to no family, so that it costs nothing further on."""
    keys = [attribute(family) for family in (*_BY_FREQUENCY, Family.UNREAD)]
    spans = " and ".join(f"{_span(key)} == nil" for key in keys)
    return {"error_mode": "ignore", "trace_conditions": [spans]}
