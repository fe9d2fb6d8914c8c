"""The doors of a collector and the hop between two tiers: who may send, and which sampler gets a trace.

All spans of a trace must reach one sampler, so the edge picks it by trace id. Each sampler has a queue of its own in
the edge's memory and is tried again without end: `load_balancing` can also queue and retry on top of that, but it then
repeats the share of every healthy sampler whenever one fails, and repeated spans are counted twice. Spans cross this
hop normalised and not yet redacted: use TLS outside of tests. Not here: what a tier does with a span (`pipeline.py`).
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collector.profile import Profile

EXPORTER: Final = "load_balancing/samplers"
_DOOR_TOKENS: Final = "bearertokenauth/door"
_HOP_TOKEN: Final = "bearertokenauth/hop"  # noqa: S105 the name of an extension
_MIB: Final = 2**20
DOOR_MIB: Final = 4
"""The largest request that a door takes, unpacked. Reading it costs stack and time by the depth of its values."""
MOST_DOOR_MIB: Final = 8
"""What an operator may raise it to: values nested through 13 MiB end a collector, whatever memory it has."""
_HOP_TIMES: Final = 4  # the edge adds attributes to what it took, and never nests it deeper
# A stranger's request over gRPC is read before its token is asked for. What is left to bound is how many one connection
# has under way, and for how long it may keep an unfinished one. SDKs have one under way, a collector that forwards ten.
_STREAMS: Final = 16
_CONNECTIONS: Final = {
    "max_connection_idle": "5m",
    "max_connection_age": "10m",  # senders then come back, and find collectors that are new
    "max_connection_age_grace": "1m",  # longer than a request may take: none is cut off and sent twice
    "time": "1m",
    "timeout": "20s",
}
# What SDKs speak. A frame of zstd of a few bytes may ask for a window of 512 MiB before it is found to be wrong.
_ENCODINGS: Final = ("", "gzip", "deflate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Where bearer tokens are: an environment variable with one, or a file with one per line, first field counts.

    A file is read again when it changes, so tokens rotate without a restart: a door accepts every line, a client sends
    the first. An unset variable or a missing file admits nobody.
    """

    variable: str | None = None
    file: str | None = None

    def __post_init__(self) -> None:
        if (self.variable is None) == (self.file is None):
            raise ValueError("Token: give either variable or file")

    def extension(self) -> dict[str, Any]:
        """Configuration of `bearertokenauth`."""
        return {"filename": self.file} if self.file else {"token": "${env:" + str(self.variable) + "}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """Certificate of a door; with `client_ca` only clients with a certificate of that authority may connect."""

    certificate: str
    key: str
    client_ca: str | None = None

    def section(self) -> dict[str, Any]:
        """The `tls` section of a receiver. Files are read again, so that certificates renew without a restart."""
        client = {"client_ca_file": self.client_ca, "client_ca_file_reload": True} if self.client_ca else {}
        return {"cert_file": self.certificate, "key_file": self.key, "reload_interval": "5m", **client}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """Whom a client trusts, and who it is; without `ca` the authorities of the system count.

    `server_name` is needed where the certificate names the service and not each of its members.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    server_name: str | None = None

    def section(self) -> dict[str, Any]:
        """The `tls` section of an exporter."""
        named = {
            "ca_file": self.ca,
            "cert_file": self.certificate,
            "key_file": self.key,
            "server_name_override": self.server_name,
        }
        return {"reload_interval": "5m", **{key: value for key, value in named.items() if value}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """The door for OTLP, gRPC and HTTP: without a token everybody may send who can connect.

    Over HTTP the token is asked for before a body is read; gRPC reads and decodes first, so `max_request_mib`, the size
    of a request when unpacked, is all that bounds what a stranger can cost.
    """

    token: Token | None = None
    tls: ServerTls | None = None
    max_request_mib: int = DOOR_MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Samplers:
    """How an edge finds and reaches the samplers. Give one of the three ways to find them.

    `hosts`: fixed `host:port` names, for example of the members of a StatefulSet. A restarting member keeps its share:
    what is meant for it waits. The other two follow the living members, and each change moves traces in flight.
    `dns`: a headless service, `host:port`; `kubernetes`: `service.namespace:port`, which needs the right to watch
    EndpointSlices. What waits for a member whose address is gone is lost with them.
    `queue_mib` bounds what waits per sampler. Keep it above the memory limit: then the door refuses before a request is
    divided, and a client that sends it again repeats nothing.
    """

    hosts: tuple[str, ...] = ()
    dns: str | None = None
    kubernetes: str | None = None
    token: Token | None = None
    tls: ClientTls | None = None
    queue_mib: int = 4096
    timeout_s: float = 30
    compression: str = "none"

    def __post_init__(self) -> None:
        if sum(map(bool, (self.hosts, self.dns, self.kubernetes))) != 1:
            raise ValueError("Samplers: give one of hosts, dns and kubernetes")
        if self.token and not self.tls:
            raise ValueError("Samplers: a token needs tls; gRPC sends none over a connection in plain text")


def _resolver(samplers: Samplers) -> dict[str, Any]:
    if samplers.hosts:
        return {"static": {"hostnames": list(samplers.hosts)}}
    if samplers.dns:
        name, _, port = samplers.dns.rpartition(":")
        return {"dns": {"hostname": name, "port": port, "interval": "5s", "timeout": "2s"}}
    name, _, port = str(samplers.kubernetes).rpartition(":")
    return {"k8s": {"service": name, "ports": [int(port)]}}


def exporter(samplers: Samplers) -> dict[str, Any]:
    """Configuration of `load_balancing`; spans and log records go by trace id, records without one to any sampler."""
    auth = {"auth": {"authenticator": _HOP_TOKEN}} if samplers.token else {}
    return {
        "routing_key": "traceID",
        "resolver": _resolver(samplers),
        "protocol": {
            "otlp": {
                "timeout": f"{samplers.timeout_s:g}s",
                "compression": samplers.compression,
                "tls": samplers.tls.section() if samplers.tls else {"insecure": True},
                **auth,
                "retry_on_failure": {"initial_interval": "500ms", "max_interval": "5s", "max_elapsed_time": "0s"},
                "sending_queue": {"sizer": "bytes", "queue_size": samplers.queue_mib * _MIB, "num_consumers": 4},
            }
        },
    }


def receiver(ingress: Ingress, grpc: str, http: str) -> dict[str, Any]:
    """Configuration of the `otlp` receiver that is the door; both arguments are `host:port`."""
    guard: dict[str, Any] = {}
    if ingress.token:
        # The token names the tenant, see `tenant`.
        guard = {"auth": {"authenticator": _DOOR_TOKENS}, "include_metadata": True}
    if ingress.tls:
        guard["tls"] = ingress.tls.section()
    return {
        "protocols": {
            "grpc": {
                "endpoint": grpc,
                "max_recv_msg_size_mib": ingress.max_request_mib,
                "max_concurrent_streams": _STREAMS,
                "keepalive": {"server_parameters": dict(_CONNECTIONS)},
                **guard,
            },
            "http": {
                "endpoint": http,
                "max_request_body_size": ingress.max_request_mib * _MIB,
                "compression_algorithms": [*_ENCODINGS],
                **guard,
            },
        }
    }


def limited(ingress: Ingress, door_mib: int, *, hop: bool) -> Ingress:
    """The door that takes `door_mib`; `hop` is the one behind the edge."""
    return replace(ingress, max_request_mib=door_mib * (_HOP_TIMES if hop else 1))


def ingress_parts(profile: "Profile") -> dict[str, dict[str, Any]]:
    """The door of `profile` and, for an edge, the way to its samplers: extensions, receivers and exporters."""
    tokens = {_DOOR_TOKENS: profile.ingress.token, _HOP_TOKEN: profile.samplers.token if profile.samplers else None}
    listen = profile.listen
    return {
        "extensions": {name: token.extension() for name, token in tokens.items() if token},
        "receivers": {"otlp": receiver(profile.ingress, listen.otlp_grpc, listen.otlp_http)},
        "exporters": {EXPORTER: exporter(profile.samplers)} if profile.samplers else {},
    }


_POD: Final = tuple(
    f"k8s.{name}"
    for name in ("namespace.name", "pod.name", "pod.uid", "deployment.name", "statefulset.name", "node.name")
)


def kubernetes_attributes() -> dict[str, Any]:
    """Processors that name the pod that telemetry comes from, by the address of its connection, not by its claims.

    `k8s_attributes` keeps what is there already, so claims go first. Only in the first tier: behind it, the address is
    the edge's. Who forwards for others is the one that is named.
    """
    claims = [{"key": key, "action": "delete"} for key in (*_POD, "k8s.pod.ip")]
    found = {
        "auth_type": "serviceAccount",
        "extract": {"metadata": [*_POD]},
        "pod_association": [{"sources": [{"from": "connection"}]}],
    }
    return {"resource/claims": {"attributes": claims}, "k8s_attributes": found}
