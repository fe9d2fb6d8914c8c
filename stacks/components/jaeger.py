"""Jaeger: traces over OTLP, on a volume (Badger) with a time to live. One instance.

A span is acknowledged when it is stored: nothing waits in Jaeger, the queue is the collector's.
"""

from typing import Any, Final

from collector.document import to_yaml
from stacks.components import memory
from stacks.deployment import Deployment
from stacks.workload import CONFIG_DIR, Placement, Probe, Workload

_CONFIG: Final = "jaeger.yaml"
_STORE: Final = "traces"
_LARGEST_MIB: Final = 64
_LOCAL_MIB: Final = 384


def config(deployment: Deployment, at: Placement) -> dict[str, Any]:
    """Return Jaeger's configuration: that of a collector whose only exporter is its own store."""
    metrics_host, metrics_port = at.listen("jaeger-metrics").rsplit(":", 1)
    reader = {"pull": {"exporter": {"prometheus": {"host": metrics_host, "port": int(metrics_port)}}}}
    data = at.data_dir("jaeger")
    return {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query", "healthcheckv2"],
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
            "telemetry": {
                "resource": {"service.name": "jaeger"},
                "metrics": {"level": "normal", "readers": [reader]},
                "logs": {"level": "warn"},
            },
        },
        "extensions": {
            "healthcheckv2": {"use_v2": True, "http": {"endpoint": at.listen("jaeger-health")}},
            "jaeger_query": {
                # It would send traces of its own to whoever listens on the port of OTLP, which here is our collector.
                "enable_tracing": False,
                "storage": {"traces": _STORE},
                "grpc": {"endpoint": at.listen("jaeger-grpc")},
                "http": {"endpoint": at.listen("jaeger")},
            },
            "jaeger_storage": {
                "backends": {
                    _STORE: {
                        "badger": {
                            "directories": {"keys": f"{data}/keys", "values": f"{data}/values"},
                            "ephemeral": False,
                            "ttl": {"spans": str(deployment.traces_retention)},
                        }
                    }
                }
            },
        },
        "receivers": {
            "otlp": {
                "protocols": {
                    "grpc": {"endpoint": at.listen("jaeger-otlp"), "max_recv_msg_size_mib": _LARGEST_MIB},
                }
            }
        },
        "exporters": {"jaeger_storage_exporter": {"trace_storage": _STORE}},
    }


def workload(deployment: Deployment, at: Placement) -> Workload:
    """The Jaeger of `environment`."""
    flag = f"--config={CONFIG_DIR}/{_CONFIG}"
    return Workload(
        name="jaeger",
        command=("jaeger", flag),
        checks=(("jaeger", "validate", flag),),
        files={_CONFIG: to_yaml(config(deployment, at))},
        ports=("jaeger", "jaeger-grpc", "jaeger-otlp", "jaeger-health", "jaeger-metrics"),
        metrics_port="jaeger-metrics",
        ready_port="jaeger-health",
        ready_path="/status",
        stop_s=30,
        # Its store makes much garbage: under load twice as much memory would be in use as is needed.
        env=memory.go("jaeger", deployment, _LOCAL_MIB),
        alive=Probe(port="jaeger"),
    )
