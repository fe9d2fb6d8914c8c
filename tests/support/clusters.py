"""Settings with which each environment on Kubernetes can be planned, and the plan."""

from pathlib import Path
from typing import Final

from stacks.cluster import plan, reading
from stacks.cluster.render import stack_settings
from stacks.environments import ENVIRONMENTS, EnvName

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "stacks" / "examples"
SECRETS: Final = {
    f"agentobs:{key}": f"sentinel-{key}"
    for key in (
        "otlpTokens",
        "pagerdutyRoutingKey",
        "slackWebhookUrl",
        "deadMansSwitchUrl",
        "objectsAccessKey",
        "objectsSecretKey",
        "oidcClientSecret",
        "grafanaDatabasePassword",
        "langfuseDatabaseUrl",
        "clickhousePassword",
        "redisPassword",
    )
}


def _example(name: EnvName) -> dict[str, str]:
    """The settings of the committed example, with a sentinel in the place of every secret."""
    values, encrypted = stack_settings(EXAMPLES / f"Pulumi.{name}.yaml")
    return {**values, "agentobs:context": "test", **(SECRETS if encrypted else {})}


SETTINGS: Final = {name: _example(name) for name in (EnvName.DEV, EnvName.STAGING, EnvName.PROD)}
ON_KUBERNETES: Final = tuple(SETTINGS)


def planned(name: EnvName, **changed: str | None) -> plan.Plan:
    """The plan of an environment; `changed` replaces settings, None takes one out."""
    raw = {**SETTINGS[name], **{f"agentobs:{key}": value for key, value in changed.items()}}
    given = {key: value for key, value in raw.items() if value is not None}
    return plan.make(ENVIRONMENTS[name], reading.parse(given, SECRETS, ENVIRONMENTS[name]).settings)
