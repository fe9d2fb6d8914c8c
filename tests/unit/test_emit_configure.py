import subprocess
import sys
import textwrap
import threading
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from agentobs import emit
from agentobs.emit import delivery

GOOD = {"service": "desk", "version": "1", "environment": "test"}


def _in_a_process_of_its_own(code: str, endpoint: str) -> subprocess.CompletedProcess[str]:
    program = "from agentobs import emit\nimport logging\n" + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", program, endpoint], capture_output=True, text=True, timeout=120, check=False
    )


SET_UP = """
import sys
telemetry = emit.configure(service="desk", version="2.1", environment="test", endpoint=sys.argv[1],
                           headers={"x-key": "k"}, start_attributes={"agentic.tool.version": "2.1"})
"""


def test_a_process_says_who_it_is_and_that_it_started(otlp) -> None:
    done = _in_a_process_of_its_own(SET_UP + "print(telemetry.shutdown().total)", otlp.endpoint)
    assert done.stdout == "0\n", done.stderr
    (record,) = otlp.logs
    assert record["event"] == "agentic.process.start"
    assert record["attributes"] == {"agentic.tool.version": "2.1"}
    assert (
        record["resource"].items()
        >= {
            "service.name": "desk",
            "service.namespace": "agents",
            "service.version": "2.1",
            "deployment.environment.name": "test",
        }.items()
    )
    assert len(record["resource"]["service.instance.id"]) >= 32


def test_a_flush_delivers_everything_and_says_so(otlp) -> None:
    code = """
    for number in range(2000):
        with emit.tool_call("t", version="1"): pass
    print(telemetry.flush(60), telemetry.lost.total)
    """
    done = _in_a_process_of_its_own(SET_UP + textwrap.dedent(code), otlp.endpoint)
    assert done.stdout == "True 0\n", done.stderr
    assert len(otlp.spans) == 2000


def test_a_collector_that_is_away_while_it_is_replaced_costs_nothing(otlp) -> None:
    otlp.status = 503
    back = threading.Timer(9, setattr, (otlp, "status", 200))
    back.start()
    code = """
    with emit.tool_call("t", version="1"): pass
    print(telemetry.flush(60), telemetry.lost.total)
    """
    done = _in_a_process_of_its_own(SET_UP + textwrap.dedent(code), otlp.endpoint)
    assert done.stdout == "True 0\n", done.stderr
    assert len(otlp.spans) == 1


def test_a_program_that_crashes_sends_the_task_that_it_crashed_in(otlp) -> None:
    code = """
    with emit.task(workflow="support", type="refund", graph_version="7"):
        raise SystemError("it broke")
    """
    done = _in_a_process_of_its_own(SET_UP + textwrap.dedent(code), otlp.endpoint)
    assert done.returncode == 1
    assert "it broke" in done.stderr
    (span,) = otlp.spans
    assert span["attributes"]["agentic.task.outcome"] == "failure"
    assert {record["event"] for record in otlp.logs} == {"agentic.process.start"}
    assert "lost" not in done.stderr


def test_what_a_program_that_crashes_could_not_send_is_said(otlp) -> None:
    otlp.status = 400
    code = """
    logging.lastResort.setLevel("ERROR")
    with emit.tool_call("t", version="1"): pass
    raise SystemError("it broke")
    """
    done = _in_a_process_of_its_own(SET_UP + textwrap.dedent(code), otlp.endpoint)
    assert "telemetry lost: 1 spans and 1 log records" in done.stderr


def test_lost_telemetry_is_counted_and_reported_at_shutdown(otlp) -> None:
    otlp.status = 400
    code = """
    with emit.tool_call("t", version="1"): pass
    print(telemetry.flush(5))
    logging.lastResort.setLevel("ERROR")
    lost = telemetry.shutdown(5)
    print(lost.spans, lost.logs)
    """
    done = _in_a_process_of_its_own(SET_UP + textwrap.dedent(code), otlp.endpoint)
    assert done.stdout == "False\n1 1\n", done.stderr
    assert "telemetry lost: 1 spans and 1 log records" in done.stderr


def test_spans_that_are_too_much_for_one_request_go_in_several(otlp) -> None:
    """A receiver refuses a request above 4 MiB as a whole, and what talks to models writes long texts."""
    code = """
    for number in range(600):
        with emit.tool_call("t", version="1") as call:
            call.span.set_attribute("gen_ai.tool.call.result", "grüße" * 4000)
        logging.info("y" * 20_000)
    with emit.tool_call("huge", version="1") as call:
        call.span.set_attribute("gen_ai.tool.call.result", "x" * 20_000_000)
    print(telemetry.shutdown(60).total)
    """
    done = _in_a_process_of_its_own(SET_UP + textwrap.dedent(code), otlp.endpoint)
    assert done.stdout == "0\n", done.stderr
    assert len(otlp.spans) == 601
    assert len(otlp.logs) == 601
    assert max(len(body) for _, body in otlp.requests) < 4 * 2**20
    assert len(otlp.requests) < 20


def test_half_a_character_costs_no_other_span(otlp) -> None:
    """Of an answer that was cut inside an emoji; OpenTelemetry's exporter would give up the whole batch."""
    code = """
    from opentelemetry import propagate, trace
    half = "half \\ud83d"
    with emit.agent(half, emit.Prompt("p", half)), emit.tool_call(half, version="1") as call:
        propagate.inject({})
        call.span.set_attribute("nested", {"a": [half, 1]})
        call.span.add_event(half, {"x": half})
        call.span.set_status(trace.StatusCode.ERROR, half)
        logging.warning(half)
    with emit.tool_call("healthy", version="1"): pass
    print(telemetry.shutdown(20).total)
    """
    done = _in_a_process_of_its_own(SET_UP + textwrap.dedent(code), otlp.endpoint)
    assert done.stdout == "0\n", done.stderr
    (broken,) = [span for span in otlp.spans if span["name"] == "execute_tool half ?"]
    assert {span["name"] for span in otlp.spans} == {
        "execute_tool half ?", "execute_tool healthy", "invoke_agent half ?"
    }  # fmt: skip
    assert broken["attributes"]["gen_ai.agent.name"] == "half ?"
    assert "nested" in broken["attributes"]
    assert "half ?" in [record["body"] for record in otlp.logs]


def test_a_long_conversation_in_attributes_does_not_cost_a_span_what_it_is(otlp) -> None:
    code = """
    from opentelemetry import trace
    with trace.get_tracer("x").start_as_current_span("llm", attributes={"openinference.span.kind": "LLM"}) as span:
        for number in range(400):
            span.set_attribute(f"llm.input_messages.{number}.message.content", "hello")
    print(telemetry.shutdown().total)
    """
    done = _in_a_process_of_its_own(SET_UP + textwrap.dedent(code), otlp.endpoint)
    assert done.stdout == "0\n", done.stderr
    (span,) = otlp.spans
    assert span["attributes"]["openinference.span.kind"] == "LLM"
    assert len(span["attributes"]) == 401


def test_a_forked_child_sends_what_it_did_and_answers_for_itself(otlp) -> None:
    code = """
    import multiprocessing, os
    def work(name):
        with emit.tool_call(name, version="1"): pass
    work("parent")
    worker = multiprocessing.get_context("fork").Process(target=work, args=["worker"])  # ends without atexit
    worker.start()
    worker.join()
    with multiprocessing.get_context("fork").Pool(1) as pool:  # kills its worker
        pool.map(work, ["pooled"])
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        work("child")
    print(telemetry.shutdown().total, flush=True)
    os._exit(0)
    """
    done = _in_a_process_of_its_own(SET_UP + textwrap.dedent(code), otlp.endpoint)
    assert done.stdout == "0\n0\n", done.stderr
    assert sorted(span["attributes"]["gen_ai.tool.name"] for span in otlp.spans) == [
        "child", "parent", "pooled", "worker"
    ]  # fmt: skip


def test_what_overflows_a_queue_is_counted_as_lost(monkeypatch) -> None:
    gate = threading.Event()

    class Stuck(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            del spans
            gate.wait(60)
            return SpanExportResult.SUCCESS

        def shutdown(self) -> None:
            pass

    monkeypatch.setattr(delivery, "_QUEUE", 8)
    monkeypatch.setattr(delivery, "_BATCH", 8)
    processor = delivery.CountedSpanProcessor(Stuck())
    provider = TracerProvider()
    provider.add_span_processor(processor)
    for _ in range(50):
        provider.get_tracer("t").start_span("s").end()
    gate.set()
    provider.shutdown()
    ledger = processor.ledger
    assert ledger.accepted == 50
    assert 50 - ledger.delivered == ledger.outstanding >= 50 - 8 - 8 - 8


@pytest.mark.parametrize("name", ["service", "version", "environment"])
def test_an_empty_setting_is_named(name) -> None:
    with pytest.raises(ValueError, match=rf"{name} is empty.*pass {name}="):
        emit.configure(**{**GOOD, name: " "})


@pytest.mark.usefixtures("process_telemetry")
def test_configuring_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="configure once"):
        emit.configure(**GOOD)


def test_opentelemetrys_own_variable_names_the_receiver_where_the_program_does_not(otlp, monkeypatch) -> None:
    code = "telemetry = emit.configure(service='desk', version='1', environment='t'); print(telemetry.shutdown().total)"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp.endpoint)
    assert _in_a_process_of_its_own(code, "").stdout == "0\n"
    assert len(otlp.logs) == 1


def test_a_provider_of_somebody_elses_kind_is_not_taken_for_none(otlp) -> None:
    code = """
    from opentelemetry import trace
    class Theirs(trace.TracerProvider):  # as Logfire's and ddtrace's: no subclass of the SDK's
        def get_tracer(self, *given, **named): return trace.NoOpTracer()
    trace.set_tracer_provider(Theirs())
    """
    done = _in_a_process_of_its_own(textwrap.dedent(code) + SET_UP, otlp.endpoint)
    assert "already has an OpenTelemetry tracer provider (__main__.Theirs)" in done.stderr
    assert "agentobs.context.adopt()" in done.stderr


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "grpc://host:4317", "http://host:4318/v1/traces", ""])
def test_an_endpoint_that_is_no_base_address_is_refused_with_an_example(endpoint) -> None:
    done = _in_a_process_of_its_own(SET_UP, endpoint)
    assert done.returncode == 1
    assert "is not the base address of an OTLP/HTTP receiver" in done.stderr
    assert "http://127.0.0.1:4318" in done.stderr


def test_trace_and_baggage_cross_a_process_boundary(otlp) -> None:
    code = """
    from opentelemetry import propagate
    carrier = {}
    with emit.task(workflow="w", type="t", graph_version="7"), emit.agent("planner", emit.Prompt("p", "12")):
        propagate.inject(carrier)
    print(sorted(carrier))
    print("agentic.graph.version=7" in carrier["baggage"], "gen_ai.prompt.version=12" in carrier["baggage"])
    """
    done = _in_a_process_of_its_own(SET_UP + textwrap.dedent(code), otlp.endpoint)
    assert done.stdout == "['baggage', 'traceparent']\nTrue True\n", done.stderr
