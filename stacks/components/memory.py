"""How much memory a program written in Go takes before it collects garbage harder: else its limit would end it."""

from typing import Final

from stacks.deployment import Deployment

_SHARE: Final = 0.8
# Below the 60 % from where on the collector's own limiter turns senders away; up to there garbage may lie four times as
# long as Go lets it, which is a tenth of the processor.
_COLLECTOR_SHARE: Final = 0.55
_COLLECTOR_GARBAGE: Final = "400"


def go(workload: str, deployment: Deployment, local_mib: int) -> dict[str, str]:
    """The variable that says so: most of what a pod may use, or `local_mib` on a person's computer."""
    return {"GOMEMLIMIT": f"{_mib(workload, deployment, local_mib, _SHARE)}MiB"}


def collector(workload: str, deployment: Deployment, local_mib: int) -> dict[str, str]:
    """The same for a collector, with the variable that trades memory which it has for processor time."""
    garbage = {"GOGC": _COLLECTOR_GARBAGE} if deployment.cluster else {}
    return {"GOMEMLIMIT": f"{_mib(workload, deployment, local_mib, _COLLECTOR_SHARE)}MiB", **garbage}


def _mib(workload: str, deployment: Deployment, local_mib: int, share: float) -> int:
    if deployment.cluster is None:
        return local_mib
    size = deployment.cluster.sizes[workload]
    return round(size.memory_mib * size.memory_burst * share)
