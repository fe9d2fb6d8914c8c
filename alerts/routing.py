"""Alertmanager configuration. The local stack only shows alerts: it has no receiver to disturb."""

from typing import Any

from collector.document import to_yaml


def config() -> dict[str, Any]:
    """Return alertmanager.yml as a dict: one route, grouped without pod or run ids, to a receiver that only shows."""
    return {
        "route": {
            "receiver": "show",
            "group_by": ["alertname", "agent_name", "tool_name"],
            "group_wait": "10s",
            "group_interval": "1m",
            "repeat_interval": "4h",
        },
        "receivers": [{"name": "show"}],
    }


def render() -> str:
    """Return the configuration as YAML text."""
    return to_yaml(config())
