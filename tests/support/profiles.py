"""Profiles for collectors under test: everything on loopback, stores played by whatever the test gives."""

from pathlib import Path

from collector import redaction
from collector.delivery import Disk
from collector.pipeline import assemble
from collector.prices import load as load_prices
from collector.profile import Backends, Listen, Profile, Tier
from collector.tiers import Token
from support.capture import Capture
from support.otelcol import Collector
from support.ports import free_ports


def listen(http: int, health: int) -> Listen:
    """OTLP/HTTP and health where the test wants them, the rest on free ports."""
    grpc, metrics, kpi = free_ports(3)
    return Listen(
        otlp_grpc=f"127.0.0.1:{grpc}",
        otlp_http=f"127.0.0.1:{http}",
        health=f"127.0.0.1:{health}",
        metrics_host="127.0.0.1",
        metrics_port=metrics,
        kpi=f"127.0.0.1:{kpi}",
    )


def single(folder: Path, *, http: int, health: int, sink_http: int, sink_grpc: int) -> Profile:
    """One collector that does everything, all stores behind one sink."""
    sink, keys = f"http://127.0.0.1:{sink_http}", folder / "langfuse-keys"
    keys.write_text("c3ludGhldGljOmtleQ==\n")  # synthetic:key
    return Profile(
        tier=Tier.SINGLE,
        listen=listen(http, health),
        backends=Backends(
            traces_grpc=f"127.0.0.1:{sink_grpc}",
            prometheus_url=sink,
            logs_url=sink,
            langfuse_url=sink,
            langfuse_keys=Token(file=str(keys)),
        ),
        instance="collector-0",
        disk=Disk(directory=f"{folder}/queue"),
        content=redaction.PROD,
    )


def collector_for(
    folder: Path, prometheus_url: str, store: Capture, instance: str, traces_grpc: str = "127.0.0.1:1"
) -> Collector:
    """A collector of the local shape that counts into a real Prometheus; logs go to `store`, traces where one says."""
    http, health = free_ports(2)
    folder.mkdir(parents=True, exist_ok=True)
    profile = Profile(
        tier=Tier.SINGLE,
        listen=listen(http, health),
        backends=Backends(traces_grpc=traces_grpc, prometheus_url=prometheus_url, logs_url=store.url),
        instance=instance,
        disk=Disk(directory=f"{folder}/queue"),
        content=redaction.LOCAL,
    )
    config = assemble(profile, load_prices())
    # Without a queue that tries for minutes where nothing listens.
    config["exporters"]["otlp_grpc/tempo"] = {"endpoint": traces_grpc, "tls": {"insecure": True}}
    return Collector(config, folder, http, health)
