"""Prometheus rule files. First rule: a Watchdog, so that a silent alert path is noticed."""

from typing import Any

from collector.document import to_yaml


def groups() -> list[dict[str, Any]]:
    """Return the rule groups."""
    watchdog = {
        "alert": "Watchdog",
        "expr": "vector(1)",
        "labels": {"severity": "none"},
        "annotations": {"summary": "Always firing: it proves that alerts reach Alertmanager."},
    }
    return [{"name": "agentobs-platform", "rules": [watchdog]}]


def render() -> str:
    """Return the rule file as YAML text."""
    return to_yaml({"groups": groups()})
