"""Real instrumentations through the real stack: what Prometheus, the stores and Langfuse hold of them.

Langfuse is a capturing endpoint, switched on by the settings a user would set; the rest is what `agentobs up` starts.
"""

import base64
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import requests
from support import instrumented, langfuse_model, otlp
from support.capture import capturing
from support.instrumented import MCP_CLIENT_CALLS, MCP_TOOL_CALLS, MODEL, MODEL_CALLS, SERVED, TOOL_CALLS
from support.stores import CHOSEN, lines_of, spans_of

from collector.stores import LogKind

KEYS = "pk-lf-synthetic:sk-lf-synthetic"
ENVIRONMENT = "contract"
USAGE = {"input": 40, "output": 7}
MODEL_ANSWERS = {"plain": 1, "openinference": 1, "openllmetry": 1, "pydantic_ai": 4}


@pytest.fixture(scope="module")
def langfuse(stack, tmp_path_factory):
    """The spans that Langfuse got of all programs; the setting is taken back afterwards."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(base64.b64encode(KEYS.encode()).decode())
    with capturing() as capture:
        stack.set("langfuseUrl", capture.url)
        stack.set("langfuseKeysFile", str(keys))
        stack.up()
        instrumented.run_all(
            stack.url("otlp-http"), OTEL_RESOURCE_ATTRIBUTES=f"deployment.environment.name={ENVIRONMENT}"
        )
        yield capture
        stack.unset("langfuseUrl")
        stack.unset("langfuseKeysFile")
        stack.up()


@pytest.fixture(scope="module")
def counted(stack, eventually, langfuse):  # noqa: ARG001 it runs the programs
    """Calls of a family by service, name label and error class, once the last of them is counted."""

    def ask(metric: str, label: str) -> dict[str, Counter[tuple[str, str]]]:
        found: dict[str, Counter[tuple[str, str]]] = {}
        by = f"service, {label}, error_class"
        for row in stack.query(f'sum by ({by}) (agentic_{metric}_calls_total{{environment="{ENVIRONMENT}"}})'):
            key = row["metric"].get(label, "none"), row["metric"]["error_class"]
            found.setdefault(row["metric"]["service"], Counter())[key] = int(float(row["value"][1]))
        return found

    everything = 3 + 3 + 3 + 3  # the tool calls of four programs
    eventually(lambda: ask("tool", "tool_name"), lambda found: sum(map(Counter.total, found.values())) >= everything)
    return ask


def test_tool_calls_are_series(counted):
    assert counted("tool", "tool_name") == {
        "plain": TOOL_CALLS,
        "openinference": TOOL_CALLS,
        "mcp": MCP_CLIENT_CALLS,
        "pydantic_ai": MCP_TOOL_CALLS,
    }


def test_model_calls_are_series(counted):
    assert counted("llm", "model") == {
        "plain": {(MODEL, "none"): 1},
        "openinference": MODEL_CALLS,
        "openllmetry": MODEL_CALLS,
        "pydantic_ai": {(MODEL, "none"): 4},
    }


def test_agents_and_tasks_are_series(counted):
    programs = {"plain", "openinference", "pydantic_ai"}
    assert counted("agent", "agent_name") == {name: {("planner", "none"): 1} for name in programs}
    assert {name: calls.total() for name, calls in counted("task", "workflow").items()} == dict.fromkeys(programs, 1)


def test_the_servers_side_is_series(stack, counted):
    assert {"mcp-tools", "pydantic_ai-tools"} == counted("mcp_server", "tool_name").keys()
    for calls in counted("mcp_server", "tool_name").values():
        assert {key: calls[key] for key in SERVED} == SERVED
    versions = stack.query(f'count by (tool_version) (agentic_mcp_server_calls_total{{environment="{ENVIRONMENT}"}})')
    assert [row["metric"]["tool_version"] for row in versions] == ["2.1.0"]


@pytest.mark.usefixtures("counted")
def test_tokens_and_cost_are_series(stack):
    for kind, tokens in (("input", 40), ("output", 7)):
        rows = stack.query(
            f'sum by (service) (agentic_llm_tokens_total{{environment="{ENVIRONMENT}",token_type="{kind}"}})'
        )
        found = {row["metric"]["service"]: float(row["value"][1]) for row in rows}
        assert found == {name: calls * tokens for name, calls in MODEL_ANSWERS.items()}
    # gpt-4.1: 2 USD per million input tokens, 8 USD per million output tokens.
    cost = stack.query(f'sum by (service) (agentic_cost_usd_total{{environment="{ENVIRONMENT}"}})')
    priced = {row["metric"]["service"]: float(row["value"][1]) for row in cost}
    assert priced["openinference"] == pytest.approx((40 * 2 + 7 * 8) / 1e6)
    assert priced["openllmetry"] == pytest.approx((40 * 2 + 7 * 8) / 1e6)


@pytest.mark.parametrize("service", ["plain", "openinference", "openllmetry", "mcp", "pydantic_ai"])
@pytest.mark.usefixtures("langfuse")
def test_the_trace_is_stored(stack, eventually, service):
    search, now = spans_of(ENVIRONMENT, service_name=service), time.time()
    assert eventually(lambda: stack.traces.find(search, now - 3600, now + 60, 5), bool)


def rows_of(capture, service: str) -> list[dict[str, object]]:
    spans = [span for span in capture.spans if span["resource"]["service.name"] == service]
    return [langfuse_model.observe(span) for span in spans]


@pytest.mark.parametrize("service", MODEL_ANSWERS)
def test_langfuse_gets_generations_with_usage(langfuse, eventually, service):
    def generations() -> list[dict[str, object]]:
        return [row for row in rows_of(langfuse, service) if row["type"] == "GENERATION"]

    wanted = 4 if service == "pydantic_ai" else 1 if service == "plain" else 3
    found = eventually(generations, lambda rows: len(rows) >= wanted)
    assert len(found) == wanted
    used = [row for row in found if row["usage"]]
    assert [{**row["usage"], **USAGE} for row in used] == [row["usage"] for row in used]
    assert len(used) == MODEL_ANSWERS[service]
    assert {row["model"] for row in found} == {MODEL}


def test_langfuse_gets_one_tool_per_call(langfuse, eventually):
    """pydantic-ai, fastmcp and the MCP SDK make three spans of one call."""

    def tools() -> Counter[str]:
        return Counter(str(row["name"]) for row in rows_of(langfuse, "pydantic_ai") if row["type"] == "TOOL")

    assert eventually(tools, lambda found: found.total() >= 3) == Counter(instrumented.TOOLS)


def test_langfuse_is_asked_with_the_key_of_the_file_only(langfuse, eventually):
    eventually(lambda: langfuse.requests, bool)
    expected = f"Basic {base64.b64encode(KEYS.encode()).decode()}"
    assert {request.headers["Authorization"] for request in langfuse.requests} == {expected}
    assert {request.path for request in langfuse.requests} == {"/api/public/otel/v1/traces"}


ODD = {
    "good": {},
    "stack trace": {"attributes": {"exception.stacktrace": "x" * 100_000 + "\nValueError: the end"}},
    "many attributes": {"attributes": {f"k{n}": "y" * 300 for n in range(400)}},
    "long attributes": {"attributes": {f"k{n}": "y" * 5000 for n in range(30)}},
    "long body": {"body": "z" * 300_000},
    "empty body": {"body": None},
    "three hours old": {"ago": timedelta(hours=3)},
    "five minutes ahead": {"ago": timedelta(minutes=-5)},
}


# Loki takes nothing more than an hour older than the newest record of a stream; it refuses that record alone.
REFUSED = {"three hours old"} if CHOSEN.logs is LogKind.LOKI else set()
_STACKTRACE = ("exception.stacktrace", "exception_stacktrace")


@pytest.fixture(scope="module")
def stored(stack, eventually):
    """Texts and attributes of what the store of logs took of one request with all the odd records."""
    service = f"odd-{time.time_ns()}"
    records = []
    for name, odd in ODD.items():
        record = otlp.record("", {"case": name, **odd.get("attributes", {})}, body=odd.get("body", name))
        record.time_unix_nano = int((datetime.now(UTC) - odd.get("ago", timedelta())).timestamp() * 1e9)
        records.append(record)
    message = otlp.logs(records, {"service.name": service, "deployment.environment.name": "odd"})
    url = f"{stack.url('otlp-http')}/v1/logs"
    headers = {"Content-Type": "application/x-protobuf"}
    assert requests.post(url, data=message.SerializeToString(), headers=headers, timeout=30).ok

    def read() -> dict[str, tuple[str, Mapping[str, str]]]:
        now = time.time()
        lines = stack.logs.lines(lines_of("odd", service_name=service), now - 6 * 3600, now + 3600, 100)
        return {line.attributes["case"]: (line.text, line.attributes) for line in lines}

    return eventually(read, lambda found: len(found) == len(ODD) - len(REFUSED), 30)


def test_a_record_with_a_huge_attribute_is_stored_beside_the_others(stored):
    assert stored.keys() == ODD.keys() - REFUSED
    traces = [value for key, value in stored["stack trace"][1].items() if key in _STACKTRACE]
    assert traces[0].endswith("ValueError: the end")
    assert stored["good"][0] == "good"
    assert len(stored["long body"][0]) == 250_000
