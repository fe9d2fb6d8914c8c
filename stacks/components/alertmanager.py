"""Alertmanager: receives alerts from Prometheus, groups and routes them. Several form one cluster by gossip."""

from alerts import routing
from alerts.routing import Email, Profile, Receiver, Routing, Webhook
from alerts.timing import Timing
from stacks.deployment import Deployment
from stacks.environments import Cluster
from stacks.workload import CONFIG_DIR, Outside, Placement, Probe, SecretUse, Workload

_CONFIG = "alertmanager.yml"
RESEND_S = 60
"""How often Prometheus repeats an alert that fires."""


def routes(deployment: Deployment) -> Routing:
    """Who is told; raises RoutingError where an environment that must tell somebody tells nobody."""
    if deployment.cluster is None:
        return _on_this_computer(deployment)
    told = deployment.pages or deployment.tickets
    return Routing(
        profile=deployment.cluster.alerting if told or must_tell(deployment.cluster) else Profile.SHOW,
        pages=deployment.pages,
        tickets=deployment.tickets or deployment.pages,
        dead_mans_switch=deployment.dead_mans_switch,
        timing=Timing(deployment.alert_speed),
    )


def must_tell(cluster: Cluster | None) -> bool:
    """Whether alerts without a receiver are a mistake; at a first look at a development cluster they are shown."""
    return cluster is not None and cluster.guarded


def _on_this_computer(deployment: Deployment) -> Routing:
    """Nobody is told, unless the operator named a webhook."""
    told = (Webhook(url=deployment.alert_webhook),) if deployment.alert_webhook else ()
    switch = deployment.dead_mans_switch_url
    return Routing(
        profile=Profile.SHOW,
        pages=told,
        tickets=told,
        dead_mans_switch=Webhook(url=switch, send_resolved=False) if switch else None,
        timing=Timing(deployment.alert_speed),
    )


def _gossip(at: Placement) -> tuple[str, ...]:
    """Members tell each other what they have sent. One alone needs no gossip and no further port."""
    others = at.members("alertmanager-gossip") if len(at.members("alertmanager")) > 1 else ()
    if not others:
        return ("--cluster.listen-address=",)
    return (
        f"--cluster.listen-address={at.listen('alertmanager-gossip')}",
        "--cluster.advertise-address=$(POD_IP):9094",
        *(f"--cluster.peer={peer}" for peer in others),
    )


def _told(deployment: Deployment) -> tuple[Receiver, ...]:
    """Everybody whom the Alertmanager of a cluster tells."""
    if deployment.cluster is None:
        return ()
    switch = deployment.dead_mans_switch
    return (*deployment.pages, *deployment.tickets, *((switch,) if switch else ()))


def workload(deployment: Deployment, at: Placement) -> Workload:
    """The Alertmanager of an environment."""
    config = f"{CONFIG_DIR}/{_CONFIG}"
    several = len(at.members("alertmanager")) > 1
    told = _told(deployment)
    return Workload(
        name="alertmanager",
        command=(
            "alertmanager",
            f"--config.file={config}",
            f"--storage.path={at.data_dir('alertmanager')}",
            f"--web.listen-address={at.listen('alertmanager')}",
            # Which receiver took what: without it a pager that fails hides behind a chat that works.
            "--enable-feature=receiver-name-in-metrics",
            *_gossip(at),
            # After a restart old alerts are sent as they come in: wait until all are back that mute others.
            f"--dispatch.start-delay={Timing(deployment.alert_speed).of(RESEND_S)}",
        ),
        checks=(("amtool", "check-config", config),),
        files={_CONFIG: routing.render(routes(deployment)), routing.FILE: routing.TEMPLATE},
        ports=("alertmanager", "alertmanager-gossip") if several else ("alertmanager",),
        metrics_port="alertmanager",
        ready_port="alertmanager",
        ready_path="/-/ready",
        calls=("alertmanager-gossip",) if several else (),
        secrets=tuple(
            SecretUse(value=key, file=f"/etc/agentobs/secrets/{key}", reread=True)
            for key in deployment.receiver_secrets
        ),
        outside=(Outside.HTTPS,) if any(not isinstance(each, Email) for each in told) else (),
        reaches=tuple(dict.fromkeys(f"smtp://{each.smarthost}" for each in told if isinstance(each, Email))),
        alive=Probe(port="alertmanager", path="/-/healthy"),
    )
