"""How many and how large: one table per environment on Kubernetes, from measured use with room above it.

Requests are what a node reserves; a limit ends (memory) or slows (processor) a workload that goes beyond. Not here:
what an operator may override (`cluster/settings.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One workload: `cpu` in thousandths of a core, memory and disk in MiB; no `disk_mib`, no volume.

    A number above `replicas` in `most_replicas` makes it scale with its processor time.
    """

    cpu: int
    memory_mib: int
    disk_mib: int = 0
    replicas: int = 1
    most_replicas: int = 0
    cpu_burst: float = 4
    memory_burst: float = 1.5

    @property
    def scales(self) -> bool:
        """Whether an autoscaler decides how many run."""
        return self.most_replicas > self.replicas

    def requests(self) -> dict[str, str]:
        """What a node reserves."""
        return {"cpu": f"{self.cpu}m", "memory": f"{self.memory_mib}Mi", "ephemeral-storage": "64Mi"}

    def limits(self) -> dict[str, str]:
        """What it may use at most."""
        return {
            "cpu": f"{round(self.cpu * self.cpu_burst)}m",
            "memory": f"{round(self.memory_mib * self.memory_burst)}Mi",
            "ephemeral-storage": "512Mi",
        }


Sizes = Mapping[str, Size]

DEV: Final[Sizes] = {
    "collector": Size(cpu=200, memory_mib=512, disk_mib=6 * 1024),
    "prometheus": Size(cpu=100, memory_mib=256, disk_mib=10 * 1024),
    "alertmanager": Size(cpu=20, memory_mib=64, disk_mib=1024),
    "loki": Size(cpu=100, memory_mib=256, disk_mib=10 * 1024),
    "tempo": Size(cpu=100, memory_mib=320, disk_mib=10 * 1024),
    "victorialogs": Size(cpu=100, memory_mib=128, disk_mib=10 * 1024),
    "jaeger": Size(cpu=100, memory_mib=320, disk_mib=10 * 1024),
    "grafana": Size(cpu=100, memory_mib=256, disk_mib=1024),
    "kube-state-metrics": Size(cpu=20, memory_mib=64),
    "langfuse-web": Size(cpu=250, memory_mib=1024),
    "langfuse-worker": Size(cpu=250, memory_mib=1024),
    "postgres": Size(cpu=100, memory_mib=256, disk_mib=5 * 1024),
    "clickhouse": Size(cpu=400, memory_mib=2048, disk_mib=20 * 1024),
    "valkey": Size(cpu=50, memory_mib=128, disk_mib=1024),
    "objects": Size(cpu=100, memory_mib=256, disk_mib=20 * 1024),
}
STAGING: Final[Sizes] = {
    "collector": Size(cpu=500, memory_mib=1024, replicas=2, most_replicas=6),
    "collector-sampler": Size(cpu=1000, memory_mib=2048, disk_mib=6 * 1024, replicas=2),
    "prometheus": Size(cpu=500, memory_mib=2048, disk_mib=50 * 1024, replicas=2),
    "alertmanager": Size(cpu=50, memory_mib=128, disk_mib=1024, replicas=2),
    "loki": Size(cpu=500, memory_mib=1024, disk_mib=20 * 1024, replicas=2),
    "tempo": Size(cpu=500, memory_mib=1024, disk_mib=20 * 1024, replicas=2),
    # One of each, on a volume: they share no storage.
    "victorialogs": Size(cpu=500, memory_mib=1024, disk_mib=50 * 1024),
    "jaeger": Size(cpu=500, memory_mib=2048, disk_mib=50 * 1024),
    "grafana": Size(cpu=200, memory_mib=512, replicas=2),
    "kube-state-metrics": Size(cpu=50, memory_mib=128),
    "langfuse-web": Size(cpu=1000, memory_mib=2048, replicas=2, most_replicas=4),
    "langfuse-worker": Size(cpu=1000, memory_mib=2048, replicas=2, most_replicas=4),
    "postgres": Size(cpu=500, memory_mib=1024, disk_mib=20 * 1024),
    "clickhouse": Size(cpu=1000, memory_mib=4096, disk_mib=100 * 1024),
    "valkey": Size(cpu=200, memory_mib=512, disk_mib=2 * 1024),
    "objects": Size(cpu=200, memory_mib=512, disk_mib=100 * 1024),
}
PROD: Final[Sizes] = {
    "collector": Size(cpu=1000, memory_mib=2048, replicas=3, most_replicas=12),
    "collector-sampler": Size(cpu=2000, memory_mib=4096, disk_mib=20 * 1024, replicas=3),
    "prometheus": Size(cpu=1000, memory_mib=4096, disk_mib=200 * 1024, replicas=2),
    "alertmanager": Size(cpu=100, memory_mib=256, disk_mib=1024, replicas=3),
    "loki": Size(cpu=1000, memory_mib=2048, disk_mib=50 * 1024, replicas=3),
    "tempo": Size(cpu=1000, memory_mib=2048, disk_mib=50 * 1024, replicas=3),
    "victorialogs": Size(cpu=2000, memory_mib=4096, disk_mib=200 * 1024),
    "jaeger": Size(cpu=2000, memory_mib=8192, disk_mib=200 * 1024),
    "grafana": Size(cpu=500, memory_mib=1024, replicas=3),
    "kube-state-metrics": Size(cpu=100, memory_mib=256),
    "langfuse-web": Size(cpu=2000, memory_mib=4096, replicas=3, most_replicas=9),
    "langfuse-worker": Size(cpu=2000, memory_mib=4096, replicas=3, most_replicas=9),
}
