"""How much memory a program written in Go takes before it collects garbage harder: else its limit would end it."""

from typing import Final

from stacks.deployment import Deployment

_SHARE: Final = 0.8


def go(workload: str, deployment: Deployment, local_mib: int) -> dict[str, str]:
    """The variable that says so: most of what a pod may use, or `local_mib` on a person's computer."""
    if deployment.cluster is None:
        return {"GOMEMLIMIT": f"{local_mib}MiB"}
    size = deployment.cluster.sizes[workload]
    return {"GOMEMLIMIT": f"{round(size.memory_mib * size.memory_burst * _SHARE)}MiB"}
