"""What Grafana is provisioned with beside the boards: data sources that lead from one to another, and where boards lie.

Grafana fills in environment variables in these files, so that a dollar of its own is written twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from collector import signals
from collector.signals import Attr, Label

METRICS, LOGS, TRACES = "agentobs-prometheus", "agentobs-loki", "agentobs-tempo"
"""Their uids: the same in every Grafana, so that links between them hold."""
_AROUND: Final = "5m"  # a log line may be written somewhat before or after its span
# Attributes of a span -> labels of KPI series.
_TAGS: Final = {Attr.AGENT_NAME: Label.AGENT, Attr.TOOL_NAME: Label.TOOL, Attr.ENVIRONMENT: Label.ENVIRONMENT}
_RESOURCE: Final = {Attr.SERVICE_NAME: "service_name", Attr.ENVIRONMENT: "deployment_environment_name"}


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

    `logins` maps `prometheus`, `loki` or `tempo` to the login that it wants.
    """

    prometheus: str
    loki: str
    tempo: str
    scrape_interval_s: int
    langfuse: str = ""
    logins: Mapping[str, Login] = field(default_factory=dict)


def data_sources(backends: Backends) -> dict[str, Any]:
    """Metrics, logs and traces, each with its ways to the others."""
    return {
        "apiVersion": 1,
        "prune": True,
        "datasources": [
            _with_login(source, backends.logins.get(source["type"]))
            for source in (_prometheus(backends), _loki(backends), _tempo(backends))
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
    to_trace = {"name": "trace_id", "datasourceUid": TRACES, "urlDisplayLabel": "Trace"}
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


def _loki(backends: Backends) -> dict[str, Any]:
    """The trace id is structured metadata of a line, which derived fields call a label."""
    field = {"name": "trace_id", "matcherType": "label", "matcherRegex": "trace_id", "url": "$${__value.raw}"}
    fields: list[dict[str, str]] = [{**field, "datasourceUid": TRACES, "urlDisplayLabel": "Trace"}]
    if backends.langfuse:
        url = f"{backends.langfuse}/$${{__value.raw}}"
        fields.append({**field, "name": "langfuse", "url": url, "urlDisplayLabel": "Langfuse"})
    return _source("agentobs logs", LOGS, "loki", backends.loki, {"derivedFields": fields})


def _tempo(backends: Backends) -> dict[str, Any]:
    failed = f'{signals.TOOL_CALLS.series}{{$$__tags,{Label.ERROR_CLASS}!="none"}}'
    runs = f"{signals.AGENT_CALLS.series}{{$$__tags}}"
    settings = {
        "tracesToLogsV2": {
            "datasourceUid": LOGS, "spanStartTimeShift": f"-{_AROUND}", "spanEndTimeShift": _AROUND,
            "tags": [{"key": key, "value": value} for key, value in _RESOURCE.items()],
            "filterByTraceID": False, "filterBySpanID": False,
            "customQuery": True, "query": '{$${__tags}} | trace_id="$${__trace.traceId}"',
        },
        "tracesToMetrics": {
            "datasourceUid": METRICS, "spanStartTimeShift": "-30m", "spanEndTimeShift": "30m",
            "tags": [{"key": str(key), "value": str(value)} for key, value in _TAGS.items()],
            "queries": [
                {"name": "Tool calls that fail", "query": f"sum by (tool_name, error_class) (rate({failed}[5m]))"},
                {"name": "Runs of the agent", "query": f"sum by (agent_name, outcome) (rate({runs}[5m]))"},
            ],
        },
        "serviceMap": {"datasourceUid": METRICS},
        "nodeGraph": {"enabled": True},
        "search": {"hide": False},
        "traceQuery": {"timeShiftEnabled": True, "spanStartTimeShift": "-1h", "spanEndTimeShift": "1h"},
        "spanBar": {"type": "Tag", "tag": str(Attr.AGENT_NAME)},
    }  # fmt: skip
    made = _source("agentobs traces", TRACES, "tempo", backends.tempo, settings)
    return {**made, **_langfuse_correlation(backends)}


def _langfuse_correlation(backends: Backends) -> dict[str, Any]:
    if not backends.langfuse:
        return {}
    way = {"type": "external", "label": "Langfuse", "description": "The same trace in Langfuse"}
    config = {"field": "traceID", "target": {"url": f"{backends.langfuse}/$${{__value.raw}}"}}
    return {"correlations": [{**way, "config": config}]}
