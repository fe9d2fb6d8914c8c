"""Every example, installed and run as its page says: what it prints, what is counted of it, what the check says."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import examples
from support.capture import capturing
from support.example_truth import expected, measured
from support.otelcol import Collector
from support.profiles import collector_for
from support.prometheus import Prometheus, prometheus_at
from support.real_stores import jaeger_at

from alerts import prometheus as asked
from stacks.clients.jaeger import Jaeger
from stacks.telemetry import Scope, examine

ASKED_FOR, ANSWERED = "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"
# Under which name a framework's spans have the model; this one's do not have what was asked for.
MODEL = {"openai-agents": ANSWERED}
# What the check would like to have and no framework tells: what a whole task used.
UNTOLD = {"agentic.task.cost_usd", "agentic.task.tokens"}
PLAN = {"agentic.plan.steps_planned", "agentic.plan.steps_completed"}
UNTOLD_TOO = {
    "google-adk": {"service.instance.id"},  # resources are those of its own set-up
    "ai-sdk": {"service.instance.id", "agentic.task.type", *PLAN},  # the package for Node opens no task
}
PATIENCE_S = 90
SETTLED_S = 3  # the collector sends what it has counted every second: what is counted twice would be there by then


@dataclass
class Stores:
    """Where examples send."""

    collector: Collector
    prometheus: Prometheus
    jaeger: Jaeger
    sdk: Path


@dataclass
class Ran:
    """One example after its run."""

    name: str
    stores: Stores
    code: int
    said: str
    complaints: str
    answers: list[dict[str, object]]
    counted: dict[object, float]

    @property
    def service(self) -> str:
        return f"refunds-{self.name}"

    @property
    def truth(self) -> dict[object, float]:
        return expected(self.answers, MODEL.get(self.name, ASKED_FOR))


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    with (
        prometheus_at(folder / "prometheus") as prometheus,
        jaeger_at(folder / "jaeger") as jaeger,
        capturing() as lines,
    ):
        to = f"127.0.0.1:{jaeger.ports['jaeger-otlp']}"
        collector = collector_for(folder / "collector", prometheus.url, lines, "collector-0", traces_grpc=to)
        try:
            yield Stores(collector.start(), prometheus, Jaeger(jaeger.url("jaeger")), examples.sdk_at(folder))
        finally:
            collector.kill()


@pytest.fixture(scope="module", params=[*examples.PYTHON, *examples.NODE])
def ran(request, stores, tmp_path_factory):
    """A run, once all that it sent is counted, or nothing more comes."""
    folder = tmp_path_factory.mktemp(request.param)
    started = time.monotonic()
    command = examples.command(request.param, folder)
    installed = time.monotonic()
    with examples.model_at(folder) as model:
        done = examples.run(command, stores.sdk, model=model.url, collector=stores.collector.url)
        answers = model.answers
    print(f"{request.param}: installed in {installed - started:.0f} s, ran {time.monotonic() - installed:.0f} s")  # noqa: T201 a figure
    made = Ran(request.param, stores, done.returncode, done.stdout, done.stderr, answers, {})
    deadline = time.monotonic() + PATIENCE_S
    while made.counted != made.truth and time.monotonic() < deadline and not done.returncode:
        time.sleep(0.5)
        made.counted = measured(stores.prometheus, made.service)
    time.sleep(SETTLED_S)
    made.counted = measured(stores.prometheus, made.service)
    return made


def test_it_ends_well_and_says_what_became_of_the_order(ran):
    assert ran.code == 0, ran.said + ran.complaints
    assert "order 1007: refunded 42.00 EUR" in ran.said
    assert "lost" not in ran.complaints


def test_the_model_played_its_story(ran):
    asked_for = Counter(name for answer in ran.answers for name in answer["asks_for"])
    assert (asked_for.pop("order_lookup"), asked_for.pop("order_refund")) == (1, 2)
    assert set(asked_for) <= {"ask_executor", "transfer_to_executor", "transfer_to_agent"}
    assert {answer["agent"] for answer in ran.answers} == {"planner", "executor"}
    assert {answer["model"] for answer in ran.answers} == {ANSWERED}


def test_all_that_happened_is_counted_under_its_names_and_versions_and_nothing_else(ran):
    assert ran.counted == ran.truth
    print(f"{ran.name}: {len(ran.truth)} of {len(ran.truth)} values right")  # noqa: T201 a figure


def test_the_check_finds_nothing_to_mend(ran):
    now = time.time()
    scope = Scope(start=now - 3600, end=now + 60, environment="dev", service=ran.service)
    metrics = asked.Prometheus(ran.stores.prometheus.url)
    deadline = time.monotonic() + PATIENCE_S
    while (report := examine(metrics, ran.stores.jaeger, scope, lambda *_: None)).traces < 1:
        assert time.monotonic() < deadline, "no trace has arrived in Jaeger"
        time.sleep(1)
    assert [service.name for service in report.services] == [ran.service]
    assert report.score == 100
    assert {finding.severity for finding in report.findings} == {"recommended"}, report.findings
    assert {finding.subject for finding in report.findings} == UNTOLD | UNTOLD_TOO.get(ran.name, set())


def test_a_run_that_ends_in_an_exception_is_counted_too(tmp_path):
    """What its page breaks on purpose: a version of a tool that always fails."""
    command = examples.command("pydantic-ai", tmp_path)
    with (
        prometheus_at(tmp_path / "prometheus") as prometheus,
        capturing() as lines,
        examples.model_at(tmp_path) as model,
    ):
        collector = collector_for(tmp_path / "collector", prometheus.url, lines, "collector-0").start()
        try:
            sdk, url = examples.sdk_at(tmp_path), collector.url
            done = examples.run(command, sdk, model=model.url, collector=url, LOOKUP_VERSION="3.2.0")
            assert done.returncode == 1, done.stdout + done.stderr
            assert "lost" not in done.stderr
            want = {"tasks failure": 1, "order_lookup 3.2.0": 1}
            deadline = time.monotonic() + PATIENCE_S
            while (got := _counts(prometheus)) != want and time.monotonic() < deadline:
                time.sleep(0.5)
            assert got == want
        finally:
            collector.kill()


def test_the_program_for_node_says_how_to_get_a_model(tmp_path):
    done = examples.run(examples.command("ai-sdk", tmp_path), tmp_path, model="http://127.0.0.1:1/v1", collector="")
    assert done.returncode == 1
    assert "http://127.0.0.1:1/v1" in done.stderr
    assert "python3 examples/model_server" in done.stderr


def _counts(prometheus):
    tools = prometheus.query("sum by (tool_name, tool_version) (agentic_tool_calls_total)")
    found = {f"{row['metric']['tool_name']} {row['metric']['tool_version']}": float(row["value"][1]) for row in tools}
    for row in prometheus.query("sum by (outcome) (agentic_task_calls_total)"):
        found[f"tasks {row['metric']['outcome']}"] = float(row["value"][1])
    return found
