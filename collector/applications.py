"""Metrics that applications send themselves: they pass to Prometheus beside the KPIs, and may spoil nothing there.

Names and jobs that the platform reads are refused; service and environment become labels, so that two of them never
share a series. Deltas are summed up by Prometheus. Exponential histograms take a way of their own, one point per
request: Prometheus refuses the whole request in which one contradicts itself. Nothing that is published bounds the
number of series, so an alert counts them per service, and `Profile.cut_off` refuses all of a sender. Not here: KPI
series (`series_key.py`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from agentobs.contract import ABSENT, Attr, Label
from collector import ottl, repair, tenant
from collector.parts import Parts, pipeline
from collector.series_key import KPI_JOB

REFUSED: Final = "filter/reserved"
"""The step that drops what nobody may send; the collector counts what it drops under this name."""
CUT_OFF: Final = "filter/cut_off"
"""The step that drops all metrics of the senders that the operator cut off, counted apart: that is no mistake."""
EXPORTER: Final = "otlp_http/applications"
ALONE: Final = "otlp_http/exponential"
_LABELS: Final = "transform/applications"
_WAY: Final = "forward/applications"
_MOST_LABELS: Final = 40
_MOST_LABEL: Final = 512  # bytes of one value
# Prometheus turns what is no letter, digit or colon into one underscore, and drops it from the front.
_ODD: Final = "[^a-zA-Z0-9:]"
# Recording rules have a colon. What else the rules and boards of the platform read, by its first word.
_WORDS: Final = (
    "agentic", "ALERTS", "alertmanager", "jaeger", "kube", "loki", "otelcol", "prometheus", "scrape", "tempo", "vl",
)  # fmt: skip
_NAMES: Final = f"^{_ODD}*(?:$|(?:{'|'.join(_WORDS)})(?:{_ODD}|$)|(?:up|target{_ODD}+info){_ODD}*$)|:"
JOBS: Final = (
    KPI_JOB, "agentobs", "alertmanager", "collector", "grafana", "jaeger", "kube-state-metrics", "loki", "pods",
    "prometheus", "tempo", "victorialogs",
)  # fmt: skip
"""The jobs under which the platform's own series are."""
_MINE: Final = "^(?:job|instance|environment|service)$"


def _refused() -> dict[str, Any]:
    service = ottl.attribute("resource", Attr.SERVICE_NAME)
    alone = (
        f'({ottl.attribute("resource", "service.namespace")} == nil or resource.attributes["service.namespace"] == "")'
    )
    jobs = " or ".join(f'{service} == "{job}"' for job in JOBS)
    kinds = " or ".join(
        f"metric.type == METRIC_DATA_TYPE_{kind}" for kind in ("SUM", "HISTOGRAM", "EXPONENTIAL_HISTOGRAM")
    )
    unspecified = f"metric.aggregation_temporality == AGGREGATION_TEMPORALITY_UNSPECIFIED and ({kinds})"
    return {
        "error_mode": "ignore",
        "metric_conditions": [
            f'IsMatch(metric.name, "{_NAMES}")',
            'Decode(metric.name, "utf-8") != metric.name or Decode(metric.unit, "utf-8") != metric.unit',
            f"{alone} and ({jobs})",
            unspecified,
            f"Len(datapoint.attributes) > {_MOST_LABELS}",
        ],
    }


def _cut_off(senders: Iterable[str]) -> dict[str, Any]:
    """`senders` are services, or tenants with the sign that ends one in a token: `shop`, `team-a~`."""
    said, whose = ottl.attribute("resource", Attr.SERVICE_NAME), ottl.attribute("resource", tenant.KEY)
    conditions = [
        f'{whose} == "{sender.removesuffix(tenant.END)}"' if sender.endswith(tenant.END) else f'{said} == "{sender}"'
        for sender in senders
    ]
    return {"error_mode": "ignore", "metric_conditions": conditions}


def _labels() -> dict[str, Any]:
    """Whose series it is. Labels that the sender made of the same names step aside, as in a scrape."""
    own = ottl.attribute("resource", Attr.SERVICE_INSTANCE_ID)
    pod, host, process = (ottl.attribute("resource", key) for key in ("k8s.pod.uid", "host.name", "process.pid"))
    service, environment = (ottl.attribute("datapoint", label) for label in (Label.SERVICE, Label.ENVIRONMENT))
    said = [
        *repair.attributes("datapoint"),
        f'replace_all_patterns(datapoint.attributes, "key", "{_MINE}", "exported_$0")',
        # Prometheus would take the first for its own, and the second for a name of the platform.
        'delete_matching_keys(datapoint.attributes, "^[^a-zA-Z0-9]{2}")',
        f"truncate_all(datapoint.attributes, {_MOST_LABEL})",
        ottl.constant(service, ABSENT),
        ottl.copy(service, ottl.attribute("resource", Attr.SERVICE_NAME)),
        ottl.constant(environment, ABSENT),
        ottl.copy(environment, ottl.attribute("resource", Attr.ENVIRONMENT)),
    ]
    whose = [
        *repair.attributes("resource"),
        ottl.copy(own, pod, condition=f"{own} == nil"),
        f'set({own}, Concat([{host}, {process}], "/")) where {own} == nil and {host} != nil and {process} != nil',
    ]
    return {
        "error_mode": "ignore",
        "metric_statements": [{"statements": whose}, {"statements": said}],
    }


def _only(exponential: bool) -> dict[str, Any]:  # noqa: FBT001 one of two
    sign = "!=" if exponential else "=="
    return {"error_mode": "ignore", "metric_conditions": [f"metric.type {sign} METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM"]}


def parts(
    processors: Iterable[str],
    masking: Mapping[str, Any],
    exporters: Mapping[str, Any],
    alone: Mapping[str, Any],
    cut_off: Iterable[str] = (),
) -> Parts:
    """Their pipelines behind `processors`; `masking` come last, `alone` are the exporters of exponential histograms."""
    cut = {CUT_OFF: _cut_off(cut_off)} if cut_off else {}
    steps = [*cut, REFUSED, _LABELS, *masking]
    return {
        "processors": {
            **cut,
            REFUSED: _refused(),
            _LABELS: _labels(),
            **masking,
            "filter/plain": _only(exponential=False),
            "filter/exponential": _only(exponential=True),
        },
        "connectors": {_WAY: {}},
        "exporters": {**exporters, **alone},
        "pipelines": {
            "metrics/app": pipeline(["otlp"], [*processors, *steps], [_WAY]),
            "metrics/plain": pipeline([_WAY], ["filter/plain"], exporters),
            "metrics/exponential": pipeline([_WAY], ["filter/exponential"], alone),
        },
    }
