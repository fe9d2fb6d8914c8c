"""The one table of container images: tag, digest of the multi-platform index, and the native version that tests ran.

A digest is listed when independent public repositories pin the same one for that tag; `agreeing` says how many were
found. Not here: how native binaries are made (`toolchain/table.py`).
"""

from dataclasses import dataclass
from typing import Final

_HUB: Final = "docker.io"
LEAST_AGREEING: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image. `native` is the version of the binary that tests build and run; None where they build none.

    Where `native` differs from the tag, `reason` says why, and where it is None for a program that could be built.
    `entrypoint` is given to the container where our arguments follow it; empty, the image's own counts.
    """

    repository: str
    tag: str
    digest: str
    agreeing: int
    entrypoint: str = ""
    native: str | None = None
    reason: str = ""

    def at(self, registry: str | None) -> str:
        """`repository:tag@sha256:...`, from a mirror where one is named: people read the tag, the node the digest."""
        host, _, path = self.repository.partition("/")
        return f"{registry or host}/{path}:{self.tag}@sha256:{self.digest}"


IMAGES: Final[dict[str, Image]] = {
    "collector": Image(
        repository=f"{_HUB}/otel/opentelemetry-collector-contrib",
        tag="0.161.0",
        digest="fd328de2552466ad78385e1b1289c3f2402b1c45f265b252aab1955b42845ac1",
        entrypoint="/otelcol-contrib",
        agreeing=9,
        native="0.161.0",
    ),
    "prometheus": Image(
        repository=f"{_HUB}/prom/prometheus",
        tag="v3.15.0",
        digest="efd719c99d83b060d9daefdcf00360461adf279f45ef5391f8d111892118753e",
        entrypoint="/bin/prometheus",
        agreeing=10,
        native="3.16.0",
        reason="no digest of v3.16.0 is public in two places yet",
    ),
    "alertmanager": Image(
        repository=f"{_HUB}/prom/alertmanager",
        tag="v0.31.1",
        digest="88b605de9aba0410775c1eb3438f951115054e0d307f23f274a4c705f51630c1",
        entrypoint="/bin/alertmanager",
        agreeing=3,
        native="0.31.1",
    ),
    "loki": Image(
        repository=f"{_HUB}/grafana/loki",
        tag="3.7.8",
        digest="1107dd5274e0ada47e42472b7a7e71f3b2a2fe878878108f3e2f9e51528f0193",
        entrypoint="/usr/bin/loki",
        agreeing=6,
        reason="under the AGPL, hence never built; its configuration is checked against its reference",
    ),
    "tempo": Image(
        repository=f"{_HUB}/grafana/tempo",
        tag="2.10.8",
        digest="f0561deb1c68ec44d6e6e7e4487f30106c4e5e768642077695b37958b105812a",
        entrypoint="/tempo",
        agreeing=7,
        reason="under the AGPL, hence never built; its configuration is checked against its reference",
    ),
    "jaeger": Image(
        repository=f"{_HUB}/jaegertracing/jaeger",
        tag="2.21.0",
        digest="3d0ac795ff98aa04d1be04311d2dac6c25b4bfc8322dc02e53bc5b170c5018c3",
        entrypoint="/cmd/jaeger/jaeger-linux",
        agreeing=3,
        native="2.13.0",
        reason="2.13.0 is the newest that is published as a Go module, under its other number v1.76.0",
    ),
    "victoria-logs": Image(
        repository=f"{_HUB}/victoriametrics/victoria-logs",
        tag="v1.52.0",
        digest="47b820890d64c4575a2a0a46415dcd8a4fd59a0f1fcd6a377693d7aea639442e",
        entrypoint="/victoria-logs-prod",
        agreeing=6,
        native="1.52.1",
        reason="no digest of v1.52.1 is public in two places yet",
    ),
    "grafana": Image(
        repository=f"{_HUB}/grafana/grafana",
        tag="13.2.3",
        digest="b28bae15e219c998fb0e0424ed724930cc61b1f61fb404d47c862f9a23f9e572",
        agreeing=6,
    ),
    "kube-state-metrics": Image(
        repository="registry.k8s.io/kube-state-metrics/kube-state-metrics",
        tag="v2.18.0",
        digest="1545919b72e3ae035454fc054131e8d0f14b42ef6fc5b2ad5c751cafa6b2130e",
        entrypoint="/kube-state-metrics",
        agreeing=8,
        native="2.18.0",
    ),
    "langfuse-web": Image(
        repository=f"{_HUB}/langfuse/langfuse",
        tag="4.50.0",
        digest="3d2ae888a0e6edb41fdba6e7d5baca5e4baede3a870dac7970dadd9d925b018e",
        agreeing=3,
    ),
    "langfuse-worker": Image(
        repository=f"{_HUB}/langfuse/langfuse-worker",
        tag="4.50.0",
        digest="52f7fd41ded2f1a6acab13ff7cb1832d36dfe2cbf44adea402b7a09cfa4ce800",
        agreeing=4,
    ),
    # Langfuse needs 25.12 or newer and below 26.8, which reads its times wrongly.
    "clickhouse": Image(
        repository=f"{_HUB}/clickhouse/clickhouse-server",
        tag="25.12.5",
        digest="cacf32d6884291dc2ff5e0156a97f46fc53ff7c929a7906d114e268a929dfd3a",
        entrypoint="/usr/bin/clickhouse-server",
        agreeing=4,
    ),
    "postgres": Image(
        repository=f"{_HUB}/library/postgres",
        tag="17.11",
        digest="d74eeac9a635390a49bc21bd49fccd973de707e2a53a76ac49b552b8712ec46f",
        agreeing=6,
    ),
    "valkey": Image(
        repository=f"{_HUB}/valkey/valkey",
        tag="9.1.1",
        digest="70739f85ad2ee01a726a965584a0f94895f01b0c60b3cc8b0aeef11eaa6888cf",
        entrypoint="valkey-server",
        agreeing=2,
    ),
    "objects": Image(
        repository=f"{_HUB}/chrislusf/seaweedfs",
        tag="4.48",
        digest="4e61d15fd35994cb1e43e1e553dff106794841fd9a99ade2fc8c8bfce4d7872d",
        entrypoint="weed",
        agreeing=8,
    ),
}
VICTORIALOGS_PLUGIN: Final = "0.32.0"
"""Grafana's data source of VictoriaLogs, which is not built in; two public repositories pin this version."""
