"""Settings with which each environment on Kubernetes can be planned, and the plan."""

from pathlib import Path
from typing import Final

from stacks.cluster import load, plan, secrets
from stacks.cluster.render import stack_settings
from stacks.cluster.settings import ClusterSettings
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
_MANAGED_ONLY: Final = {
    "metricsRetention": None,
    "lokiBucket": None,
    "tempoBucket": None,
    "grafanaDatabase": None,
    "oidcClientId": None,
    "oidcAuthUrl": None,
    "oidcTokenUrl": None,
    "oidcApiUrl": None,
    "oidcRolePath": None,
    "pages": None,
    "tickets": None,
    "slackChannel": None,
    "deadMansSwitch": None,
}
"""What has no effect where everything is external."""
_IN_CLOUD: Final = {
    "prometheus": "external",
    "prometheusUrl": "https://metrics.example.com/api/prom",
    "prometheusOtlpUrl": "https://otlp.example.com/otlp",
    "prometheusAuth": "basic",
    "prometheusUser": "sentinel-prometheusUser",
    "prometheusToken": "sentinel-prometheusToken",
    "loki": "external",
    "lokiUrl": "https://logs.example.com",
    "lokiAuth": "basic",
    "lokiUser": "sentinel-lokiUser",
    "lokiToken": "sentinel-lokiToken",
    "tempo": "external",
    "tempoUrl": "https://traces.example.com:8443/tempo",
    "tempoOtlpUrl": "https://otlp.example.com/otlp",
    "tempoAuth": "bearer",
    "tempoToken": "sentinel-tempoToken",
    "alertmanager": "external",
    "grafana": "external",
    "grafanaUrl": "https://boards.example.com",
    "plainRules": "true",
}
_CHOSEN: Final = {"traces": "jaeger", "logs": "victorialogs"}
_NO_BUCKETS: Final = {"lokiBucket": None, "tempoBucket": None}
PERMISSIVE: Final[dict[EnvName, dict[str, str | None]]] = {
    EnvName.DEV: {**_CHOSEN},
    # Langfuse keeps its objects itself in staging, and elsewhere in prod.
    EnvName.STAGING: {**_CHOSEN, **_NO_BUCKETS, "objectsEndpoint": None},
    EnvName.PROD: {**_CHOSEN, **_NO_BUCKETS},
}
"""What differs from `SETTINGS` where the stores are Jaeger and VictoriaLogs."""
EXTERNAL: Final[dict[str, tuple[EnvName, dict[str, str | None]]]] = {
    "everything in a cloud, dev": (EnvName.DEV, {**_IN_CLOUD, "langfuse": "off"}),
    "everything in a cloud, prod": (EnvName.PROD, {**_MANAGED_ONLY, **_IN_CLOUD}),
    "Prometheus and Grafana of the cluster": (
        EnvName.STAGING,
        {
            **dict.fromkeys(key for key in _MANAGED_ONLY if key.startswith(("oidc", "grafana"))),
            "prometheus": "external",
            "prometheusUrl": "http://prometheus-k8s.monitoring.svc:9090",
            "prometheusNamespace": "monitoring",
            "grafana": "external",
            "grafanaUrl": "http://grafana.monitoring.svc.cluster.local:3000",
            "grafanaNamespace": "monitoring",
        },
    ),
    "a long-term store and an Alertmanager": (
        EnvName.PROD,
        {
            **dict.fromkeys(("pages", "tickets", "slackChannel", "deadMansSwitch")),
            "remoteWriteUrl": "https://mimir.example.com/api/v1/push",
            "remoteWriteAuth": "bearer",
            "remoteWriteToken": "sentinel-remoteWriteToken",
            "alertmanager": "external",
            "alertmanagerUrl": "https://alerts.example.com/alertmanager",
            "alertmanagerAuth": "basic",
            "alertmanagerUser": "sentinel-alertmanagerUser",
            "alertmanagerToken": "sentinel-alertmanagerToken",
        },
    ),
    "service graph into a long-term store": (
        EnvName.DEV,
        {
            "prometheus": "external",
            "prometheusUrl": "https://metrics.example.com",
            "alertmanager": "external",
            "remoteWriteUrl": "https://metrics.example.com/api/v1/write",
            "remoteWriteAuth": "basic",
            "remoteWriteUser": "sentinel-remoteWriteUser",
            "remoteWriteToken": "sentinel-remoteWriteToken",
        },
    ),
    "Jaeger and VictoriaLogs in a cloud, prod": (
        EnvName.PROD,
        {
            **PERMISSIVE[EnvName.PROD],
            "jaeger": "external",
            "jaegerUrl": "https://traces.example.com:16443/jaeger",
            "jaegerOtlpUrl": "https://otlp.example.com/traces",
            "jaegerAuth": "bearer",
            "jaegerToken": "sentinel-jaegerToken",
            "victorialogs": "external",
            "victorialogsUrl": "https://logs.example.com",
            "victorialogsAuth": "basic",
            "victorialogsUser": "sentinel-victorialogsUser",
            "victorialogsToken": "sentinel-victorialogsToken",
        },
    ),
    "Jaeger and VictoriaLogs of the cluster": (
        EnvName.STAGING,
        {
            **PERMISSIVE[EnvName.STAGING],
            "jaeger": "external",
            "jaegerUrl": "http://jaeger.tracing.svc:16686",
            "jaegerOtlpUrl": "http://jaeger.tracing.svc:4318",
            "victorialogs": "external",
            "victorialogsUrl": "http://vls.logging.svc.cluster.local:9428",
        },
    ),
    "an external Langfuse": (
        EnvName.DEV,
        {
            "langfuse": "external",
            "langfuseUrl": "https://langfuse.example.com:8443",
            "langfuseKeys": "sentinel-langfuseKeys",
        },
    ),
}
"""Stacks of which a part is external: name -> environment and what differs from `SETTINGS`."""
ON_KUBERNETES: Final = tuple(SETTINGS)


def settings_of(name: EnvName, **changed: str | None) -> ClusterSettings:
    """The settings of an environment; `changed` replaces some, None takes one out. Raises SettingsError."""
    raw = {**SETTINGS[name], **{f"agentobs:{key}": value for key, value in changed.items()}}
    given = {key: value for key, value in raw.items() if value is not None}
    secure = [f"agentobs:{key}" for key in secrets.SECRETS]
    return load.parse(given, secure, ENVIRONMENTS[name]).settings


def planned(name: EnvName, **changed: str | None) -> plan.Plan:
    """The plan of an environment with these settings."""
    return plan.make(ENVIRONMENTS[name], settings_of(name, **changed))
