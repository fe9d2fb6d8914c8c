"""Prod in small on the node: the collector's two tiers with tokens and TLS, and one of each store on a volume.

From the plan of prod with other sizes; what prod gets from elsewhere (object storage, sign-on) is left out.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from stacks.cluster import load, plan
from stacks.cluster.plan import Plan
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.sizes import DEV, Size, Sizes
from support.clusters import SECRETS, SETTINGS
from support.node.platform import AGENTS
from support.stores import CHOSEN, LOGS, TRACES

NAMESPACE: Final = "agentobs-prod"
TOKEN: Final = SECRETS["agentobs:otlpTokens"]
SAMPLERS: Final = 2
_WORKLOADS: Final = ("collector", "collector-sampler", "prometheus", TRACES, LOGS)
_TLS: Final = "collector-tls"
_SIZES: Final[Sizes] = {
    **{name: replace(size, cpu=20, cpu_burst=20) for name, size in DEV.items()},
    "collector": Size(cpu=20, memory_mib=256, replicas=2, cpu_burst=20),
    "collector-sampler": Size(cpu=20, memory_mib=256, disk_mib=2048, replicas=SAMPLERS, cpu_burst=20),
}


def small_prod() -> Plan:
    """The plan of prod for a small node."""
    prod = ENVIRONMENTS[EnvName.PROD]
    assert prod.cluster
    settings = load.parse(SETTINGS[EnvName.PROD], SECRETS, prod).settings
    changed = {"namespace": NAMESPACE, "pull_policy": "IfNotPresent", "langfuse": "off", "objects_endpoint": None}
    changed |= {"traces": CHOSEN.traces, "logs": CHOSEN.logs, "loki_bucket": None, "tempo_bucket": None}
    small = replace(prod, cluster=replace(prod.cluster, sizes=_SIZES, zones=False))
    return plan.make(small, settings.model_copy(update=changed))


def manifests(folder: Path) -> Iterator[dict[str, Any]]:
    """What is put on the node, in this order; secrets with made-up values. `folder` gets the certificate."""
    for manifest in small_prod().manifests:
        owner = manifest["metadata"]["labels"].get("app.kubernetes.io/name")
        if owner is not None and owner not in _WORKLOADS:
            continue
        if manifest["kind"] == "Secret":
            values = manifest["stringData"]
            manifest["stringData"] = {key: SECRETS.get(f"agentobs:{name}", name) for key, name in values.items()}
        yield manifest
        if (manifest["kind"], manifest["metadata"]["name"]) == ("Namespace", NAMESPACE):
            yield from certificates(folder)


def certificates(folder: Path) -> Iterator[dict[str, Any]]:
    """The certificate of both tiers, as cert-manager would keep it; and its authority for those who send."""
    names = f"subjectAltName=DNS:collector.{NAMESPACE},DNS:collector-sampler"
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-addext", names, "-addext", "basicConstraints=CA:FALSE")
    for name, more in (("ca", ()), ("tls", signed)):
        files = ("-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")
        subprocess.run(["openssl", "req", "-x509", *key, *more, *files], cwd=folder, check=True, capture_output=True)
    values = {name: (folder / name).read_text() for name in ("ca.crt", "tls.crt", "tls.key")}
    base = {"apiVersion": "v1", "kind": "Secret"}
    yield {**base, "metadata": {"name": _TLS, "namespace": NAMESPACE}, "stringData": values}
    trusted = {"ca.crt": values["ca.crt"]}
    yield {**base, "metadata": {"name": _TLS, "namespace": AGENTS}, "stringData": trusted}


def sender(pod: dict[str, Any]) -> dict[str, Any]:
    """The pod with what the door of prod asks of a sender: a token, and trust in its authority."""
    container = pod["spec"]["containers"][0]
    container["env"] = [
        {"name": "OTEL_EXPORTER_OTLP_HEADERS", "value": f"Authorization=Bearer%20{TOKEN}"},
        {"name": "OTEL_EXPORTER_OTLP_CERTIFICATE", "value": "/trusted/ca.crt"},
    ]
    container["volumeMounts"].append({"name": "trusted", "mountPath": "/trusted"})
    pod["spec"]["volumes"].append({"name": "trusted", "secret": {"secretName": _TLS}})
    return pod
