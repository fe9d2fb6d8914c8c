"""What a checklist asks of a platform: a protocol and the facts it answers with. Clients are with the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from alerts.source import MetricsSource
from collector.search import SpanSearch, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One part of the platform and whether it is ready; `message` is why not."""

    name: str
    url: str
    ready: bool
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningRule:
    """A rule as Prometheus has it. `error` is empty where its last evaluation went well; `at` is when that was."""

    group: str
    name: str
    expr: str
    labels: Mapping[str, str]
    hold_s: float
    error: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveAlert:
    """An alert in Alertmanager, whom it goes to, and what mutes it."""

    labels: Mapping[str, str]
    receivers: Sequence[str]
    muted_by: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A silence that is in force: its matchers as text, until when (unix seconds), whose."""

    matchers: Sequence[str]
    until: float
    by: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What Alertmanager counted for one receiver since it started: requests made, and those that failed."""

    requests: float
    failed: float

    @property
    def delivered(self) -> float:
        """Requests that succeeded."""
        return self.requests - self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of a probe alert: `receivers` it went to, empty `message` where all took it."""

    receivers: Sequence[str]
    took_s: float
    message: str = ""
    muted_by: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """A board for one environment.

    `due` panels show a KPI that has traffic there, `without_data` are those of them that are empty; `errors` say why.
    """

    slug: str
    title: str
    panels: int
    with_data: int
    due: int
    without_data: Sequence[str]
    errors: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCheck:
    """Something looked at on the machines themselves. `subject` groups: processes, ports, secrets, versions."""

    subject: str
    what: str
    good: bool
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """A share of something that is free, such as a disk or the memory."""

    what: str
    free: float
    message: str


class Platform(Protocol):
    """The running platform. Every method raises one of the context's errors where the part asked does not answer."""

    @property
    def metrics(self) -> MetricsSource:
        """The store of KPIs."""

    def backends(self) -> list[Backend]:
        """Every part with its readiness; raises nothing."""

    def rules(self) -> list[RunningRule]:
        """The rules that Prometheus runs."""

    def wanted_rules(self) -> list[dict[str, Any]]:
        """The groups of rules that this stack's settings render to."""

    def alertmanager(self) -> Mapping[str, Any]:
        """The configuration that Alertmanager runs with."""

    def wanted_alertmanager(self) -> Mapping[str, Any]:
        """The configuration that this stack's settings render to."""

    def alerts(self) -> list[ActiveAlert]:
        """The alerts that Alertmanager has."""

    def silences(self) -> list[Silence]:
        """The silences in force."""

    def deliveries(self) -> Mapping[str, Delivery]:
        """What was delivered, by receiver."""

    def send_probe(self, labels: Mapping[str, str]) -> Sent:
        """Send an alert of these labels to Alertmanager, wait until it is delivered, and resolve it."""

    def boards(self) -> list[BoardState]:
        """Every board, evaluated for the environment."""

    def grafana(self) -> Mapping[str, str]:
        """The boards in Grafana: slug -> new, unchanged, changed or edited."""

    def drift(self) -> list[str]:
        """What a preview of the stack would change."""

    def live(self) -> list[LiveCheck]:
        """What was found on the machines."""

    def room(self) -> list[Headroom]:
        """Disks and memory."""

    def telemetry(self) -> list[str]:
        """Required parts of telemetry that are missing."""

    def traces(self, search: SpanSearch, limit: int) -> list[Trace]:
        """Traces of the window that a search wants, newest first."""
