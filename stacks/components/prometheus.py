"""Prometheus: KPI series over OTLP with exemplars, recording and alert rules, self-scrapes of every backend."""

from collections.abc import Iterable
from typing import Any, Final

from alerts import rules
from alerts.alerting import Links
from alerts.recording import BaselinePoint
from alerts.timing import Timing
from collector.document import to_yaml
from runbooks import baseline
from stacks.components.alertmanager import RESEND_S
from stacks.environments import Environment
from stacks.settings import SettingsError
from stacks.workload import CONFIG_DIR, Api, Outside, Placement, Probe, Workload

_FEATURES: Final = ("exemplar-storage", "created-timestamp-zero-ingestion")
_CONFIG, _RULES = "prometheus.yml", "rules.yml"
_SCRAPED = {
    "collector": "collector-metrics",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "loki": "loki",
    "tempo": "tempo",
}


# Where a pod says on which of its ports metrics are.
METRICS_ANNOTATION: Final = "agentobs.io/metrics-port"
_META: Final = "__meta_kubernetes_pod_"


def _scrapes(environment: Environment, at: Placement) -> list[dict[str, Any]]:
    if environment.cluster is None:
        return [
            {"job_name": job, "static_configs": [{"targets": [at.address(port)]}]} for job, port in _SCRAPED.items()
        ]
    return [_pods("pods", keep=False), {**_pods("kube-state-metrics", keep=True), "honor_labels": True}]


def _pods(job: str, *, keep: bool) -> dict[str, Any]:
    """Pods of our own namespace that name a port for metrics; those of kube-state-metrics bring labels of their own."""
    name = f"{_META}label_app_kubernetes_io_name"
    return {
        "job_name": job,
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"own_namespace": True}}],
        "relabel_configs": [
            {"action": "keep", "source_labels": [f"{_META}label_app_kubernetes_io_part_of"], "regex": "agentobs"},
            {"action": "keep" if keep else "drop", "source_labels": [name], "regex": "kube-state-metrics"},
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


def config(environment: Environment, at: Placement) -> dict[str, Any]:
    """Return prometheus.yml as a dict."""
    retention: dict[str, Any] = {"time": str(environment.metrics_retention)}
    if environment.cluster:
        # A full disk stops ingestion; before that the oldest blocks go.
        retention["size"] = f"{environment.cluster.sizes['prometheus'].disk_mib * 8 // 10}MiB"
    return {
        "global": {
            "scrape_interval": f"{environment.scrape_interval_s}s",
            # For rules of the operator: every group of ours says its own.
            "evaluation_interval": "1s" if environment.alert_speed > 1 else f"{environment.scrape_interval_s}s",
            "external_labels": {"environment": str(environment.name)},
        },
        "rule_files": [_RULES],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(at.members("alertmanager"))}]}]},
        "scrape_configs": _scrapes(environment, at),
        # The collector retries and may deliver late; without the window such samples are refused.
        "storage": {
            "tsdb": {"out_of_order_time_window": "30m", "retention": retention},
            "exemplars": {"max_exemplars": 100_000},
        },
        "otlp": {"keep_identifying_resource_attributes": True},
    }


def links(environment: Environment) -> Links:
    """Where an alert's page and board are: as the operator says, else as in the checkout."""
    runbooks, boards = environment.runbooks_url, environment.dashboards_url
    return Links(
        runbook=f"{runbooks.rstrip('/')}/{{name}}" if runbooks else rules.LINKS.runbook,
        board=f"{boards.rstrip('/')}/d/agentobs-{{board}}" if boards else rules.LINKS.board,
    )


def _rules(environment: Environment) -> str:
    timing, budget = Timing(environment.alert_speed), environment.daily_budget_usd
    return rules.render(timing, links(environment), _baseline(environment), budget)


def _baseline(environment: Environment) -> Iterable[BaselinePoint]:
    """What the recorded KPIs of the operator's baseline were. Raises SettingsError where the file is no baseline."""
    if environment.baseline_file is None:
        return ()
    try:
        return baseline.points(baseline.parse(environment.baseline_file.read_text("utf-8"), "agentobs:baselineFile"))
    except (OSError, UnicodeDecodeError, baseline.BaselineError) as error:
        raise SettingsError(str(error)) from None


def workload(environment: Environment, at: Placement) -> Workload:
    """The Prometheus of `environment`."""
    return Workload(
        name="prometheus",
        command=(
            "prometheus",
            f"--config.file={CONFIG_DIR}/{_CONFIG}",
            f"--storage.tsdb.path={at.data_dir('prometheus')}",
            f"--web.listen-address={at.listen('prometheus')}",
            "--web.enable-otlp-receiver",
            "--web.enable-remote-write-receiver",  # Tempo's service graph
            f"--rules.alert.resend-delay={Timing(environment.alert_speed).of(RESEND_S)}",
            # Zero points at the start of a counter need the created timestamp; exemplars are behind a flag still.
            f"--enable-feature={','.join(_FEATURES + (('auto-reload-config',) if environment.cluster else ()))}",
        ),
        checks=(("promtool", "check", "config", f"{CONFIG_DIR}/{_CONFIG}"),),
        files={
            _CONFIG: to_yaml(config(environment, at)),
            _RULES: _rules(environment),
        },
        ports=("prometheus",),
        ready_port="prometheus",
        ready_path="/-/ready",
        env={"GOGC": "75"},
        calls=tuple(_SCRAPED.values()),
        outside=(Outside.API,) if environment.cluster else (),
        api=Api.OWN_PODS,
        reloaded=frozenset({_RULES}),
        alive=Probe(port="prometheus", path="/-/healthy"),
    )
