"""Prometheus: KPI series over OTLP with exemplars, recording and alert rules, self-scrapes of every backend."""

from typing import Any

from alerts import rules
from alerts.alerting import Links
from alerts.timing import Timing
from collector.document import to_yaml
from stacks.components.alertmanager import RESEND_S
from stacks.environments import Environment
from stacks.workload import CONFIG_DIR, Placement, Workload

_CONFIG, _RULES = "prometheus.yml", "rules.yml"
_SCRAPED = {
    "collector": "collector-metrics",
    "prometheus": "prometheus",
    "alertmanager": "alertmanager",
    "loki": "loki",
    "tempo": "tempo",
}


def config(environment: Environment, at: Placement) -> dict[str, Any]:
    """Return prometheus.yml as a dict."""
    return {
        "global": {
            "scrape_interval": f"{environment.scrape_interval_s}s",
            # For rules of the operator: every group of ours says its own.
            "evaluation_interval": "1s" if environment.alert_speed > 1 else f"{environment.scrape_interval_s}s",
            "external_labels": {"environment": str(environment.name)},
        },
        "rule_files": [_RULES],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [at.address("alertmanager")]}]}]},
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [at.address(port)]}]} for job, port in _SCRAPED.items()
        ],
        # The collector retries and may deliver late; without the window such samples are refused.
        "storage": {
            "tsdb": {"out_of_order_time_window": "30m", "retention": {"time": str(environment.metrics_retention)}},
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
    return rules.render(timing, links(environment), daily_budget_usd=budget)


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
            "--enable-feature=exemplar-storage,created-timestamp-zero-ingestion",
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
    )
