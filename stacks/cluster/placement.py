"""Where workloads are in a cluster: services by name in one namespace, data on volumes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stacks.cluster import names
from stacks.sizes import Sizes

DATA: Final = "/var/lib/agentobs"
POD_IP: Final = "${POD_IP}"


@dataclass(frozen=True, slots=True)
class ClusterPlacement:
    """The cluster's answers. `external` maps a named port to the address of an external backend."""

    sizes: Sizes
    external: Mapping[str, str]

    def listen(self, port: str) -> str:
        """Every address of the pod: the kubelet, the service and other replicas reach it there."""
        return f"0.0.0.0:{names.number(port)}"

    def address(self, port: str) -> str:
        """The service of the port's owner."""
        return self.external.get(port) or f"{names.owner(port)}:{names.number(port)}"

    def members(self, port: str) -> tuple[str, ...]:
        """The pods one by one, through the headless service."""
        owner = names.owner(port)
        if port in self.external or owner not in self.sizes or self.sizes[owner].replicas == 1:
            return (self.address(port),)
        return tuple(
            f"{owner}-{number}.{names.members(owner)}:{names.number(port)}"
            for number in range(self.sizes[owner].replicas)
        )

    def own_host(self) -> str:
        """The pod's address, which a configuration file reads from its environment."""
        return POD_IP

    def data_dir(self, workload: str) -> str:
        """Below the mount of the workload's volume."""
        return f"{DATA}/{workload}"
