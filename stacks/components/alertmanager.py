"""Alertmanager: receives alerts from Prometheus, groups and routes them."""

from alerts.routing import render
from stacks.environments import Environment
from stacks.workload import CONFIG_DIR, Placement, Workload

_CONFIG = "alertmanager.yml"


def workload(_environment: Environment, at: Placement) -> Workload:
    """The Alertmanager of an environment."""
    config = f"{CONFIG_DIR}/{_CONFIG}"
    return Workload(
        name="alertmanager",
        command=(
            "alertmanager",
            f"--config.file={config}",
            f"--storage.path={at.data_dir('alertmanager')}",
            f"--web.listen-address={at.listen('alertmanager')}",
            "--cluster.listen-address=",  # one replica: no gossip, no further port
        ),
        checks=(("amtool", "check-config", config),),
        files={_CONFIG: render()},
        ports=("alertmanager",),
        ready_port="alertmanager",
        ready_path="/-/ready",
    )
