"""The series key: all labels of a span or event packed into one attribute, once, and unpacked once per series.

Fifteen labels on every copy of every span cost more than anything else in the KPI branch. So a span is reduced to one
key per family and the numbers that the metrics read; the connectors group by that key; the labels come back on the
few metric points that are left. Not here: which numbers become which metric (`connectors.py`).
"""

from typing import Any, Final

from agentobs.contract import ABSENT, INFERENCE, ROLE_TASK, Attr, Event, Family, Label, Operation
from collector import ottl, unread

# ASCII unit separator: no honest name or version holds it, and a key stays readable in a debugger.
_SEPARATOR: Final = "\\x1f"
_MAX_KEY: Final = 2048
_NIL: Final = "<nil>"  # what Concat makes of an attribute that is not there
OVERSIZED: Final = "oversized"
MALFORMED: Final = "malformed"
KPI_JOB: Final = "agentic-kpi"

_SPAN_FAMILIES: Final = (Family.TASK, Family.AGENT, Family.LLM, Family.TOOL, Family.MCP_SERVER)
_BY_FREQUENCY: Final = (Family.LLM, Family.TOOL, Family.AGENT, Family.TASK, Family.MCP_SERVER)
# What `span_metrics` puts on the one series into which all go that are over its limit.
_OVERFLOW: Final = "otel.metric.overflow"
# Where the scope waits, on spans that are unread, until it is packed.
_SCOPE: Final = "kpi.scope"
_EVENT_FAMILIES: Final[dict[Family, Event]] = {
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
_DEFAULTS: Final[dict[Label, str]] = {Label.IS_RETRY: "false", Label.IS_FALLBACK: "false"}


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
            return f'log.event_name == "{_EVENT_FAMILIES[family]}"'


def _pack(scope: str, family: Family) -> list[str]:
    target = ottl.attribute(scope, attribute(family))
    parts = [
        ottl.attribute("resource", _FROM_RESOURCE[label])
        if label in _FROM_RESOURCE
        else ottl.attribute(scope, _FROM_ATTRIBUTE[label])
        for label in family.labels
    ]
    oversized = _SEPARATOR.join([OVERSIZED] * len(parts))
    return [
        f'set({target}, Concat([{", ".join(parts)}], "{_SEPARATOR}")) where {member(family)}',
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
        *(statement for family in _SPAN_FAMILIES for statement in _pack("span", family)),
    ]
    bare = [
        _keep("span", (*_SPAN_FAMILIES, Family.UNREAD), numbers),
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
        *(statement for family in _EVENT_FAMILIES for statement in _pack("log", family)),
        _keep("log", tuple(_EVENT_FAMILIES), event_numbers),
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


def _unpack(family: Family) -> dict[str, Any]:
    packed, parts = ottl.attribute("datapoint", attribute(family)), 'datapoint.cache["parts"]'
    labels = [
        f"set({ottl.attribute('datapoint', label)}, {parts}[{position}])"
        for position, label in enumerate(family.labels)
    ]
    flags = [
        ottl.constant(ottl.attribute("datapoint", label), default, f'{ottl.attribute("datapoint", label)} == "{_NIL}"')
        for label, default in _DEFAULTS.items()
        if label in family.labels
    ]
    split = f'set({parts}, Split({packed}, "{_SEPARATOR}"))'
    malformed = _SEPARATOR.join([MALFORMED] * len(family.labels))
    return {
        "conditions": [f"{packed} != nil"],
        "statements": [
            split,
            # A value that holds the separator would put every label after it under the name of its neighbour.
            f'set({packed}, "{malformed}") where Len({parts}) != {len(family.labels)}',
            split,
            *labels,
            *flags,
            f'delete_key(datapoint.attributes, "{attribute(family)}")',
        ],
    }


def _unpacked() -> list[dict[str, Any]]:
    absent = f'replace_all_patterns(datapoint.attributes, "value", "^({_NIL})?$", "{ABSENT}")'
    families = (*_SPAN_FAMILIES, Family.UNREAD, *_EVENT_FAMILIES)
    return [*map(_unpack, families), {"statements": [absent]}]


def unpacker() -> dict[str, Any]:
    """Configuration of the `transform` that turns the keys on metric points back into labels.

    Two keys may differ and yet give equal labels (an absent agent, and an agent named "none"): such points are added
    up, because whatever comes later would drop one of them.
    """
    add_up = {"context": "metric", "statements": ['aggregate_on_attributes("sum")']}
    return {"error_mode": "ignore", "metric_statements": [*_unpacked(), add_up]}


def exemplar_unpacker() -> dict[str, Any]:
    """The same for the metric that carries exemplars: with the family as a label; adding up would drop exemplars."""
    name_family = [
        ottl.constant(
            ottl.attribute("datapoint", Label.FAMILY),
            family,
            f"{ottl.attribute('datapoint', attribute(family))} != nil",
        )
        for family in reversed(_SPAN_FAMILIES)
    ]
    return {"error_mode": "ignore", "metric_statements": [{"statements": name_family}, *_unpacked()]}


def span_keys() -> tuple[str, ...]:
    """The attributes of which a span in the KPI branch has at least one."""
    return tuple(attribute(family) for family in _SPAN_FAMILIES)


def not_counted() -> dict[str, Any]:
    """Configuration of `filter/kpi`: spans and records that no KPI reads leave the KPI branch, span events too."""
    spans = " and ".join(f"{_span(key)} == nil" for key in (Attr.OPERATION, Attr.MCP_METHOD, Attr.SPAN_ROLE))
    spans += f" and not {unread.promises()}"
    logs = " and ".join(f'log.event_name != "{event}"' for event in _EVENT_FAMILIES.values())
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
