"""A platform in order, as plain facts that a test may spoil one by one.

Not `platform`: scripts beside it would import it for the module of the standard library.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alerts import probing
from alerts.alerting import WATCHDOG
from alerts.routing import Profile, Routing, Webhook, config
from alerts.routing.document import DEAD_MANS_SWITCH, SHOW
from alerts.source import Exemplar, Sample, Series
from runbooks.baseline import Baseline, InUse, Point
from runbooks.checklist import Context, Evidence, Limits
from runbooks.checklist.platform import (
    ActiveAlert,
    Backend,
    BoardState,
    Delivery,
    Headroom,
    LiveCheck,
    RunningRule,
    Sent,
    Silence,
    Trace,
)

NOW = 1_764_000_000.0
WANTED = [
    {"name": "kpi", "rules": [{"record": "kpi:x", "expr": "sum(increase(a_total[5m] anchored))"}]},
    {"name": "alerts", "rules": [{"alert": "Watchdog", "expr": "vector(1)", "labels": {"severity": "ticket"}}]},
]
ROUTING = Routing(
    profile=Profile.SHOW,
    pages=(Webhook(url="https://a.example.com"),),
    tickets=(Webhook(url="https://a.example.com"),),
    dead_mans_switch=Webhook(url="https://b.example.com"),
)


class StoreDownError(RuntimeError):
    """A store that does not answer."""


def running(groups: list[dict[str, Any]] | None = None) -> list[RunningRule]:
    """The rules of `groups` as Prometheus would tell them."""
    return [
        RunningRule(
            group=group["name"],
            name=rule.get("record") or rule["alert"],
            expr=rule["expr"],
            labels=rule.get("labels", {}),
            hold_s=0,
            error="",
            at=NOW - 5,
        )
        for group in (groups or WANTED)
        for rule in group["rules"]
    ]


@dataclass
class Metrics:
    """Answers instant queries from a table."""

    answers: dict[str, Any] = field(default_factory=dict)

    def instant(self, query: str, at: float) -> list[Sample]:  # noqa: ARG002 a protocol
        found = self.answers.get(query, [])
        if isinstance(found, Exception):
            raise found
        return list(found)

    def range(self, query: str, start: float, end: float, step: float) -> list[Series]:  # noqa: ARG002 a protocol
        return [
            Series(sample.labels, [(start, sample.value), (end, sample.value)]) for sample in self.instant(query, end)
        ]

    def exemplars(self, query: str, start: float, end: float) -> list[Exemplar]:  # noqa: ARG002 a protocol
        return []


def healthy_metrics() -> Metrics:
    """Targets up, queues empty, no notification failed."""
    instance = {"job": "collector", "instance": "a", "exporter": "otlp", "rule_group": "kpi"}
    return Metrics(
        {probing.probe(name).expr: [Sample(instance, 0.1)] for name in probing.ROOM.values()}
        | {
            probing.probe(probing.NOTIFICATIONS).expr: [Sample({"integration": "webhook"}, 0.0)],
            "up": [Sample(instance, 1.0)],
        }
    )


@dataclass
class FakePlatform:
    """Facts; an exception in place of one is raised when it is asked for."""

    metrics: Metrics = field(default_factory=healthy_metrics)
    backends_: Any = field(
        default_factory=lambda: [Backend(name="loki", url="http://127.0.0.1:3100/ready", ready=True)]
    )
    rules_: Any = field(default_factory=running)
    wanted: Any = field(default_factory=lambda: WANTED)
    config_: Any = field(default_factory=lambda: config(ROUTING))
    alerts_: Any = field(
        default_factory=lambda: [
            ActiveAlert(labels={"alertname": WATCHDOG.name}, receivers=(DEAD_MANS_SWITCH,), muted_by=())
        ]
    )
    silences_: Any = field(default_factory=list)
    deliveries_: Any = field(default_factory=lambda: {DEAD_MANS_SWITCH: Delivery(requests=9, failed=0)})
    sent: Any = field(default_factory=lambda: Sent(receivers=(SHOW,), took_s=1.2))
    boards_: Any = field(
        default_factory=lambda: [
            BoardState(slug="fleet", title="Fleet", panels=9, with_data=8, due=3, without_data=(), errors=()),
        ]
    )
    grafana_: Any = field(default_factory=lambda: {"fleet": "unchanged"})
    drift_: Any = field(default_factory=list)
    live_: Any = field(
        default_factory=lambda: [
            LiveCheck(subject=subject, what="loki", good=True, message="good")
            for subject in ("processes", "ports", "secrets", "versions")
        ]
    )
    room_: Any = field(
        default_factory=lambda: [
            Headroom(what="disk", free=0.6, message=""),
            Headroom(what="memory", free=0.5, message=""),
        ]
    )
    telemetry_: Any = field(default_factory=list)
    traces_: Any = field(default_factory=list)
    probes: list[Mapping[str, str]] = field(default_factory=list)

    def _tell(self, fact: Any) -> Any:
        if isinstance(fact, Exception):
            raise fact
        return fact

    def backends(self) -> list[Backend]:
        return self._tell(self.backends_)

    def rules(self) -> list[RunningRule]:
        return self._tell(self.rules_)

    def wanted_rules(self) -> list[dict[str, Any]]:
        return self._tell(self.wanted)

    def alertmanager(self) -> Mapping[str, Any]:
        return self._tell(self.config_)

    def wanted_alertmanager(self) -> Mapping[str, Any]:
        return config(ROUTING)

    def alerts(self) -> list[ActiveAlert]:
        return self._tell(self.alerts_)

    def silences(self) -> list[Silence]:
        return self._tell(self.silences_)

    def deliveries(self) -> Mapping[str, Delivery]:
        return self._tell(self.deliveries_)

    def send_probe(self, labels: Mapping[str, str]) -> Sent:
        self.probes.append(labels)
        return self._tell(self.sent)

    def boards(self) -> list[BoardState]:
        return self._tell(self.boards_)

    def grafana(self) -> Mapping[str, str]:
        return self._tell(self.grafana_)

    def drift(self) -> list[str]:
        return self._tell(self.drift_)

    def live(self) -> list[LiveCheck]:
        return self._tell(self.live_)

    def room(self) -> list[Headroom]:
        return self._tell(self.room_)

    def telemetry(self) -> list[str]:
        return self._tell(self.telemetry_)

    def traces(self, query: str, limit: int) -> list[Trace]:  # noqa: ARG002 a protocol
        return self._tell(self.traces_)


def baseline(**changed: Any) -> Baseline:
    """A baseline of `prod`, an hour old, with one KPI."""
    point = Point(
        kpi="task_success", labels={"environment": "prod", "workflow": "support"}, value=0.96, low=0.93, high=0.98,
        numerator=480, events=500, error=0.00876, method="wilson",
    )  # fmt: skip
    version = InUse(dimension="graph", entity={"environment": "prod", "workflow": "support"}, version="3", calls=500)
    facts = {
        "name": "june", "release": "r0", "environment": "prod", "recorded_at": NOW - 3600, "recorded_by": "ada",
        "window_start": NOW - 90_000, "window_end": NOW - 3600, "versions": [version], "points": [point],
        "too_few": [],
    }  # fmt: skip
    return Baseline(**{**facts, **changed})


def context(platform: FakePlatform, evidence: Evidence, **changed: Any) -> Context:
    """Release r1 of `prod`, looked at over a day."""
    facts = {
        "stack": "prod", "environment": "prod", "release": "r1", "start": NOW - 86_400, "end": NOW,
        "evidence": evidence, "baseline": baseline(), "platform": platform,
        "limits": Limits(disk_free=0.15, memory_free=0.1, per_stratum=2), "seed": "r1", "errors": (StoreDownError,),
    }  # fmt: skip
    return Context(**{**facts, **changed})
