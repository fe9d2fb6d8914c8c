"""Settings with which each environment on Kubernetes can be planned, and the plan."""

from typing import Final

from stacks.cluster import plan, reading
from stacks.environments import ENVIRONMENTS, EnvName

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
_SHARED: Final = {
    "agentobs:context": "test",
    "agentobs:domain": "agents.example.com",
    "agentobs:ingressClass": "nginx",
    "agentobs:ingressNamespace": "ingress-nginx",
    "agentobs:tlsIssuer": "letsencrypt",
    "agentobs:objectsEndpoint": "s3.example.com",
    "agentobs:lokiBucket": "agentobs-loki",
    "agentobs:tempoBucket": "agentobs-tempo",
    "agentobs:grafanaDatabase": "postgres.example.com:5432/grafana",
    "agentobs:pages": "pagerduty",
    "agentobs:tickets": "slack",
    "agentobs:slackChannel": "#alerts",
    "agentobs:deadMansSwitch": "true",
    "agentobs:collectorTlsSecret": "collector-tls",
    "agentobs:oidcClientId": "grafana",
    "agentobs:oidcAuthUrl": "https://id.example.com/authorize",
    "agentobs:oidcTokenUrl": "https://id.example.com/token",
    "agentobs:oidcApiUrl": "https://id.example.com/userinfo",
    "agentobs:oidcRolePath": "contains(groups, 'platform') && 'Admin' || 'Viewer'",
    **SECRETS,
}
SETTINGS: Final = {
    EnvName.DEV: {"agentobs:context": "test"},
    EnvName.STAGING: _SHARED,
    EnvName.PROD: {
        **_SHARED,
        "agentobs:clickhouseUrl": "https://clickhouse.example.com:8443",
        "agentobs:clickhouseMigrationUrl": "clickhouse://clickhouse.example.com:9440",
        "agentobs:redis": "redis.example.com:6379",
        "agentobs:langfuseBucket": "agentobs-langfuse",
    },
}
ON_KUBERNETES: Final = tuple(SETTINGS)


def planned(name: EnvName, **changed: str | None) -> plan.Plan:
    """The plan of an environment; `changed` replaces settings, None takes one out."""
    raw = {**SETTINGS[name], **{f"agentobs:{key}": value for key, value in changed.items()}}
    given = {key: value for key, value in raw.items() if value is not None}
    return plan.make(ENVIRONMENTS[name], reading.parse(given, SECRETS, ENVIRONMENTS[name]).settings)
