"""Prometheus: KPI series over OTLP with exemplars, recording and alert rules, self-scrapes of every backend."""

from typing import Any

from alerts.rules import render as render_rules
from collector.document import to_yaml
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
            "evaluation_interval": f"{environment.scrape_interval_s}s",
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
            # Zero points at the start of a counter need the created timestamp; exemplars are behind a flag still.
            "--enable-feature=exemplar-storage,created-timestamp-zero-ingestion",
        ),
        checks=(("promtool", "check", "config", f"{CONFIG_DIR}/{_CONFIG}"),),
        files={
            _CONFIG: to_yaml(config(environment, at)),
            _RULES: render_rules(),
        },
        ports=("prometheus",),
        ready_port="prometheus",
        ready_path="/-/ready",
        env={"GOGC": "75"},
    )
