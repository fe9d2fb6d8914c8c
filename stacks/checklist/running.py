"""The running platform as the deployment checklist asks it: stores over HTTP, Pulumi, the machine.

What several items ask is asked once. Not here: what is good (`runbooks.checklist`), the command (`checklist`).
"""

import functools
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import requests
import testinfra
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

import toolchain
from agentobs.errors import AgentobsError
from alerts.prometheus import Prometheus
from alerts.timing import Timing
from collector.check import Severity
from collector.search import SpanSearch, Trace
from dashboards import documents
from dashboards.boards import BOARDS
from dashboards.lib.stores import adapted
from dashboards.report import Period
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
)
from stacks import live as machine
from stacks.checklist import coverage, rendered
from stacks.clients.alertmanager import Alertmanager
from stacks.clients.grafana import Grafana
from stacks.cluster import live as pods
from stacks.cluster.rollout import connect
from stacks.components import prometheus as component
from stacks.endpoints import Endpoints
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.reporting import sources
from stacks.telemetry import Scope, examine
from stacks.workspace import Workspace, WorkspaceError

ERRORS: Final = (AgentobsError, toolchain.ToolchainError)
_TIMEOUT_S: Final = 10
_READY: Final = {
    "prometheus": "/-/ready", "alertmanager": "/-/ready", "loki": "/ready", "tempo": "/ready",
    "victorialogs": "/health", "jaeger": "/api/services",
}  # fmt: skip
_GROUP_WAIT_S: Final = 30
_PATIENCE_S: Final = 30
_TRACES: Final = 100


class RunningStack:
    """One stack, for one environment of telemetry and one window (unix seconds). Raises one of ERRORS."""

    def __init__(
        self,
        workspace: Workspace,
        stores: Endpoints,
        period: Period,
        environment: str,
        grafana: Grafana | None = None,
    ) -> None:
        self._workspace = workspace
        self._stores = stores
        self._period = period
        self._environment = environment
        self._grafana = grafana
        urls, headers = stores.urls, stores.headers
        self._metrics = stores.metrics
        self._alertmanager = Alertmanager(urls["alertmanager"], headers.get("alertmanager"))

    @property
    def metrics(self) -> Prometheus:
        """The store of KPIs."""
        return self._metrics

    @property
    def is_local(self) -> bool:
        """Whether the stack runs as processes on this computer."""
        return ENVIRONMENTS[EnvName(self._workspace.stack)].cluster is None

    @functools.cached_property
    def _rendered(self) -> rendered.Rendered:
        return rendered.of_stack(self._workspace)

    def backends(self) -> list[Backend]:
        """Every part with its readiness."""
        if self.is_local:
            urls = {spec.name: spec.ready_url for spec in self._rendered.specs}
        else:
            urls = {name: self._stores.urls[name] + path for name, path in _READY.items() if name in self._stores.urls}
        return [_readiness(name, url) for name, url in urls.items()]

    @functools.cached_property
    def _rules(self) -> list[RunningRule]:
        return [_rule(group["name"], rule) for group in self._metrics.rules() for rule in group["rules"]]

    def rules(self) -> list[RunningRule]:
        """The rules that Prometheus runs."""
        return self._rules

    def wanted_rules(self) -> list[dict[str, Any]]:
        """The groups of rules that the settings render to."""
        return self._rendered.rules()

    def alertmanager(self) -> Mapping[str, Any]:
        """The configuration that Alertmanager runs with."""
        return self._alertmanager.config()

    def wanted_alertmanager(self) -> Mapping[str, Any]:
        """The configuration that the settings render to."""
        return self._rendered.alertmanager()

    def alerts(self) -> list[ActiveAlert]:
        """The alerts that Alertmanager has."""
        return self._alertmanager.alerts()

    def silences(self) -> list[Silence]:
        """The silences in force."""
        return self._alertmanager.silences()

    def deliveries(self) -> Mapping[str, Delivery]:
        """What was delivered, by receiver."""
        return self._alertmanager.deliveries()

    def send_probe(self, labels: Mapping[str, str]) -> Sent:
        """Send an alert and wait until it is delivered; a group waits before its first notification."""
        speed = Timing(self._rendered.deployment.alert_speed)
        return self._alertmanager.probe(labels, speed.seconds(_GROUP_WAIT_S), _PATIENCE_S)

    def boards(self) -> list[BoardState]:
        """Every board, evaluated for the environment."""
        every = [adapted(board, self._stores.kinds) for board in BOARDS]
        return coverage.boards(every, sources(self._stores), self._period, self._environment)

    def grafana(self) -> Mapping[str, str]:
        """The boards in Grafana: slug -> new, unchanged, changed or edited."""
        if self._grafana is None:
            return {}
        pages = documents.runbooks(component.links(self._rendered.deployment))
        wanted = documents.provisioned(documents.Sites(runbooks=pages, stores=self._stores.kinds), editable=True)
        return {plan_.slug: str(plan_.state) for plan_ in self._grafana.plans(wanted)}

    def drift(self) -> list[str]:
        """What a preview would change, after a look at what really runs."""
        with self._workspace.exclusive():
            said = self._workspace.pulumi("preview", "--json", "--refresh", quiet=True)
        steps = json.loads(said).get("steps", [])
        return [
            f"{step['op']} {step['urn'].rpartition('::')[2]}" for step in steps if step["op"] not in {"same", "refresh"}
        ]

    @functools.cached_property
    def _live(self) -> list[LiveCheck]:
        made = self._rendered.plan
        if made is None:
            return machine.examine(testinfra.get_host("local://"), rendered.expected(self._workspace, self._rendered))
        return [*pods.checks(self._pods, made)]

    @functools.cached_property
    def _pods(self) -> list[Any]:
        made = self._rendered.plan
        try:
            return pods.found(connect(self._rendered.context), made.namespace) if made else []
        except (ConfigException, ApiException, HTTPError) as error:
            raise WorkspaceError(f"the cluster of context {self._rendered.context} does not answer: {error}") from None

    def live(self) -> list[LiveCheck]:
        """What was found on this computer, or of the pods."""
        return self._live

    @functools.cached_property
    def _room(self) -> list[Headroom]:
        made = self._rendered.plan
        if made is None:
            here = testinfra.get_host("local://")
            return [*machine.disk(here, str(self._workspace.layout.data)), *machine.memory(here)]
        return [*pods.room(self._pods, made, self._rendered.context)]

    def room(self) -> list[Headroom]:
        """Disks that stores write to, and on this computer its memory."""
        return self._room

    def telemetry(self) -> list[str]:
        """Required parts of telemetry that are missing."""
        scope = Scope(
            start=self._period.start, end=self._period.end, environment=self._environment, most_traces=_TRACES
        )
        found = examine(self._metrics, self._stores.traces, scope, lambda _done, _total: None).findings
        return [f"{each.service}: {each.what}" for each in found if each.severity is Severity.REQUIRED]

    def traces(self, search: SpanSearch, limit: int) -> list[Trace]:
        """Traces of the window that a search wants; none where no store of traces was named."""
        store = self._stores.traces
        return store.find(search, self._period.start, self._period.end, limit) if store else []


def _readiness(name: str, url: str) -> Backend:
    try:
        answer = requests.get(url, timeout=_TIMEOUT_S)
    except requests.ConnectionError:
        return Backend(name=name, url=url, ready=False, message=f"nobody answers at {url}")
    except requests.RequestException as error:
        return Backend(name=name, url=url, ready=False, message=f"{url} did not answer: {type(error).__name__}")
    said = "" if answer.ok else f"{url} answers {answer.status_code}: {' '.join(answer.text.split())[:120]}"
    return Backend(name=name, url=url, ready=answer.ok, message=said)


def _rule(group: str, rule: Mapping[str, Any]) -> RunningRule:
    return RunningRule(
        group=group,
        name=rule["name"],
        expr=rule["query"],
        labels=rule.get("labels") or {},
        hold_s=float(rule.get("duration", 0)),
        error=rule.get("lastError", "") or ("its health is bad" if rule.get("health") == "err" else ""),
        at=datetime.fromisoformat(rule["lastEvaluation"]).timestamp(),
    )
