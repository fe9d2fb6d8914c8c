"""What an external Prometheus must load: recording rules, alerts, what to scrape. Needs no cluster."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml

from collector.document import to_yaml
from stacks.cluster import load, names
from stacks.cluster.render import stack_settings
from stacks.cluster.resolve import resolve
from stacks.components import prometheus
from stacks.environments import Environment

RECORDING: Final = "recording.yaml"
ALERTS: Final = "alerts.yaml"
SCRAPE: Final = "scrape.yaml"


def documents(environment: Environment, file: Path, *, plain: bool = False) -> dict[str, str]:
    """File name -> text, with the links, budget and form of the stack file. Raises SettingsError.

    `scrape.yaml` is what to scrape, for a Prometheus in the same cluster.
    """
    values, encrypted = stack_settings(file)
    settings = load.parse(values, encrypted, environment).settings
    deployment = resolve(settings, environment)
    recording, alerts = prometheus.rule_groups(replace(deployment, plain_rules=plain or deployment.plain_rules))
    scrapes = prometheus.external_scrape(settings.namespace, grafana=settings.grafana == "managed")
    return {
        RECORDING: to_yaml({"groups": recording}),
        ALERTS: to_yaml({"groups": alerts}),
        SCRAPE: to_yaml({"scrape_configs": scrapes}),
    }


def for_operator(made: dict[str, str]) -> dict[str, str]:
    """The rules as objects of the Prometheus Operator."""
    return {name: to_yaml(_object(name, yaml.safe_load(text))) for name, text in made.items() if name != SCRAPE}


def _object(file: str, document: dict[str, Any]) -> dict[str, Any]:
    name = f"{names.PROJECT}-{file.removesuffix('.yaml')}"
    labels = {"app.kubernetes.io/part-of": names.PROJECT}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "labels": labels},
        "spec": document,
    }
