"""The KPI branch: spans and events packed into keys, a queue on disk, counted, and the series to Prometheus.

Not here: what a key is made of (`series_key`) and becomes (`series_labels`), what is counted (`connectors`).
"""

from typing import Any, Final

from agentobs.contract import Attr
from collector import connectors, delivery, exporters, redaction, series_key, series_labels
from collector.parts import Parts, pipeline
from collector.profile import Profile

SPANS: Final = "forward/kpi"
EVENTS: Final = "forward/events"
_DOOR: Final = "otlp/kpi"
_QUEUE: Final = "otlp_grpc/kpi"
_COUNTERS: Final = "signal_to_metrics/kpi"
_EXEMPLARS: Final = "span_metrics/exemplars"
# d2c forgets a series after this, far inside the five minutes that Prometheus looks back: the first point after a
# pause then starts from zero again, with a zero point in front, and a window that covers only the new burst reads it.
_FORGET_IDLE: Final = "2m"
_MS_IN_NS: Final = 1_000_000


def _upsert(key: str, value: str) -> dict[str, str]:
    return {"key": key, "action": "upsert", "value": value}


def _delete(key: str) -> dict[str, str]:
    return {"key": key, "action": "delete"}


def _processors(profile: Profile) -> dict[str, Any]:
    start = "datapoint.start_time_unix_nano"
    return {
        "filter/kpi": series_key.not_counted(),
        "transform/kpi": series_key.packer(connectors.SPAN_NUMBERS, connectors.EVENT_NUMBERS),
        "filter/keyed": series_key.unkeyed(),
        "filter/exemplars": series_key.no_exemplar(),
        "transform/family": series_labels.family_of_exemplars(),
        "transform/labels": series_labels.unpacker(),
        "transform/equal": series_labels.adder(),
        # job="agentic-kpi", instance=<collector>: one writer per series. Two writers give no error, they give zig-zag.
        "resource/kpi": {
            "attributes": [
                _upsert(Attr.SERVICE_NAME, series_key.KPI_JOB),
                _upsert(Attr.SERVICE_INSTANCE_ID, profile.instance),
                _delete("signal_to_metrics.service.instance.id"),
                _delete("signal_to_metrics.service.name"),
                _delete("signal_to_metrics.service.namespace"),
            ]
        },
        # A start right before the first point makes Prometheus put a zero there: the first increment counts, and a
        # restart is seen as one even when the new value is above the old.
        "transform/start": {
            "error_mode": "ignore",
            "metric_statements": [f"set({start}, datapoint.time_unix_nano - {_MS_IN_NS}) where {start} == 0"],
        },
        "delta_to_cumulative": {"max_stale": _FORGET_IDLE, "max_streams": profile.max_series},
    }


def parts(profile: Profile) -> Parts:
    """Everything from the forwards `SPANS` and `EVENTS` on."""
    to_prometheus, redacting = exporters.prometheus(profile), redaction.kpi_processors()
    to_series = ["transform/labels", "transform/equal", "resource/kpi", "transform/start", "delta_to_cumulative"]
    of_exemplars = ["filter/exemplars", "transform/family", "transform/labels", "resource/kpi"]
    packing = ["filter/kpi", "transform/kpi"]
    return {
        "receivers": {_DOOR: {"protocols": {"grpc": {"endpoint": profile.listen.kpi, "max_recv_msg_size_mib": 64}}}},
        "processors": {**_processors(profile), **redacting},
        "connectors": {
            SPANS: {},
            EVENTS: {},
            _COUNTERS: connectors.values(),
            _EXEMPLARS: connectors.exemplars(profile.exemplar_flush_s),
        },
        "exporters": {
            _QUEUE: {
                "endpoint": profile.listen.kpi,
                "tls": {"insecure": True},
                "compression": "none",
                **delivery.kpi_queue(profile.kpi_flush_s),
            },
            **to_prometheus,
        },
        "pipelines": {
            "traces/pack": pipeline([SPANS], [*packing, "filter/keyed", *redacting], [_QUEUE]),
            "logs/pack": pipeline([EVENTS], [*packing, *redacting], [_QUEUE]),
            "traces/count": pipeline([_DOOR], [], [_COUNTERS, _EXEMPLARS]),
            "logs/count": pipeline([_DOOR], [], [_COUNTERS]),
            "metrics/kpi": pipeline([_COUNTERS], to_series, to_prometheus),
            "metrics/exemplars": pipeline([_EXEMPLARS], of_exemplars, to_prometheus),
        },
    }
