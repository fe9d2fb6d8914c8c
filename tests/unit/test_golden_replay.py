"""Replay: what systems of every kind did is read from their spans, tapes answer as recorded, nothing ends a run."""

import asyncio
import json
import socket
import sys
import threading
import time
from contextlib import AsyncExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from mcp import MCPError
from mcp.client import Client
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from agentobs import emit
from delivery.golden import dataset, files, recording, results, tape
from delivery.golden.errors import GoldenError
from delivery.golden.example import Example
from delivery.golden.matching import Miss, Player
from delivery.golden.observed import Span, observe
from delivery.golden.receiver import Receiver
from delivery.golden.running import Runner, Settings
from delivery.golden.session import Session
from delivery.golden.systems import CaseRun, FunctionSystem, named


def case(name="one", **more):
    return {
        "id": name, "input": {"order": "A1"}, "expected_behavior": "x", "tools_allowed": ["lookup"],
        "success_criteria": {"outcome": "success", "tools": [{"name": "lookup", "args": {"order": "A1"}}]},
        "agent_path_expected": ["desk"], **more,
    }  # fmt: skip


def orders():
    server = MCPServer("orders", version="3.1.0", log_level="ERROR")

    @server.tool(structured_output=False)
    def lookup(order: str, depth: int = 1) -> str:
        """Look an order up."""
        if order == "none":
            raise ToolError("no such order")
        return f"order {order} at depth {depth}"

    return server


def recorded(folder, *cases, system=None):
    """A dataset whose tapes come from the live server."""

    async def work():
        async with AsyncExitStack() as stack:
            recorder = recording.Recorder(await recording.opened(stack, {"orders": orders()}))
            await recorder.begin()
            tested = await stack.enter_async_context(FunctionSystem(system or desk))
            made, tapes = [], []
            for each in cases:
                given = CaseRun(case=each["id"], run=0, input=each["input"], seed=1)
                _, kept = await recorder.record(tested, given, 5)
                tapes.append(kept)
                made.append({**each, "tape": tape.written(kept)[0]})
            for name, content in recording.files_of(tapes, [*recorder.surfaces.values()]).items():
                files.write(folder / "tapes" / f"{name}.json", content)
            files.write(folder / "cases.jsonl", "".join(json.dumps(each) + "\n" for each in made).encode())

    asyncio.run(work())
    return dataset.load(folder)


async def desk(given):
    with emit.task(workflow="w", type="t", graph_version="1"), emit.agent("desk", emit.Prompt("desk", "1")):
        async with Client(given.servers["orders"]) as client:
            with emit.tool_call("lookup", version="3.1.0"):
                found = await client.call_tool("lookup", {"order": given.input["order"]})
        return found.content[0].text


def played(found, system, runs=1, **settings):
    async def work():
        async with system:
            return await Runner(found, system, Settings(**{"limit_s": 5.0, **settings})).play(found.cases, range(runs))

    return asyncio.run(work())


def test_a_tape_answers_as_the_live_server_did(tmp_path):
    found = recorded(tmp_path, case(), case("fails", input={"order": "none"}))
    live, failing = (found.tapes[each.example.tape].calls[0] for each in found.cases)
    assert (live.result["content"][0]["text"], live.result["isError"]) == ("order A1 at depth 1", False)
    assert failing.result["isError"]
    assert found.surfaces[found.tapes[found.cases[0].example.tape].servers["orders"]].version == "3.1.0"
    one, fails = played(found, FunctionSystem(desk))
    assert (one.passed, one.answer, one.tools, one.path) == (True, "order A1 at depth 1", ("lookup",), (("desk",),))
    assert fails.answer == "Error executing tool lookup: no such order"


def test_two_hundred_runs_at_once_each_get_their_own_tape(tmp_path):
    cases = [case(f"c{number}", input={"order": f"A{number}"}, success_criteria={"outcome": "success"})
             for number in range(50)]  # fmt: skip
    found = recorded(tmp_path, *cases)
    done = played(found, FunctionSystem(desk), runs=4, jobs=16)
    assert len(done) == 200
    assert {(run.case, run.answer) for run in done} == {(f"c{n}", f"order A{n} at depth 1") for n in range(50)}


SURFACE = tape.Surface(name="s", version="1", tools=(
    {"name": "get", "annotations": {"readOnlyHint": True}, "inputSchema": {"properties": {"n": {"default": 1}}}},
    {"name": "put", "inputSchema": {}},
))  # fmt: skip


def player(*calls, **more):
    made = tape.Tape(
        servers={"s": "0" * 64}, calls=tuple(tape.Call(server="s", tool=tool, arguments=arguments, result={"n": number})
                                             for number, (tool, arguments) in enumerate(calls)), **more,
    )  # fmt: skip
    return Player(made, {"s": SURFACE})


def answers(of, *calls):
    found = [of.answer("s", tool, arguments) for tool, arguments in calls]
    return [None if isinstance(each, Miss) else each.result["n"] for each in found]


@pytest.mark.parametrize(
    ("made", "calls", "expected"),
    [
        (player(("get", {"id": 2})), [("get", {"id": 2.0, "n": 1})], [0]),  # one number, and a default filled in
        (player(("get", {"id": 2})), [("get", {"id": 3})], [None]),
        (player(("put", {}), ("put", {})), [("put", {})] * 3, [0, 1, None]),  # a write is not made up
        (player(("get", {}), ("get", {})), [("get", {})] * 3, [0, 1, 1]),  # a read may be answered again
        (player(("put", {"a": 1}), ("put", {"a": 2})), [("put", {"a": 2}), ("put", {"a": 1})], [1, 0]),
        (player(("put", {"a": "X  y"}), match="normalised"), [("put", {"a": "x Y"})], [0]),
        (player(("put", {"a": 1, "at": 5}), ignore={"put": ("/at",)}), [("put", {"a": 1, "at": 9})], [0]),
        (player(("put", {"a": 1}), match="sequence"), [("put", {"a": 7})], [0]),
        (player(("put", {"a": 1})), [("drop", {})], [None]),
    ],
)
def test_a_recording_belongs_to_a_call_by_its_arguments(made, calls, expected):
    assert answers(made, *calls) == expected


def test_a_miss_names_the_nearest_recording_and_what_differs():
    made = player(("put", {"id": 1, "to": "x", "by": "me"}), ("put", {"id": 2, "to": "x"}))
    missed = made.answer("s", "put", {"id": 2, "to": "y"})
    assert "tape miss: s.put" in str(missed)
    assert "to: recorded 'x', now 'y'" in str(missed)
    assert "by" not in str(missed)
    assert made.unused() == ["s.put", "s.put"]
    loose = player(("put", {"a": 1}), match="sequence")
    loose.answer("s", "put", {"a": 2})
    assert loose.drift


async def asks_something_else(given):
    with emit.task(workflow="w", type="t", graph_version="1"), emit.agent("desk"):
        async with Client(given.servers["orders"]) as client:
            try:
                await client.call_tool("lookup", {"order": "B2"})
            except MCPError as error:
                return error.error.code
    return "answered"


async def hangs(_):
    with emit.task(workflow="w", type="t", graph_version="1"):
        await asyncio.sleep(60)


def raises(_):
    raise ZeroDivisionError("broken")


def two_roots(_):
    for _ in range(2):
        with emit.task(workflow="w", type="t", graph_version="1"):
            pass


def says_what_is_no_text(_):
    with emit.task(workflow="w", type="t", graph_version="1") as task:
        task.span.set_attribute("agentic.task.retries", "many")
        task.span.set_attribute("agentic.task.cost_usd", float("nan"))
    raise ValueError("half a pair: \ud800")


def goes_out(_):
    with emit.task(workflow="w", type="t", graph_version="1"), emit.agent("desk"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


@pytest.mark.parametrize(
    ("system", "told", "tries"),
    [
        (asks_something_else, "order: recorded 'A1', now 'B2'", 1),
        (hangs, "timeout: no answer within 0.3 s", 1),
        (raises, "the system raised ZeroDivisionError: broken", 3),
        (lambda given: given.case, "no telemetry", 3),
        (two_roots, "2 task spans", 1),
        (says_what_is_no_text, "half a pair", 3),
        (goes_out, "an offline replay opens no connections", 3),
    ],
)
def test_a_run_that_cannot_be_judged_fails_with_its_reason_and_the_others_go_on(system, told, tries, tmp_path):
    found = recorded(tmp_path, case(), case("two"))

    async def first_alone(given):
        if given.case == "two":
            return await desk(given)
        return await system(given) if asyncio.iscoroutinefunction(system) else system(given)

    first, second = played(found, FunctionSystem(first_alone), limit_s=0.3)
    assert told in first.invalid
    assert (first.passed, first.tries, [check.name for check in first.failed]) == (False, tries, ["valid"])
    assert second.passed
    made = results.RunFile(dataset="d", digest="0", system="s", results=(first, second))
    made.write(tmp_path / "run.json")
    assert [run.run for run in results.read(tmp_path / "run.json").results] == [0, 0]


@pytest.mark.parametrize("answer", [object(), "\ud800", float("nan"), {"a": {1, 2}}, None, b"\xff"])
def test_whatever_a_system_returns_is_kept_as_text(answer, tmp_path):
    def system(_):
        with emit.task(workflow="w", type="t", graph_version="1"), emit.agent("desk"):
            return answer

    (run,) = played(_one(dataset.Dataset(tmp_path, (), {}, {})), FunctionSystem(system))
    results.Journal(tmp_path / "runs.jsonl", "0", "s").begin([run])
    assert results.Journal(tmp_path / "runs.jsonl", "0", "s").finished() == [results.Result.read(run.document())]


PROGRAM = """
import asyncio, json, os, sys
from agentobs import emit
from mcp.client import Client
case = json.loads(sys.stdin.readline())
mode = case["input"].get("mode")
if mode == "dies":
    sys.exit("it broke")
if mode == "stdio":
    from mcp import StdioServerParameters
    started = json.load(open(os.environ["AGENTOBS_MCP_SERVERS_STDIO"]))["mcpServers"]["orders"]
    orders = StdioServerParameters(**started)
else:
    orders = json.load(open(os.environ["AGENTOBS_MCP_SERVERS"]))["mcpServers"]["orders"]["url"]
endpoint = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
telemetry = emit.configure(service="p", version="1", environment="e", endpoint=endpoint)

async def work():
    async with Client(orders) as client:
        with emit.tool_call("lookup", version=client.server_info.version):
            found = await client.call_tool("lookup", {"order": "A1"})
    return found.content[0].text

with emit.task(workflow="w", type="t", graph_version="1") as task, emit.agent("desk", emit.Prompt("d", "1")):
    with emit.model_call("gpt-4.1-mini", "openai") as call:
        call.usage(input_tokens=1000, output_tokens=100)
    if mode == "policy":
        emit.policy_violation(policy_id="pii", action="flagged")
    answer = asyncio.run(work())
telemetry.shutdown()
print("some output")
print(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("program") / "program.py"
    path.write_text(PROGRAM)
    return f"{sys.executable} {path}"


def test_a_program_is_judged_by_its_own_telemetry_and_asks_tapes_over_http_or_a_pipe(program, tmp_path):
    found = recorded(tmp_path, case(), case("policy", input={"order": "A1", "mode": "policy"}),
                     case("dies", input={"order": "A1", "mode": "dies"}),
                     case("piped", input={"order": "A1", "mode": "stdio"}))  # fmt: skip
    one, policy, dies, piped = played(found, named(program), limit_s=60.0)
    assert (one.passed, one.answer, one.path, one.tools) == (True, "order A1 at depth 1", (("desk",),), ("lookup",))
    assert (piped.passed, piped.answer, piped.tools) == (one.passed, one.answer, one.tools)
    assert (one.model_calls, one.tokens) == (1, 1100)
    assert one.cost_usd > 0
    assert [check.name for check in policy.failed] == ["violations"]
    assert "exit code 1: it broke" in dies.invalid


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path):
    script, pid = tmp_path / "hangs.sh", tmp_path / "pid"
    script.write_text(f"sleep 600 >/dev/null 2>&1 &\necho $! >{pid}\nwait\n")  # it outlives its parent
    (run,) = played(_one(dataset.Dataset(tmp_path, (), {}, {})), named(f"sh {script}"), limit_s=2.0)
    assert run.invalid == "timeout: no answer within 2 s"
    with suppress(psutil.NoSuchProcess):
        child = psutil.Process(int(pid.read_text()))
        deadline = time.monotonic() + 10
        while child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(0.02)
        left = child.status()
        child.kill()
        assert left == psutil.STATUS_ZOMBIE


def test_a_program_that_is_not_there_is_not_run():
    found = dataset.Dataset(Path(), (), {}, {})
    with pytest.raises(GoldenError, match="does not start"):
        played(_one(found), named("no-such-program --now"))


def _one(found):
    one = Example.model_validate_json(json.dumps(case()))
    return dataset.Dataset(found.folder, (dataset.Case(one, 1, ""),), {}, {})


@pytest.mark.parametrize("spelled", ["no_such_module:answer", "delivery.golden.systems:no_such", "json:__name__"])
def test_a_function_that_is_not_there_is_not_run(spelled):
    with pytest.raises(GoldenError, match=spelled):
        named(spelled)


def span(name, parent="", **attributes):
    return Span(trace="t", id=name, parent=parent, name=name, start=1, end=2, attributes=attributes)


@pytest.mark.parametrize(("vary", "seeds"), [(False, ["1", "1"]), (True, ["1", "2"])])
def test_runs_of_a_case_share_its_seed_unless_they_are_to_differ(vary, seeds, tmp_path):
    found = _one(dataset.Dataset(tmp_path, (), {}, {}))
    assert [
        run.answer for run in played(found, FunctionSystem(lambda given: given.seed), runs=2, vary_seed=vary)
    ] == seeds


def step(name, parent, start, end, **attributes):
    server = attributes.pop("server", False)
    return Span(trace="t", id=name, parent=parent, name=name, start=start, end=end, server_side=server,
                attributes=attributes)  # fmt: skip


def agent(name, parent, start, end, who, **more):
    return step(name, parent, start, end, **{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": who, **more})


def tool(name, parent, start, end, who="get", **more):
    return step(name, parent, start, end, **{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": who, **more})


def test_what_a_run_did_is_read_from_its_spans_each_step_once():
    spans = [
        step("task", "", 0, 100, **{"agentic.span.role": "task", "agentic.task.outcome": "success"}),
        agent("a", "task", 1, 10, "planner"),
        agent("a2", "task", 11, 20, "planner", **{"agentic.retry.attempt": 1, "agentic.fallback.from": "large"}),
        agent("b", "task", 30, 60, "left"),
        agent("c", "task", 31, 50, "right"),  # beside the one before
        agent("d", "task", 70, 90, "critic"),
        agent("d2", "d", 71, 89, "critic"),  # a framework's own span of the same agent
        tool("e", "b", 32, 40, **{"gen_ai.tool.call.arguments": '{"n": 1}'}),
        tool("e2", "e", 33, 39),  # the client's request inside
        tool("e3", "e2", 34, 38, server=True),  # the server's span inside that
        tool("f", "b", 41, 45, **{"error.type": "timeout"}),
        tool("g", "b", 46, 49, **{"agentic.retry.attempt": 1}),
    ]
    events = [("agentic.policy.violation", {"agentic.policy.id": "pii"})]
    seen = observe(spans, events, answer="x", asked=[("get", {"n": 9}), ("get", {"n": 2})])
    assert seen.path == (("planner",), ("left", "right"), ("critic",))
    assert [(call.arguments, call.error, call.attempt) for call in seen.tools] == [
        ({"n": 1}, "", 0), ({"n": 2}, "timeout", 0), (None, "", 1),
    ]  # fmt: skip
    assert (seen.outcome, seen.violations, seen.invalid) == ("success", ("pii",), "")


def test_spans_that_come_late_are_waited_for_and_then_marked():
    root = span("root", "runner", **{"agentic.span.role": "task"})
    with Receiver() as receiver:
        receiver.accept([root, span("grandchild", "child")], [])
        threading.Timer(0.1, receiver.accept, [[span("child", "root")], []]).start()
        assert receiver.wait("t", 5.0)
        assert len(receiver.take("t")[0]) == 3
        receiver.accept([root, span("grandchild", "child")], [])
        assert not receiver.wait("t", 5.0)
        assert not receiver.wait("another", 0.01)


def test_a_service_goes_on_with_the_trace_of_the_request(tmp_path, monkeypatch):
    port = _free_port()
    monkeypatch.setenv("AGENTOBS_GOLDEN_OTLP_PORT", str(port))
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"http://127.0.0.1:{port}/v1/traces")))
    tracer = provider.get_tracer("service")

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            context = propagate.extract(dict(self.headers)) if body["case"] == "one" else None
            attributes = {"agentic.span.role": "task", "agentic.task.outcome": "success"}
            with tracer.start_as_current_span("task", context, attributes=attributes) as task:
                inside = trace.set_span_in_context(task)
                agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "desk"}
                with tracer.start_as_current_span("invoke_agent desk", inside, attributes=agent):
                    answer = asyncio.run(_looked_up(body["mcp_servers"]["orders"]))
            content = json.dumps({"answer": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = recorded(tmp_path, case(success_criteria={"outcome": "success"}),
                         case("alone", success_criteria={"outcome": "success"}))  # fmt: skip
        one, alone = played(found, named(f"http://127.0.0.1:{server.server_address[1]}/"), limit_s=3.0, jobs=1)
        server.shutdown()
    assert (one.passed, one.answer, one.path) == (True, "order A1 at depth 1", (("desk",),))
    assert "does not go on with `traceparent`" in alone.invalid


async def _looked_up(address):
    async with Client(address) as client:
        return (await client.call_tool("lookup", {"order": "A1"})).content[0].text


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_run_that_was_cut_short_goes_on_where_it_was(tmp_path):
    folder = tmp_path / "desk"
    recorded(folder, case(), case("two"))
    made = Session(folder=folder, system="demo.golden:healthy", out=tmp_path / "out")
    journal = results.Journal(tmp_path / "out" / "runs.jsonl", dataset.load(folder).digest, made.system)
    (kept, _) = played(dataset.load(folder), FunctionSystem(desk))
    journal.begin([kept])
    with (tmp_path / "out" / "runs.jsonl").open("a") as file:
        file.write('{"of": {"digest"')  # the power went
    again = made.run(1, resume=True)
    assert [run.answer for run in again.results if run.case == "one"] == [kept.answer]
    assert next(run for run in again.results if run.case == "two").invalid  # the demo cannot read this input
