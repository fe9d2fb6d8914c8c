"""kube-state-metrics: what Kubernetes knows of pods, so that a crash loop or a full volume is seen as one."""

from typing import Final

from stacks.deployment import Deployment
from stacks.workload import Api, Outside, Placement, Probe, Workload

RESOURCES: Final = (
    "daemonsets",
    "deployments",
    "jobs",
    "persistentvolumeclaims",
    "pods",
    "replicasets",
    "statefulsets",
)
"""What it watches: no secrets, no config maps."""


def workload(deployment: Deployment, at: Placement) -> Workload:
    """The kube-state-metrics of an environment; one, since a second would count everything twice."""
    del deployment
    return Workload(
        name="kube-state-metrics",
        command=(
            "kube-state-metrics",
            f"--port={at.listen('kube-state-metrics').rpartition(':')[2]}",
            f"--telemetry-port={at.listen('kube-state-metrics-self').rpartition(':')[2]}",
            f"--resources={','.join(RESOURCES)}",
        ),
        checks=(),
        files={},
        ports=("kube-state-metrics", "kube-state-metrics-self"),
        metrics_port="kube-state-metrics",
        ready_port="kube-state-metrics-self",
        ready_path="/readyz",
        api=Api.STATES,
        outside=(Outside.API,),
        writes_data=False,
        alive=Probe(port="kube-state-metrics", path="/livez"),
    )
