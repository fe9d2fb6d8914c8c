"""Alertmanager: receives alerts from Prometheus, groups and routes them."""

from alerts import routing
from alerts.routing import Profile, Routing, Webhook
from alerts.timing import Timing
from stacks.environments import Environment
from stacks.workload import CONFIG_DIR, Placement, Workload

_CONFIG = "alertmanager.yml"
RESEND_S = 60
"""How often Prometheus repeats an alert that fires."""


def routes(environment: Environment) -> Routing:
    """Who is told on this computer: nobody, unless the operator named a webhook."""
    told = (Webhook(url=environment.alert_webhook),) if environment.alert_webhook else ()
    switch = environment.dead_mans_switch_url
    return Routing(
        profile=Profile.SHOW,
        pages=told,
        tickets=told,
        dead_mans_switch=Webhook(url=switch, send_resolved=False) if switch else None,
        timing=Timing(environment.alert_speed),
    )


def workload(environment: Environment, at: Placement) -> Workload:
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
            # After a restart old alerts are sent as they come in: wait until all are back that mute others.
            f"--dispatch.start-delay={Timing(environment.alert_speed).of(RESEND_S)}",
        ),
        checks=(("amtool", "check-config", config),),
        files={_CONFIG: routing.render(routes(environment)), routing.FILE: routing.TEMPLATE},
        ports=("alertmanager",),
        ready_port="alertmanager",
        ready_path="/-/ready",
    )
