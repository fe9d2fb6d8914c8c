"""KPI labels: from attributes of spans and log records to the labels of `signals.Label`, and nothing else.

The KPI branch carries only labels and the numbers that the connectors read: cheap copies, no content.
"""

from typing import Any, Final

from collector import ottl
from collector.signals import Attr, Event, Label

# Label <- attribute on the span or the record. Version-like values may arrive as numbers, hence String().
_FROM_ATTRIBUTE: Final[dict[Label, Attr]] = {
    Label.AGENT: Attr.AGENT_NAME,
    Label.PROMPT: Attr.PROMPT_NAME,
    Label.PROMPT_VERSION: Attr.PROMPT_VERSION,
    Label.GRAPH_VERSION: Attr.GRAPH_VERSION,
    Label.TOOL: Attr.TOOL_NAME,
    Label.TOOL_VERSION: Attr.TOOL_VERSION,
    Label.MODEL: Attr.REQUEST_MODEL,
    Label.TRACK: Attr.TRACK,
}
_SPAN_ONLY: Final[dict[Label, Attr]] = {
    Label.PROVIDER: Attr.PROVIDER,
    Label.WORKFLOW: Attr.WORKFLOW_NAME,
    Label.OUTCOME: Attr.TASK_OUTCOME,
    Label.TASK_TYPE: Attr.TASK_TYPE,
    Label.MCP_METHOD: Attr.MCP_METHOD,
}
_LOG_ONLY: Final[dict[Label, Attr]] = {
    Label.EVALUATION: Attr.EVALUATION_NAME,
    Label.EVALUATION_SOURCE: Attr.EVALUATION_SOURCE,
    Label.EVALUATION_LABEL: Attr.EVALUATION_LABEL,
    Label.POLICY: Attr.POLICY_ID,
    Label.POLICY_ACTION: Attr.POLICY_ACTION,
}
_FROM_RESOURCE: Final[dict[Label, Attr]] = {
    Label.ENVIRONMENT: Attr.ENVIRONMENT,
    Label.SERVICE: Attr.SERVICE_NAME,
}
_NUMBERS: Final = (r"gen_ai\\.usage\\..*", r"agentic\\.(cost|plan|task)\\..*")
_VERSIONS: Final = (Label.PROMPT_VERSION, Label.GRAPH_VERSION, Label.TOOL_VERSION)


def _copies(scope: str, sources: dict[Label, Attr]) -> list[str]:
    return [
        ottl.copy(ottl.attribute(scope, label), ottl.attribute(scope, attr), as_string=label in _VERSIONS)
        for label, attr in sources.items()
    ]


def _from_resource(scope: str) -> list[str]:
    copies = [
        ottl.copy(ottl.attribute(scope, label), ottl.attribute("resource", attr))
        for label, attr in _FROM_RESOURCE.items()
    ]
    track = ottl.attribute(scope, Label.TRACK)
    return [*copies, ottl.copy(track, ottl.attribute("resource", Attr.TRACK), condition=f"{track} == nil")]


def _flags() -> list[str]:
    retry, fallback = ottl.attribute("span", Label.IS_RETRY), ottl.attribute("span", Label.IS_FALLBACK)
    return [
        ottl.constant(retry, "false"),
        ottl.constant(retry, "true", f"{ottl.attribute('span', Attr.RETRY_ATTEMPT)} > 0"),
        ottl.constant(fallback, "false"),
        ottl.constant(fallback, "true", f"{ottl.attribute('span', Attr.FALLBACK)} == true"),
    ]


def _server_tool_version() -> str:
    """An MCP server's `service.version` is the version of its tools."""
    condition = f"span.kind == SPAN_KIND_SERVER and {ottl.attribute('span', Attr.MCP_METHOD)} != nil"
    target = ottl.attribute("span", Label.TOOL_VERSION)
    return ottl.copy(target, ottl.attribute("resource", Attr.SERVICE_VERSION), condition=condition)


def _keep_on_spans() -> str:
    labels = (*_FROM_ATTRIBUTE, *_SPAN_ONLY, *_FROM_RESOURCE, Label.ERROR_CLASS, Label.IS_RETRY, Label.IS_FALLBACK)
    structural = (Attr.OPERATION, Attr.SPAN_ROLE)
    escaped = [key.replace(".", r"\\.") for key in (*labels, *structural)]
    return f'keep_matching_keys(span.attributes, "^({"|".join([*escaped, *_NUMBERS])})$")'


def processor() -> dict[str, Any]:
    """Configuration of the `transform/kpi` processor.

    `keep_keys` on the resource has a statement group of its own: in the first group it would strip the resource
    after the first span and lose labels on all others (telemetry contract P22).
    """
    keep = f'keep_keys(resource.attributes, ["{Attr.SERVICE_NAME}", "{Attr.ENVIRONMENT}"])'
    spans = [
        *_copies("span", _FROM_ATTRIBUTE | _SPAN_ONLY),
        *_from_resource("span"),
        _server_tool_version(),
        *_flags(),
        _keep_on_spans(),
    ]
    logs = [*_copies("log", _FROM_ATTRIBUTE | _LOG_ONLY), *_from_resource("log")]
    return {
        "error_mode": "ignore",
        "trace_statements": [{"statements": spans}, {"statements": [keep]}],
        "log_statements": [{"statements": logs}, {"statements": [keep]}],
    }


def span_filter() -> dict[str, Any]:
    """Configuration of `filter/kpi`: spans that no KPI reads leave the KPI branch."""
    keys = (Attr.OPERATION, Attr.MCP_METHOD, Attr.SPAN_ROLE)
    drop = ottl.all_of(*(f"{ottl.attribute('span', key)} == nil" for key in keys))
    return {"error_mode": "ignore", "trace_conditions": [drop]}


def event_filter() -> dict[str, Any]:
    """Configuration of `filter/events`: only the log events that feed KPIs stay."""
    drop = ottl.all_of(*(f'log.event_name != "{event}"' for event in Event))
    return {"error_mode": "ignore", "log_conditions": [drop]}
