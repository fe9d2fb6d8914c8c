"""External services, as an operator's settings name them."""

from collections.abc import Iterator

from stacks.cluster.settings import ClusterSettings
from stacks.deployment import External


def external(settings: ClusterSettings) -> Iterator[External]:
    """The services that are not deployed here; only those of which the address is known."""
    if settings.prometheus == "external" and settings.prometheus_url:
        url = settings.prometheus_url
        otlp = settings.prometheus_otlp_url or f"{url}/api/v1/otlp"
        yield External(name="prometheus", url=url, otlp_url=otlp, auth=settings.prometheus_auth)
    if settings.remote_write_url:
        yield External(name="remoteWrite", url=settings.remote_write_url, auth=settings.remote_write_auth)
    if settings.alertmanager == "external" and settings.alertmanager_url:
        yield External(name="alertmanager", url=settings.alertmanager_url, auth=settings.alertmanager_auth)
    if settings.leaves("loki") and settings.loki_url:
        url = settings.loki_url
        yield External(name="loki", url=url, otlp_url=settings.loki_otlp_url or f"{url}/otlp", auth=settings.loki_auth)
    if settings.leaves("victorialogs") and settings.victorialogs_url:
        url = settings.victorialogs_url
        otlp = settings.victorialogs_otlp_url or f"{url}/insert/opentelemetry"
        yield External(name="victorialogs", url=url, otlp_url=otlp, auth=settings.victorialogs_auth)
    if settings.leaves("tempo") and settings.tempo_url:
        otlp = settings.tempo_otlp_url or ""
        yield External(name="tempo", url=settings.tempo_url, otlp_url=otlp, auth=settings.tempo_auth)
    if settings.leaves("jaeger") and settings.jaeger_url:
        otlp = settings.jaeger_otlp_url or ""
        yield External(name="jaeger", url=settings.jaeger_url, otlp_url=otlp, auth=settings.jaeger_auth)
    if settings.grafana == "external" and settings.grafana_url:
        yield External(name="grafana", url=settings.grafana_url)
    if settings.langfuse == "external" and settings.langfuse_url:
        yield External(name="langfuse", url=settings.langfuse_url)
