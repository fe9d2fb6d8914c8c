"""Prometheus: KPI series over OTLP with exemplars, recording and alert rules, self-scrapes of every backend."""

from collections.abc import Iterable
from typing import Any, Final

from alerts import rules
from alerts.alerting import Links
from alerts.recording import BaselinePoint
from alerts.timing import Timing
from collector.document import to_yaml
from collector.stores import LogKind, TraceKind
from runbooks import baseline
from stacks.components import external
from stacks.components.alertmanager import RESEND_S
from stacks.deployment import Deployment, External
from stacks.settings import SettingsError
from stacks.workload import CONFIG_DIR, Api, Outside, Placement, Probe, SecretUse, Workload

# Deltas, which some programs send, are summed up here: it alone sees all of them, whichever collector they took.
_FEATURES: Final = ("exemplar-storage", "created-timestamp-zero-ingestion", "otlp-deltatocumulative")
# The image in a cluster is 3.15, which knows `anchored` behind a flag only; from 3.16 on the flag does nothing.
_IN_CLUSTER: Final = ("auto-reload-config", "promql-extended-range-selectors")
_CONFIG, _RULES = "prometheus.yml", "rules.yml"
_SCRAPED = {
    "collector": "collector-metrics",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "release-controller": "release-controller",
    "loki": "loki",
    "victorialogs": "victorialogs",
    "tempo": "tempo",
    "jaeger": "jaeger-metrics",
}


# Where a pod says on which of its ports metrics are.
METRICS_ANNOTATION: Final = "agentobs.io/metrics-port"
_META: Final = "__meta_kubernetes_pod_"
_REPLICA: Final = "__replica__"
_GUARDED: Final = "grafana"
METRICS_USER: Final = "metrics"
METRICS_PASSWORD: Final = "grafanaMetricsPassword"  # noqa: S105 the name of a value


def _scrapes(deployment: Deployment, at: Placement) -> list[dict[str, Any]]:
    if deployment.cluster is None:
        absent = {*LogKind, *TraceKind} - {deployment.stores.logs, deployment.stores.traces}
        return [
            {"job_name": job, "static_configs": [{"targets": [at.address(port)]}]}
            for job, port in _SCRAPED.items()
            if job not in absent
        ]
    return [
        _pods("pods", "drop", f"kube-state-metrics|{_GUARDED}"),
        {**_pods("kube-state-metrics", "keep", "kube-state-metrics"), "honor_labels": True},
        *(_guarded("grafana", external.FOLDER) for _ in _guarding(deployment)),
    ]


def _guarding(deployment: Deployment) -> tuple[SecretUse, ...]:
    """The password for Grafana's metrics, where Grafana is ours."""
    if deployment.cluster is None or "grafana" in deployment.external:
        return ()
    return (SecretUse(value=METRICS_PASSWORD, file=f"{external.FOLDER}/{METRICS_PASSWORD}", reread=True),)


def _guarded(job: str, folder: str) -> dict[str, Any]:
    """People come to the port on which Grafana has its metrics, so that they ask for a password."""
    login = {"username": METRICS_USER, "password_file": f"{folder}/{METRICS_PASSWORD}"}
    return {**_pods(job, "keep", _GUARDED), "basic_auth": login}


def external_scrape(namespace: str, *, grafana: bool) -> list[dict[str, Any]]:
    """What an external Prometheus in the cluster must scrape, so that the platform's own alerts see it.

    The password of our Grafana's metrics is in its `Secret`; the path of the file is for that Prometheus to choose.
    """
    jobs = [_pods("agentobs", "drop", f"kube-state-metrics|{_GUARDED}")]
    jobs += [_guarded("agentobs-grafana", "/etc/prometheus/secrets/grafana-secrets")] if grafana else []
    discovery = [{"role": "pod", "namespaces": {"names": [namespace]}}]
    return [{**job, "kubernetes_sd_configs": discovery} for job in jobs]


def _pods(job: str, action: str, workloads: str) -> dict[str, Any]:
    """Pods of our own namespace that name a port for metrics; those of kube-state-metrics bring labels of their own."""
    name = f"{_META}label_app_kubernetes_io_name"
    return {
        "job_name": job,
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"own_namespace": True}}],
        "relabel_configs": [
            {"action": "keep", "source_labels": [f"{_META}label_app_kubernetes_io_part_of"], "regex": "agentobs"},
            {"action": action, "source_labels": [name], "regex": workloads},
            {
                "action": "keepequal",
                "source_labels": [f"{_META}container_port_number"],
                "target_label": f"{_META}annotation_{METRICS_ANNOTATION.translate(_UNDERSCORES)}",
            },
            # Edge and sampler of the collector are one job, whose instances tell them apart.
            {"source_labels": [name], "regex": "([a-z-]+?)(?:-sampler)?", "target_label": "job"},
            {"source_labels": [f"{_META}name"], "target_label": "instance"},
        ],
    }


_UNDERSCORES: Final = str.maketrans("./-", "___")


def config(deployment: Deployment, at: Placement) -> dict[str, Any]:
    """Return prometheus.yml as a dict."""
    retention: dict[str, Any] = {"time": str(deployment.metrics_retention)}
    if deployment.cluster:
        # A full disk stops ingestion; before that the oldest blocks go.
        retention["size"] = f"{deployment.cluster.sizes['prometheus'].disk_mib * 8 // 10}MiB"
    return {
        "global": {
            "scrape_interval": f"{deployment.scrape_interval_s}s",
            # For rules of the operator: every group of ours says its own.
            "evaluation_interval": "1s" if deployment.alert_speed > 1 else f"{deployment.scrape_interval_s}s",
            "external_labels": {"environment": str(deployment.name), **_replica(deployment, at)},
        },
        "rule_files": [_RULES],
        "alerting": _alerting(deployment, at),
        "scrape_configs": _scrapes(deployment, at),
        # The collector retries and may deliver late; without the window such samples are refused.
        "storage": {
            "tsdb": {"out_of_order_time_window": "30m", "retention": retention},
            "exemplars": {"max_exemplars": 100_000},
        },
        "otlp": {"keep_identifying_resource_attributes": True},
        **_remote_write(deployment),
    }


def _replica(deployment: Deployment, at: Placement) -> dict[str, str]:
    """Where several write the same to one long-term store, it keeps one of them: Mimir's names of the labels."""
    if "remoteWrite" not in deployment.external or len(at.members("prometheus")) == 1:
        return {}
    return {"cluster": "agentobs", _REPLICA: "${POD_NAME}"}


def _alerting(deployment: Deployment, at: Placement) -> dict[str, Any]:
    """Ours by name, or an external one. An alert is the same whichever replica sends it."""
    same = [{"action": "labeldrop", "regex": _REPLICA}] if _replica(deployment, at) else []
    away = deployment.external.get("alertmanager")
    targets = [away.url.partition("://")[2].partition("/")[0]] if away else list(at.members("alertmanager"))
    path = f"/{away.url.partition('://')[2].partition('/')[2]}" if away else "/"
    one = {
        **({"scheme": away.url.partition("://")[0], **external.http_client(away)} if away else {}),
        **({"path_prefix": path} if path != "/" else {}),
        "static_configs": [{"targets": targets}],
    }
    return {**({"alert_relabel_configs": same} if same else {}), "alertmanagers": [one]}


def _remote_write(deployment: Deployment) -> dict[str, Any]:
    store = deployment.external.get("remoteWrite")
    if store is None:
        return {}
    return {"remote_write": [{"url": store.url, "send_exemplars": True, **external.http_client(store)}]}


def _others(deployment: Deployment) -> tuple[External, ...]:
    """Whom it writes to and tells."""
    return external.stores(deployment, ("remoteWrite", "alertmanager"))


def links(deployment: Deployment) -> Links:
    """Where an alert's page and board are: as the operator says, else as in the checkout.

    A page is on a board too, so without an address of the pages the board is the page.
    """
    runbooks, boards = deployment.runbooks_url, deployment.dashboards_url
    in_grafana = f"{boards.rstrip('/')}/d/agentobs-" if boards else ""
    return Links(
        runbook=f"{runbooks.rstrip('/')}/{{name}}"
        if runbooks
        else f"{in_grafana}{{slug}}"
        if boards
        else rules.LINKS.runbook,
        board=f"{in_grafana}{{board}}" if boards else rules.LINKS.board,
        stack=str(deployment.name) if deployment.cluster else rules.LINKS.stack,
    )


def rule_groups(deployment: Deployment) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Recording rules and alerts, with the links, the budget and the form that the environment says."""
    timing, budget = Timing(deployment.alert_speed), deployment.daily_budget_usd
    recorded = rules.recording_groups(timing, _baseline(deployment), budget)
    both = recorded, rules.alert_groups(timing, links(deployment))
    if not deployment.plain_rules:
        return both
    recording, alerts = ([rules.in_plain_form(group) for group in groups] for groups in both)
    return recording, alerts


def _rules(deployment: Deployment) -> str:
    recording, alerts = rule_groups(deployment)
    return to_yaml({"groups": [*recording, *alerts]})


def _baseline(deployment: Deployment) -> Iterable[BaselinePoint]:
    """What the recorded KPIs of the operator's baseline were. Raises SettingsError where the file is no baseline."""
    if deployment.baseline_file is None:
        return ()
    try:
        return baseline.points(baseline.parse(deployment.baseline_file.read_text("utf-8"), "agentobs:baselineFile"))
    except (OSError, UnicodeDecodeError, baseline.BaselineError) as error:
        raise SettingsError(str(error)) from None


def workload(deployment: Deployment, at: Placement) -> Workload:
    """The Prometheus of `environment`."""
    return Workload(
        name="prometheus",
        command=(
            "prometheus",
            f"--config.file={CONFIG_DIR}/{_CONFIG}",
            f"--storage.tsdb.path={at.data_dir('prometheus')}",
            f"--web.listen-address={at.listen('prometheus')}",
            "--web.enable-otlp-receiver",
            # Pages of the web are no clients: no origin is this one.
            "--web.cors.origin=^$",
            # Tempo's service graph
            *(("--web.enable-remote-write-receiver",) if deployment.stores.traces is TraceKind.TEMPO else ()),
            f"--rules.alert.resend-delay={Timing(deployment.alert_speed).of(RESEND_S)}",
            # Zero points at the start of a counter need the created timestamp; exemplars are behind a flag still.
            f"--enable-feature={','.join((*_FEATURES, *(_IN_CLUSTER if deployment.cluster else ())))}",
        ),
        checks=(("promtool", "check", "config", f"{CONFIG_DIR}/{_CONFIG}"),),
        files={
            _CONFIG: to_yaml(config(deployment, at)),
            _RULES: _rules(deployment),
        },
        ports=("prometheus",),
        metrics_port="prometheus",
        ready_port="prometheus",
        ready_path="/-/ready",
        env={"GOGC": "75"},
        calls=tuple(_SCRAPED.values()),
        outside=(Outside.API,) if deployment.cluster else (),
        reaches=tuple(remote.url for remote in _others(deployment)),
        secrets=(*external.client_secrets(_others(deployment)), *_guarding(deployment)),
        api=Api.OWN_PODS,
        reloaded=frozenset({_RULES}),
        alive=Probe(port="prometheus", path="/-/healthy"),
    )
