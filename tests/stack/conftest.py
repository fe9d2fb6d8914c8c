"""One local stack for the whole tier, brought up by a real `agentobs up` beside whatever runs on this machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page
from support.asking import ALERT_SPEED
from support.browser import browser
from support.ports import free_ports
from support.stores import LOGS, SHOWN, TRACES, lines_of
from support.webhook import Notice, Webhook, webhook

from collector.search import LogLine, LogStore, Span, TraceStore
from dashboards.report import Period, Report, render
from demo.scenarios import SCENARIOS
from stacks.endpoints import Endpoints
from stacks.ports import PORTS
from stacks.reporting import sources

ROOT = Path(__file__).resolve().parents[2]
# Tasks and tasks a second. Without a version every moment is tried at every place, so an effect needs many tasks.
_UNVERSIONED = ("retry-storm", "timeouts", "hallucination", "policy-violation", "crash-loop", "cost-spike")
TRAFFIC = dict.fromkeys(_UNVERSIONED, (300, 12)) | {
    "data-drift": (300, 12),
    "timeouts": (400, 12),
    "graph-change": (400, 10),  # runs per task leave out what lasts as long as two tasks, at both ends
    "crash-loop": (400, 8),  # a crowded machine takes seconds to start a server again
}


# Held for 30 s at this speed after the last task: what looks at an hour (two minutes here) and waits a quarter of it.
SETTLED_S = 75
REPORTED_S = 3600
_TASKS = "agentic_task_calls_total"
# What a report is made of: environment -> what a reader would choose there.
REPORTED = {
    "healthy": {"kpi": "task_success"},
    "tool-regression": {"kpi": "tool_success"},
    "model-swap": {"kpi": "model_cost"},
    "prompt-regression": {"kpi": "agent_success"},
    "graph-change": {"kpi": "task_cost"},
    "hallucination": {},
    "policy-violation": {},
    "cost-spike": {},
    "canary": {"kpi": "task_success"},
}
_CANARY = """
from agentobs import emit
from agentobs.contract import Outcome, Track
telemetry = emit.configure(service="support-desk", version="1.4.0", environment="canary")
for number in range(80):
    for track in (Track.STABLE, Track.CANARY):
        with emit.task(workflow="support", type="refund", graph_version="7", track=track) as task:
            task.outcome = Outcome.FAILURE if track is Track.CANARY and number % 2 else Outcome.SUCCESS
telemetry.shutdown()
"""


@dataclass
class LocalStack:
    """A local stack with a state folder and ports of its own, driven through the command line."""

    home: Path
    ports: dict[str, int] = field(default_factory=lambda: dict(zip(PORTS, free_ports(len(PORTS)), strict=True)))

    def env(self) -> dict[str, str]:
        return {**os.environ, "AGENTOBS_HOME": str(self.home), "NO_COLOR": "1", "COLUMNS": "160"}

    def run(self, *command: str, ok: bool = True, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, env=self.env(), cwd=cwd, capture_output=True, text=True, check=False)
        if ok:
            assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def agentobs(self, *arguments: str, ok: bool = True, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        return self.run(str(Path(sys.executable).parent / "agentobs"), *arguments, ok=ok, cwd=cwd)

    @property
    def up_arguments(self) -> list[str]:
        moved = [word for name, number in self.ports.items() for word in ("--port", f"{name}={number}")]
        return ["up", "--tasks", "0", *moved]

    def up(self, *, ok: bool = True) -> subprocess.CompletedProcess[str]:
        return self.agentobs(*self.up_arguments, ok=ok)

    def down(self) -> None:
        self.agentobs("down", "--delete-data")

    def set(self, key: str, value: str) -> None:
        """Change one setting of the stack; the next `up` applies it."""
        self.agentobs("pulumi", "config", "set", f"agentobs:{key}", value)

    def unset(self, key: str) -> None:
        self.agentobs("pulumi", "config", "rm", f"agentobs:{key}")

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}"

    def use_stores(self) -> None:
        """Those of this run; without it the first `up` decides."""
        self.set("traces", TRACES)
        self.set("logs", LOGS)

    @property
    def endpoints(self) -> Endpoints:
        """The stores as a command reaches them."""
        return Endpoints(urls={name: self.url(name) for name in ("prometheus", LOGS, TRACES)})

    @property
    def traces(self) -> TraceStore:
        store = self.endpoints.traces
        assert store is not None
        return store

    @property
    def logs(self) -> LogStore:
        store = self.endpoints.logs
        assert store is not None
        return store

    def trace(self, trace_id: str) -> list[Span]:
        return self.traces.trace(trace_id)

    def lines(self, environment: str, trace_id: str) -> list[LogLine]:
        """Lines of a trace, of the last hour."""
        now = time.time()
        return self.logs.lines(lines_of(environment, trace_id), now - REPORTED_S, now + 60, 100)

    def demo(
        self, scenario: str, environment: str, *, tasks: int = 60, rate: float = 6, seed: int = 3
    ) -> dict[str, Any]:
        """Run the sample agents; return the truth about what they did."""
        truth = self.home / f"truth-{environment}.json"
        arguments = {
            "scenario": scenario,
            "environment": environment,
            "tasks": tasks,
            "rate": rate,
            "seed": seed,
            "endpoint": self.url("otlp-http"),
            "truth": truth,
        }
        options = [word for key, value in arguments.items() for word in (f"--{key}", str(value))]
        self.run(sys.executable, "-m", "demo", "run", *options)
        return dict(json.loads(truth.read_text()))

    def send_own_metrics(self, environment: str, series: int = 150) -> None:
        """What a program measures itself, beside its telemetry: a gauge with so many values of a label."""
        resource = {"service.name": "queue-worker", "deployment.environment.name": environment}
        points = [
            {"asInt": 1, "timeUnixNano": str(time.time_ns()), "attributes": _attributes({"queue": f"q{number}"})}
            for number in range(series)
        ]
        scope = {"metrics": [{"name": "jobs_waiting", "gauge": {"dataPoints": points}}]}
        body = {"resourceMetrics": [{"resource": {"attributes": _attributes(resource)}, "scopeMetrics": [scope]}]}
        assert requests.post(f"{self.url('otlp-http')}/v1/metrics", json=body, timeout=30).ok

    def query(self, promql: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url('prometheus')}/api/v1/query", params={"query": promql}, timeout=10)
        return list(answer.json()["data"]["result"])

    def value(self, promql: str) -> float:
        """A query with one result; 0 where there is none."""
        result = self.query(promql)
        return float(result[0]["value"][1]) if result else 0.0


def _attributes(values: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def eventually(probe: Callable[[], Any], accept: Callable[[Any], bool], timeout_s: float = 45) -> Any:
    """Ask until the answer is accepted; return the last answer in any case, for the assertion to show."""
    deadline = time.monotonic() + timeout_s
    while not accept(answer := probe()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return answer


@pytest.fixture(scope="session", name="eventually")
def _eventually() -> Callable[..., Any]:
    return eventually


@pytest.fixture(scope="session")
def notified() -> Iterator[Webhook]:
    """What the shared stack's Alertmanager told: pages and tickets."""
    with webhook() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def watched() -> Iterator[Webhook]:
    """The dead man's switch of the shared stack."""
    with webhook() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, notified: Webhook, watched: Webhook) -> Iterator[LocalStack]:
    """The stack that all tests of telemetry share; its alerts run at rehearsal speed and go to `notified`."""
    local = LocalStack(tmp_path_factory.mktemp("stack"))
    local.use_stores()
    local.set("alertSpeed", str(ALERT_SPEED))
    local.set("alertWebhook", notified.url)
    local.set("deadMansSwitchUrl", watched.url)
    # So large that nobody comes near it; shares of it are shown all the same.
    local.set("dailyBudgetUsd", "100000")
    local.up()
    yield local
    local.down()


@pytest.fixture(scope="session")
def truths(stack: LocalStack, quiet: Callable[[], AbstractContextManager[None]]) -> dict[str, dict[str, Any]]:
    """What all scenarios did, a few at a time, each in an environment of its own; returned once all are counted."""

    def play(scenario: str) -> tuple[str, dict[str, Any]]:
        tasks, rate = TRAFFIC.get(scenario, (200, 10))
        truth = stack.demo(scenario, scenario, tasks=tasks, rate=rate)
        # By increases: a crowded machine plays for so long that a series of a rare outcome is silent, and forgotten.
        counted = f'round(sum(increase(agentic_task_calls_total{{environment="{scenario}"}}[1h] anchored)))'
        wanted = truth["totals"][_TASKS]
        assert eventually(lambda: stack.value(counted), lambda value: value >= wanted) == wanted
        return scenario, truth

    stack.send_own_metrics("healthy")
    # Alone, because a crowded machine is slower, and slower is a symptom.
    with quiet():
        played = dict([play("healthy")])
        with ThreadPoolExecutor(2) as pool:
            played.update(pool.map(play, (scenario for scenario in SCENARIOS if scenario != "healthy")))
    return played


@pytest.fixture(scope="session")
def arrived(truths: dict[str, dict[str, Any]], notified: Webhook) -> dict[str, list[Notice]]:
    """First notice of each alert, by scenario, once all had time to come."""
    last = max(truth["ended_at"] for truth in truths.values())
    time.sleep(max(0.0, last + SETTLED_S - time.time()))
    return {scenario: notified.firing(scenario) for scenario in SCENARIOS}


@pytest.fixture(scope="session")
def reports(stack: LocalStack, truths: dict[str, dict[str, Any]]) -> dict[str, Report]:
    """A report of each environment of `REPORTED`, once all alerts had their time."""
    endpoint = f'environment="canary", endpoint="{stack.url("otlp-http")}"'
    stack.run(sys.executable, "-c", _CANARY.replace('environment="canary"', endpoint))
    compared = "count(track:canary_z1h)"
    assert eventually(lambda: stack.value(compared), lambda value: value >= 1, 90) >= 1
    now = time.time()
    period = Period(start=now - REPORTED_S, end=now)
    made = {}
    for environment, chosen in REPORTED.items():
        trace = {"trace": truths[environment]["trace_ids"][0]} if environment in truths else {}
        asked = {"environment": environment, "slower": "1s", **trace, **chosen}
        made[environment] = render(SHOWN, sources(stack.endpoints), period, asked)
    return made


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that a module may break; taken down whatever happens."""
    local = LocalStack(tmp_path_factory.mktemp("own"))
    local.use_stores()
    yield local
    local.down()


@pytest.fixture(scope="module")
def pictures() -> Path:
    """Where pictures stay to be looked at."""
    folder = Path(os.environ.get("AGENTOBS_PICTURES", "") or Path(__file__).parents[2] / ".agentobs" / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module", name="browser")
def _browser() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that notes what goes wrong in it, and may ask nothing of a network."""
    context = browser.new_context(viewport={"width": 1500, "height": 1000}, offline=True)
    opened = context.new_page()
    wrong: list[str] = []
    opened.wrong = wrong  # type: ignore[attr-defined]
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    yield opened
    context.close()
