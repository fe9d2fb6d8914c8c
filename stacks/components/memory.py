"""How much memory a program written in Go takes before it collects garbage harder: else its limit would end it."""

from typing import Final

from stacks.environments import Environment

_SHARE: Final = 0.8


def go(workload: str, environment: Environment, local_mib: int) -> dict[str, str]:
    """The variable that says so: most of what a pod may use, or `local_mib` on a person's computer."""
    if environment.cluster is None:
        return {"GOMEMLIMIT": f"{local_mib}MiB"}
    size = environment.cluster.sizes[workload]
    return {"GOMEMLIMIT": f"{round(size.memory_mib * size.memory_burst * _SHARE)}MiB"}
