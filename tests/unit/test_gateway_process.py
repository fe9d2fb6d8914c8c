"""The gateway as people run it: `agentobs gateway serve` with a tool server of the demo, its telemetry, its end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx2
import pytest
import yaml
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from support.gateway_world import code, refused, until, world
from support.tool_server import free
from typer.testing import CliRunner

from agentobs.guard.document import Server
from delivery.golden.errors import GoldenError
from gateway import tape
from gateway.figures import Figures
from gateway.raw import Listing
from gateway.tape import Recorder, TapeError
from stacks.cli.gateway import app

ROOT = os.pathsep.join(path for path in sys.path if path)


def _policy(folder, *, slow=1, **more):
    faults = folder / "faults.json"
    faults.write_text("{}")
    command = [
        *(
            sys.executable,
            "-c",
            f"import sys; sys.path[:0] = {sys.path!r}; from demo.tools.__main__ import main; main()",
        ),
        *(
            "knowledge",
            "--version-label",
            "3.1.0",
            "--faults",
            str(faults),
            "--tally",
            str(folder / "tally.json"),
            "--time-scale",
            str(slow),
        ),
    ]
    raw = {
        "version": 1,
        "servers": {"knowledge": {"command": command, "version": "3.1.0"}},
        "agents": {"executor": {"tools": {"knowledge/kb_search": {"rate": "100/s"}}}},
    }
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump(raw | more))
    return path


@contextmanager
def _serving(folder, *options):
    port = free()
    main = "from stacks.cli.main import main; main()"
    command = [
        sys.executable,
        "-c",
        main,
        "gateway",
        "serve",
        "--policy",
        str(folder / "policy.yaml"),
        "--port",
        str(port),
    ]
    environment = os.environ | {"PYTHONPATH": ROOT, "AGENTOBS_HOME": str(folder / "home")}
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen([*command, *options], env=environment, stderr=output, stdout=output)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.poll() is None:
            process.terminate()
        assert process.wait(40) is not None


async def _ready(address):
    async with httpx2.AsyncClient() as http:

        async def asked():
            try:
                return (await http.get(f"{address}/ready")).json()
            except httpx2.TransportError:
                return {}

        await _until(asked, lambda answer: set(answer.get("servers", {"none": ""}).values()) == {"connected"})


def _client(address, agent="executor", server="knowledge", mode="auto"):
    http = httpx2.AsyncClient(headers={"x-agentobs-agent": agent}, timeout=30)
    return Client(streamable_http_client(f"{address}/mcp/{server}", http_client=http), cache=None, mode=mode)


def test_the_command_serves_a_demo_server_tells_of_calls_and_of_refusals_and_stops(tmp_path, otlp):
    _policy(tmp_path)
    switch = tmp_path / "switch.json"

    async def run(address):
        await _ready(address)
        async with _client(address) as client:
            meta = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "baggage": "gen_ai.agent.name=executor"}
            answer = await client.call_tool("kb_search", {"query": "delivery"}, meta=meta)
            for _ in range(5):
                await refused(client.call_tool("order_refund", {}, meta=meta))
            switch.with_suffix(".new").write_text(
                json.dumps({"killed": {"agents": {"executor": {"reason": "loops", "by": "ann", "at": "10:00"}}}})
            )
            switch.with_suffix(".new").replace(switch)
            began = time.monotonic()
            while code(error := await refused(client.call_tool("order_refund", {}))) != -32016:
                assert time.monotonic() - began < 20
            async with httpx2.AsyncClient() as http:
                figures = (await http.get(f"{address}/metrics")).text
            return answer.content[0].text, error.error.message, figures

    options = ("--endpoint", otlp.endpoint, "--switch", str(switch), "--environment", "test", "--observe")
    with _serving(tmp_path, *options) as (address, process):
        text, message, figures = asyncio.run(run(address))
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0, (tmp_path / "output.txt").read_text()
    assert text.startswith("delivery: Parcels")
    assert message == "agent executor is stopped: loops (ann, 10:00)"
    assert _calls_of_the_server(tmp_path) == [{"gen_ai.agent.name": "executor"}]
    [served] = [span for span in otlp.spans if span["name"] == "tools/call kb_search"]
    [sent] = [span for span in otlp.spans if span["name"] == "MCP send tools/call kb_search"]
    assert served["parent"]  # the caller's, be it of the test or of the client in a process with telemetry
    assert (sent["parent"], sent["trace"]) == (served["id"], served["trace"])
    assert "gen_ai.operation.name" not in sent["attributes"]  # else the KPIs would count the call twice
    said = {
        "gen_ai.agent.name": "executor", "agentic.mcp.server.name": "knowledge", "agentic.tool.version": "3.1.0",
    }  # fmt: skip
    assert said.items() <= served["attributes"].items()
    assert served["resource"]["service.name"] == "agentobs-gateway"
    denied = [span["attributes"] for span in otlp.spans if span["name"] == "tools/call order_refund"]
    assert {(each["agentic.policy.id"], each["error.type"]) for each in denied} == {
        ("permission", "-32602"), ("kill", "-32016"),
    }  # fmt: skip
    events = [log["attributes"] for log in otlp.logs if log["event"] == "agentic.policy.violation"]
    assert {event["agentic.policy.id"] for event in events} == {"permission", "kill"}
    assert len(events) < len(denied)
    assert 'agentobs_gateway_calls_total{agent="executor",tool="knowledge/kb_search"} 1\n' in figures
    assert 'agentobs_gateway_killed{agent="executor"} 1\n' in figures
    assert "order_refund" not in figures  # a caller's own words make no series


def test_a_call_that_runs_is_answered_before_the_gateway_ends_and_an_open_stream_does_not_hold_it(tmp_path):
    _policy(tmp_path, slow=30)

    async def run(address, process):
        await _ready(address)
        async with _client(address, mode="legacy") as client:  # it keeps a stream open
            await client.list_tools()  # else the client asks for them after its first answer
            call = asyncio.create_task(client.call_tool("kb_search", {"query": "delivery"}))
            async with httpx2.AsyncClient() as http:
                await _until(lambda: http.get(f"{address}/metrics"), lambda answer: "in_flight" in answer.text)
                process.send_signal(signal.SIGTERM)
                late = await _until(
                    lambda: http.post(f"{address}/mcp/knowledge", json={}), lambda answer: answer.status_code == 503
                )
            answer = await call
            began = time.monotonic()
            await asyncio.to_thread(process.wait, 40)
            return answer.content[0].text, late.headers["retry-after"], time.monotonic() - began

    with _serving(tmp_path, "--record", str(tmp_path / "tape")) as (address, process):
        text, again, took = asyncio.run(run(address, process))
    assert text.startswith("delivery: Parcels")
    assert again == "5"
    assert took < 20
    assert process.returncode == 0
    assert [call.tool for call in tape.load(tmp_path / "tape").tape.calls] == ["kb_search"]


async def _until(ask, is_so):
    async with asyncio.timeout(60):
        while True:
            if is_so(answer := await ask()):
                return answer
            await asyncio.sleep(0.02)


def _calls_of_the_server(folder):
    """The caller's baggage, as each call brought it to the tool server."""
    tally = json.loads((folder / "tally.json").read_text())
    return [call["slices"] for call in tally["calls"] if call["method"] == "tools/call"]


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ("versions: 1", (), "versions: unknown key"),
        ("version: 1", ("--host", "0.0.0.0"), "believe every caller"),  # noqa: S104 it is refused
        ("version: 1\npins: gone.yaml", (), "fix: agentobs gateway pins accept"),
    ],
)
def test_what_cannot_be_served_is_told_before_anything_listens(tmp_path, change, options, words):
    (tmp_path / "policy.yaml").write_text(change)
    with _serving(tmp_path, *options) as (_, process):
        assert process.wait(60) == 1
    assert words in " ".join((tmp_path / "output.txt").read_text().split())


def test_pins_are_accepted_after_review_and_read_back(tmp_path):
    path = _policy(tmp_path, pins="pins.yaml")
    asked = ["pins", "--policy", str(path)]
    first = CliRunner().invoke(app, asked)
    assert first.exit_code == 1
    assert "nobody has reviewed this server" in first.output
    accepted = CliRunner().invoke(app, ["pins", "accept", "--yes", "--policy", str(path)])
    assert accepted.exit_code == 0, accepted.output
    assert "kb_search: Search the knowledge base" in accepted.output
    assert CliRunner().invoke(app, asked).exit_code == 0
    pins = yaml.safe_load((tmp_path / "pins.yaml").read_text())
    assert set(pins["servers"]["knowledge"]["tools"]) == {"kb_search"}


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["explain", "executor", "knowledge/kb_search"], 0, "yes  rate: 100/s"),
        (["explain", "planner", "knowledge/kb_search"], 1, "no   permission: agents has no planner"),
        (["explain", "executor", "kb_search"], 2, "SERVER/TOOL"),
        (["explain", "executor", "knowledge/kb_search", "-a", "["], 2, "no JSON"),
        (["check"], 0, "1 servers, 1 agents, 1 permissions"),
    ],
)
def test_a_policy_is_asked_without_a_gateway(tmp_path, words, status, said):
    path = _policy(tmp_path)
    done = CliRunner().invoke(app, [*words, "--policy", str(path)])
    assert (done.exit_code, said in done.output) == (status, True), done.output


def test_a_tape_answers_as_the_servers_did_and_a_miss_asks_nobody(tmp_path):
    folder = tmp_path / "tape"
    tools = {"echo": {}, "odd": {}, "broken": {}}

    async def recorded():
        recorder = Recorder(folder)
        async with world(tools, gate={"recorder": recorder}) as here, here.client() as client:
            recorder.listed("bench", here.gate.upstreams["bench"].listing)
            for text in ("a", "a\u2028b", "a"):
                await client.call_tool("echo", {"text": text})
            errors = [code(await refused(client.call_tool(name, {}))) for name in ("odd", "broken")]
            recorder.close()
            return errors

    errors = asyncio.run(recorded())
    assert {path.stat().st_mode & 0o777 for path in (folder / "tapes").iterdir()} == {0o600}
    player = tape.load(folder)

    async def replayed():
        async with world(tools) as here:
            real = here.gate.upstreams["bench"]
            here.gate.upstreams["bench"] = one = tape.Replayed("bench", real.server, player=player)
            await one.run()
            async with here.client() as client:
                answers = [await client.call_tool("echo", {"text": text}) for text in ("a", "a", "a\u2028b")]
                again = [code(await refused(client.call_tool(name, {}))) for name in ("odd", "broken")]
                miss = await refused(client.call_tool("echo", {"text": "a"}))
                return [one.content[0].text for one in answers], again, miss, here.servers["bench"].begun

    texts, again, miss, begun = asyncio.run(replayed())
    assert texts == ["a", "a", "a\u2028b"]
    assert again == errors == [-31999, -32013]
    assert (code(miss), miss.error.message.startswith("tape miss: bench.echo: called more often")) == (-32099, True)
    assert begun == []
    assert player.unused() == []


def test_a_tape_that_was_changed_or_is_none_is_not_played(tmp_path):
    recorder = Recorder(tmp_path / "tape")
    with pytest.raises(TapeError, match="expected a folder without tapes"):
        Recorder(tmp_path / "tape")
    with pytest.raises(TapeError, match="holds 0 tapes"):
        tape.load(tmp_path / "tape")
    recorder.listed("bench", Listing(tools=({"name": "echo"},), version="1"))
    recorder.called("bench", "echo", {"number": 2**60}, 1.0, result={})  # it has no canonical form
    recorder.called("bench", "echo", {"number": 1}, 1.0, result={"content": []})
    recorder.close()
    assert len(tape.load(tmp_path / "tape").tape.calls) == 1
    with pytest.raises(TapeError, match="nothing of server other"):
        tape.Replayed("other", Server(url="http://localhost/mcp"), player=tape.load(tmp_path / "tape"))
    for path in (tmp_path / "tape" / "tapes").iterdir():
        path.write_text(path.read_text().replace("echo", "sends"))
    with pytest.raises(GoldenError, match="was changed"):
        tape.load(tmp_path / "tape")


def test_the_figures_tell_what_runs_what_is_left_alone_and_what_is_spent():
    async def run():
        async with world({"hang": {}, "broken": {}}, breaker={"failures": 1}) as here, here.client() as client:
            await refused(client.call_tool("broken", {}))
            call = asyncio.create_task(client.call_tool("hang", {}))
            await until(lambda: here.gate.running)
            text = Figures(here.gate).text()
            here.servers["bench"].release.set()
            await call
            return text

    text = asyncio.run(run())
    for line in (
        'in_flight{agent="executor",tool="bench/hang"} 1',
        'breaker_open{tool="bench/broken"} 1',
        'breaker_open{tool="bench/hang"} 0',
        'server_connected{server="bench"} 1',
        "policy_stale 0",
    ):
        assert f"agentobs_gateway_{line}\n" in text
