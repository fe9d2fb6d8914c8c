"""VictoriaLogs: logs over OTLP, every attribute a field that can be searched. One instance, on a volume."""

from typing import Final

from collector.search.logsql import NO_TEXT
from stacks.components import memory
from stacks.deployment import Deployment
from stacks.workload import Placement, Probe, Workload

_LONGEST: Final = "512KiB"  # a record of the longest line that the collector lets pass, with its attributes
_FULL: Final = 85
_LOCAL_MIB: Final = 256


def workload(deployment: Deployment, at: Placement) -> Workload:
    """The VictoriaLogs of `environment`. On a volume of its own the oldest days go before it is full."""
    full = (f"-retention.maxDiskUsagePercent={_FULL}",) if deployment.cluster else ()
    return Workload(
        name="victorialogs",
        image="victoria-logs",
        command=(
            "victoria-logs",
            f"-httpListenAddr={at.listen('victorialogs')}",
            f"-storageDataPath={at.data_dir('victorialogs')}",
            f"-retentionPeriod={deployment.logs_retention}",
            f"-insert.maxLineSizeBytes={_LONGEST}",
            f"-defaultMsgValue={NO_TEXT}",
            # Pages of the web are no clients.
            "-http.disableCORS",
            "-loggerLevel=WARN",
            *full,
        ),
        checks=(),
        files={},
        ports=("victorialogs",),
        metrics_port="victorialogs",
        ready_port="victorialogs",
        ready_path="/health",
        stop_s=30,
        # Its caches know their limit, what a large search makes of lines does not.
        env=memory.go("victorialogs", deployment, _LOCAL_MIB),
        alive=Probe(port="victorialogs"),
    )
