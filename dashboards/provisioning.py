"""What Grafana is provisioned with beside the boards: data sources that lead from one to another, and where boards lie.

Grafana fills in environment variables in these files, so that a dollar of its own is written twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agentobs import contract
from agentobs.contract import Attr, Label
from alerts import explore
from collector.stores import GRAFANA, LogKind, Stores, TraceKind
from dashboards.lib.sources import PLUGINS

METRICS: Final = explore.METRICS
"""Uids are the same in every Grafana, so that links between data sources hold."""
_AROUND: Final = "5m"  # a log line may be written somewhat before or after its span
# Attributes of a span -> labels of KPI series.
_TAGS: Final = {Attr.AGENT_NAME: Label.AGENT, Attr.TOOL_NAME: Label.TOOL, Attr.ENVIRONMENT: Label.ENVIRONMENT}
_RESOURCE: Final = {Attr.SERVICE_NAME: "service_name", Attr.ENVIRONMENT: "deployment_environment_name"}
_LINES_OF_TRACE: Final = {
    LogKind.LOKI: {
        "tags": [{"key": key, "value": value} for key, value in _RESOURCE.items()],
        "customQuery": True, "query": '{$${__tags}} | trace_id="$${__trace.traceId}"',
    },
    LogKind.VICTORIALOGS: {"customQuery": True, "query": 'trace_id:="$${__trace.traceId}"'},
}  # fmt: skip
"""How the lines of a trace are asked for."""
_TEMPO: Final = {
    "serviceMap": {"datasourceUid": METRICS},
    "search": {"hide": False},
    "traceQuery": {"timeShiftEnabled": True, "spanStartTimeShift": "-1h", "spanEndTimeShift": "1h"},
}
"""What only Tempo's data source has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Names of the variables from which Grafana reads a login: a bearer token, with `user` a password."""

    token: str
    user: str = ""

    def settings(self) -> dict[str, Any]:
        """Fields of a data source."""
        if self.user:
            basic = {"basicAuth": True, "basicAuthUser": f"${{{self.user}}}"}
            return {**basic, "secureJsonData": {"basicAuthPassword": f"${{{self.token}}}"}}
        return {"secureJsonData": {"httpHeaderValue1": f"Bearer ${{{self.token}}}"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Addresses as Grafana reaches them. `langfuse` is the address that a trace id completes; empty without one.

    `logins` maps `prometheus` or the kind of a store to the login that it wants.
    """

    prometheus: str
    logs: str
    traces: str
    scrape_interval_s: int
    stores: Stores = GRAFANA
    langfuse: str = ""
    logins: Mapping[str, Login] = field(default_factory=dict)


def data_sources(backends: Backends) -> dict[str, Any]:
    """Metrics, logs and traces, each with its ways to the others."""
    return {
        "apiVersion": 1,
        "prune": True,
        "datasources": [
            _with_login(source, backends.logins.get(name))
            for name, source in (
                ("prometheus", _prometheus(backends)),
                (backends.stores.logs, _logs(backends)),
                (backends.stores.traces, _traces(backends)),
            )
        ],
    }


def _with_login(source: dict[str, Any], login: Login | None) -> dict[str, Any]:
    if login is None:
        return source
    # The value of a header is a secret, its name is none.
    header = {} if login.user else {"httpHeaderName1": "Authorization"}
    return {**source, "jsonData": {**source["jsonData"], **header}, **login.settings()}


def boards(folder: str, *, runbooks: str = "", editable: bool) -> dict[str, Any]:
    """Where Grafana finds the boards' files, and those of runbooks in a folder of their own.

    Not editable: what a browser changes would be lost at the next start.
    """
    providers = [_provider("agentobs", folder, editable=editable)]
    if runbooks:
        providers.append(_provider("agentobs-runbooks", runbooks, editable=editable))
    return {"apiVersion": 1, "providers": providers}


def _provider(name: str, path: str, *, editable: bool) -> dict[str, Any]:
    return {
        "name": name, "folder": name, "folderUid": name, "type": "file",
        "disableDeletion": not editable, "allowUiUpdates": editable, "updateIntervalSeconds": 30,
        "options": {"path": path, "foldersFromFilesStructure": False},
    }  # fmt: skip


def _source(name: str, uid: str, kind: str, url: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name, "uid": uid, "type": kind, "access": "proxy", "url": url, "isDefault": kind == "prometheus",
        "editable": False, "jsonData": dict(settings),
    }  # fmt: skip


def _prometheus(backends: Backends) -> dict[str, Any]:
    to_trace = {"name": "trace_id", "datasourceUid": uid(backends.stores.traces), "urlDisplayLabel": "Trace"}
    settings = {
        "httpMethod": "POST",
        "timeInterval": f"{backends.scrape_interval_s}s",
        "prometheusType": "Prometheus",
        "exemplarTraceIdDestinations": [to_trace, *_langfuse_exemplar(backends)],
    }
    return _source("agentobs metrics", METRICS, "prometheus", backends.prometheus, settings)


def _langfuse_exemplar(backends: Backends) -> list[dict[str, str]]:
    if not backends.langfuse:
        return []
    return [{"name": "trace_id", "url": f"{backends.langfuse}/$${{__value.raw}}", "urlDisplayLabel": "Langfuse"}]


def uid(store: TraceKind | LogKind) -> str:
    """The uid of a store's data source."""
    return f"agentobs-{store}"


def _logs(backends: Backends) -> dict[str, Any]:
    """The trace id is structured metadata of a line, which derived fields call a label."""
    field = {"name": "trace_id", "matcherType": "label", "matcherRegex": "trace_id", "url": "$${__value.raw}"}
    fields: list[dict[str, str]] = [{**field, "datasourceUid": uid(backends.stores.traces), "urlDisplayLabel": "Trace"}]
    if backends.langfuse:
        url = f"{backends.langfuse}/$${{__value.raw}}"
        fields.append({**field, "name": "langfuse", "url": url, "urlDisplayLabel": "Langfuse"})
    store = backends.stores.logs
    return _source("agentobs logs", uid(store), PLUGINS[store], backends.logs, {"derivedFields": fields})


def _traces(backends: Backends) -> dict[str, Any]:
    failed = f'{contract.TOOL_CALLS.series}{{$$__tags,{Label.ERROR_CLASS}!="none"}}'
    runs = f"{contract.AGENT_CALLS.series}{{$$__tags}}"
    settings = {
        "tracesToLogsV2": {
            "datasourceUid": uid(backends.stores.logs), "spanStartTimeShift": f"-{_AROUND}",
            "spanEndTimeShift": _AROUND, "filterByTraceID": False, "filterBySpanID": False,
            **_LINES_OF_TRACE[backends.stores.logs],
        },
        "tracesToMetrics": {
            "datasourceUid": METRICS, "spanStartTimeShift": "-30m", "spanEndTimeShift": "30m",
            "tags": [{"key": str(key), "value": str(value)} for key, value in _TAGS.items()],
            "queries": [
                {"name": "Tool calls that fail", "query": f"sum by (tool_name, error_class) (rate({failed}[5m]))"},
                {"name": "Runs of the agent", "query": f"sum by (agent_name, outcome) (rate({runs}[5m]))"},
            ],
        },
        "nodeGraph": {"enabled": True},
        "spanBar": {"type": "Tag", "tag": str(Attr.AGENT_NAME)},
        **(_TEMPO if backends.stores.traces is TraceKind.TEMPO else {"traceIdTimeParams": {"enabled": False}}),
    }  # fmt: skip
    store = backends.stores.traces
    made = _source("agentobs traces", uid(store), PLUGINS[store], backends.traces, settings)
    return {**made, **_langfuse_correlation(backends)}


def _langfuse_correlation(backends: Backends) -> dict[str, Any]:
    if not backends.langfuse:
        return {}
    way = {"type": "external", "label": "Langfuse", "description": "The same trace in Langfuse"}
    config = {"field": "traceID", "target": {"url": f"{backends.langfuse}/$${{__value.raw}}"}}
    return {"correlations": [{**way, "config": config}]}
