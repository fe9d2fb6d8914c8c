"""Calls through a real gateway over HTTP, and what goes wrong with them."""

import asyncio
import sys
import time
from contextlib import AsyncExitStack, suppress

import httpx2
import psutil
import pytest
from mcp import MCPError
from support.gateway_world import code, refused, until, world
from support.tool_server import Misbehaving, ToolServer, free, served

from agentobs.guard.switch import Kill, Stopped
from gateway.upstream import ended

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


@ERAS
def test_a_call_passes_with_everything_in_it_and_an_unlisted_tool_does_not_exist(era):
    async def run():
        async with world({"echo": {}, "sorry": {}, "odd": {}}) as here, here.client(mode=era) as client:
            listed = await client.list_tools()
            answer = await client.call_tool("echo", {"text": "h\u00e9", "amount": None})
            assert (await client.call_tool("sorry", {})).is_error
            own = await refused(client.call_tool("odd", {}))
            others = [await refused(client.call_tool(name, {})) for name in ("big", "Echo", "\u0435cho", "nosuch")]
            return listed, answer, own, others, here.servers["bench"].begun

    listed, answer, own, others, begun = asyncio.run(run())
    assert [tool.name for tool in listed.tools] == ["echo", "sorry", "odd"]
    assert answer.content[0].text == "h\u00e9"
    assert answer.structured_content == {"null": None, "deep": [{"a": 1}]}
    assert (code(own), own.error.data) == (-31999, {"why": "tests"})
    assert {(code(error), error.error.data) for error in others} == {(-32602, None)}
    assert begun == ["echo", "sorry", "odd"]


def test_arguments_out_of_range_never_reach_the_server():
    async def run():
        rule = {"echo": {"arguments": {"amount": {"maximum": 200}}}}
        async with world(rule) as here, here.client() as client:
            wrong = [await refused(client.call_tool("echo", {"amount": amount})) for amount in (201, "9000", True)]
            await client.call_tool("echo", {"amount": 200})
            return wrong, here.servers["bench"].begun

    wrong, begun = asyncio.run(run())
    assert {code(error) for error in wrong} == {-32602}
    assert wrong[0].error.data == {"policy": "arguments", "scope": "bench/echo", "limit": "amount must be at most 200"}
    assert begun == ["echo"]


def test_a_burst_beyond_the_rate_is_refused_and_passes_when_it_says():
    async def run():
        async with world({"echo": {"rate": "10/s", "burst": 5}}) as here, here.client() as client:
            answers = await asyncio.gather(*(client.call_tool("echo", {}) for _ in range(30)), return_exceptions=True)
            errors = [answer for answer in answers if isinstance(answer, Exception)]
            again = max(error.error.data["retryAfterMs"] for error in errors)
            await asyncio.sleep(again / 1000)
            await client.call_tool("echo", {})
            return errors, again, len(here.servers["bench"].begun)

    errors, again, begun = asyncio.run(run())
    assert {code(error) for error in errors} == {-32011}
    assert 0 < again <= 1000
    assert 5 <= begun - 1 <= 15  # a busy machine takes a while to send 30
    assert errors[0].error.data["limit"] == "10/s"


@pytest.mark.parametrize("tool", ["hang", "tick"])
@ERAS
def test_the_time_limit_is_hard_whatever_progress_says_and_cancels_the_call(tool, era):
    heard = []

    async def note(progress, _total, message):
        heard.append((progress, message))

    async def run():
        async with world({tool: {"timeout": "500ms"}, "echo": {}}) as here, here.client(mode=era) as client:
            began = time.monotonic()
            error = await refused(client.call_tool(tool, {}, progress_callback=note))
            took = time.monotonic() - began
            async with asyncio.timeout(10):
                await here.servers["bench"].gone.wait()
            await client.call_tool("echo", {})
            return error, took

    error, took = asyncio.run(run())
    assert code(error) == -32012
    assert error.error.data == {"policy": "timeout", "scope": f"bench/{tool}", "limit": "0.5s"}
    assert 0.5 <= took < 5
    assert (heard[:2] == [(0, "step 0"), (1, "step 1")]) == (tool == "tick")


@ERAS
def test_a_caller_who_leaves_ends_the_call_at_the_server(era):
    async def run():
        async with world({"hang": {"in_flight": 1}}) as here, here.client(mode=era) as client:
            server = here.servers["bench"]
            call = asyncio.create_task(client.call_tool("hang", {}))
            await server.hung.wait()
            busy = await refused(client.call_tool("hang", {}))
            call.cancel()
            async with asyncio.timeout(10):
                await server.gone.wait()
            await until(lambda: not here.gate.running)
            return code(busy), server.cancelled, here.gate.limits._running

    busy, cancelled, running = asyncio.run(run())
    assert (busy, cancelled) == (-32011, ["hang"])
    assert not running


def test_of_calls_at_once_no_more_run_than_may():
    async def run():
        async with world({"hang": {"in_flight": 3}}) as here, here.client() as client:
            calls = [asyncio.create_task(client.call_tool("hang", {})) for _ in range(20)]
            await until(lambda: sum(call.done() for call in calls) == 17)
            here.servers["bench"].release.set()
            ended = await asyncio.gather(*calls, return_exceptions=True)
            return [code(one) for one in ended if isinstance(one, MCPError)], here.servers["bench"].most_at_once

    refusals, most = asyncio.run(run())
    assert (refusals, most) == ([-32011] * 17, 3)


def test_a_server_cannot_speak_in_the_name_of_the_gateway():
    async def run():
        async with world({"liar": {}}) as here, here.client() as client:
            return await refused(client.call_tool("liar", {}))

    assert code(asyncio.run(run())) == -32013


def test_a_list_that_fails_once_ends_no_call_that_runs():
    async def run():
        async with world({"hang": {}, "echo": {}}) as here, here.client() as client:
            server, upstream = here.servers["bench"], here.gate.upstreams["bench"]
            call = asyncio.create_task(client.call_tool("hang", {}))
            await server.hung.wait()
            server.mute = True
            upstream._stale.set()
            await until(lambda: upstream.fault)
            server.release.set()
            answer = await call
            await client.call_tool("echo", {})
            return answer.content[0].text, upstream.starts, upstream.fault

    assert asyncio.run(run()) == ("released", 1, "")


@pytest.mark.parametrize("amount", [5000, 20_000_000])
def test_a_result_that_is_too_large_is_refused_and_the_next_call_works(amount):
    async def run():
        async with world({"big": {"result": "2kB"}, "echo": {}}) as here, here.client() as client:
            error = await refused(client.call_tool("big", {"amount": amount}))
            await client.call_tool("big", {"amount": 1000})
            return error

    error = asyncio.run(run())
    assert code(error) == -32014
    assert error.error.data["policy"] == "size"


@pytest.mark.parametrize(
    "wrong",
    [
        Misbehaving(500),
        Misbehaving(200, {"content-type": "text/html"}, b"<html>"),
        Misbehaving(200, {"content-type": "application/json"}, b'{"jsonrpc": "2.0"'),
        Misbehaving(200, {"content-type": "application/json", "content-encoding": "gzip"}, b"bomb"),
        Misbehaving(202),
    ],
    ids=["500", "page", "cut", "compressed", "202"],
)
def test_one_bad_server_harms_nobody_else(wrong):
    async def run():
        async with served(wrong) as bad:
            granted = {"echo": {}, "bad/echo": {}, "away/echo": {}}
            others = {"bad": {"url": f"{bad}/mcp"}, "away": {"url": "http://127.0.0.1:9/mcp"}}
            async with world(granted, servers=others) as here, here.client() as client:
                async with here.client(server="bad") as worse, here.client(server="away") as gone:
                    errors = [await refused(one.call_tool("echo", {})) for one in (worse, gone)]
                    assert (await worse.list_tools()).tools == []
                return errors, await client.call_tool("echo", {"text": "fine"}), wrong.asked

    errors, answer, asked = asyncio.run(run())
    assert {code(error) for error in errors} == {-32013}
    assert answer.content[0].text == "fine"
    assert asked > 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(status):
    async def run():
        other = Misbehaving(200)
        async with served(other) as elsewhere, served(Misbehaving(status, {"location": f"{elsewhere}/mcp"})) as bad:
            servers = {"bad": {"url": f"{bad}/mcp", "credential": "TOKEN"}}
            async with world({"bad/echo": {}}, servers=servers, environ={"TOKEN": "secret"}) as here:
                await until(lambda: here.gate.upstreams["bad"].starts > 1)
                async with here.client(server="bad") as client:
                    return code(await refused(client.call_tool("echo", {}))), other.asked

    assert asyncio.run(run()) == (-32013, 0)


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
def test_a_server_that_dies_is_told_and_comes_back(old):
    async def run():
        port, server = free(), ToolServer("mortal")
        granted = {"mortal/echo": {}, "mortal/hang": {}, "echo": {}}
        settings = {"servers": {"mortal": {"url": f"http://127.0.0.1:{port}/mcp"}}, "breaker": {"failures": 9}}
        async with AsyncExitStack() as stack:
            app = _old_only(server.server().streamable_http_app()) if old else server.server().streamable_http_app()
            first = await stack.enter_async_context(AsyncExitStack())
            await first.enter_async_context(served(app, port))
            here = await stack.enter_async_context(world(granted, **settings))
            await here.gate.upstreams["mortal"].ready()
            client = await stack.enter_async_context(here.client(server="mortal"))
            await client.call_tool("echo", {})
            call = asyncio.create_task(refused(client.call_tool("hang", {})))
            await server.hung.wait()
            await first.aclose()
            errors = [await call, await refused(client.call_tool("echo", {}))]
            async with here.client() as sibling:
                await sibling.call_tool("echo", {})
            again = server.server().streamable_http_app()
            await stack.enter_async_context(served(_old_only(again) if old else again, port))
            return errors, await _until_answered(client)

    errors, answer = asyncio.run(run())
    assert {code(error) for error in errors} == {-32013}
    assert answer.content[0].text == "back"


async def _until_answered(client):
    async with asyncio.timeout(20):
        while True:
            with suppress(MCPError):
                return await client.call_tool("echo", {"text": "back"})
            await asyncio.sleep(0.05)


def _old_only(app):
    """The application as a server of the session era: it knows no newer protocol."""

    async def old(scope, receive, send):
        if (b"mcp-protocol-version", b"2026-07-28") in scope.get("headers", []):
            await Misbehaving(400)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return old


_CHILD = """
import asyncio, sys
sys.path[:0] = {path!r}
from mcp.server.stdio import stdio_server
from support.tool_server import ToolServer
async def main():
    if {dies}:
        return
    server = ToolServer("child").server()
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
asyncio.run(main())
"""


def _child(*, dies=False):
    return {"child": {"command": [sys.executable, "-c", _CHILD.format(path=sys.path, dies=dies)]}}


def test_a_child_process_is_killed_and_started_again_and_takes_calls_at_once():
    async def run():
        granted = {f"child/{name}": {"timeout": "10s"} for name in ("echo", "hang")}
        async with world(granted, servers=_child(), breaker={"failures": 99}) as here:
            upstream = here.gate.upstreams["child"]
            assert await upstream.ready()
            async with here.client(server="child") as client:
                await asyncio.gather(*(client.call_tool("echo", {"text": str(number)}) for number in range(5)))
                call = asyncio.create_task(refused(client.call_tool("hang", {})))
                await until(lambda: here.gate.running)
                [child] = [one for one in psutil.Process().children() if "ToolServer" in " ".join(one.cmdline())]
                child.kill()
                lost = await call
                answer = await _until_answered(client)
            return lost, answer, upstream.starts, child.is_running()

    lost, answer, starts, running = asyncio.run(run())
    assert code(lost) == -32013
    assert answer.content[0].text == "back"
    assert (starts, running) == (2, False)


def test_a_child_that_dies_at_once_is_started_six_times_a_minute_at_most(monkeypatch):
    monkeypatch.setattr("gateway.upstream._PAUSES_S", (0.0, 0.0, 0.0))

    async def run():
        async with world({"child/echo": {}, "echo": {}}, servers=_child(dies=True)) as here, here.client() as client:
            upstream = here.gate.upstreams["child"]
            await until(lambda: upstream.starts == 6)
            await asyncio.sleep(1)  # a seventh would have come: each takes less
            await client.call_tool("echo", {})
            async with here.client(server="child") as worse:
                return upstream.starts, await refused(worse.call_tool("echo", {}))

    starts, error = asyncio.run(run())
    assert starts == 6
    assert code(error) == -32013


def test_after_three_failures_one_call_tries():
    async def run():
        settings = {"breaker": {"failures": 3, "open": "1s"}}
        async with world({"broken": {}, "echo": {}, "sorry": {}}, **settings) as here, here.client() as client:
            server = here.servers["bench"]
            for _ in range(5):
                await client.call_tool("sorry", {})  # an answer of the tool's own is no failure of the server
            failed = [await refused(client.call_tool("broken", {})) for _ in range(3)]
            shut = await refused(client.call_tool("broken", {}))
            await client.call_tool("echo", {})
            await asyncio.sleep(shut.error.data["retryAfterMs"] / 1000 + 0.05)
            before = len(server.begun)
            tried = await asyncio.gather(*(refused(client.call_tool("broken", {})) for _ in range(8)))
            return failed, shut, tried, server.begun[before:]

    failed, shut, tried, begun = asyncio.run(run())
    assert {code(error) for error in failed} == {-32013}
    assert code(shut) == -32017
    assert 0 < shut.error.data["retryAfterMs"] <= 1000
    assert begun == ["broken"]
    assert sorted(map(code, tried)) == [-32017] * 7 + [-32013]


class _Hand:
    """A kill switch in the hand of a test."""

    def __init__(self):
        self.stopped = Stopped()

    def killed(self, agent, server="", tool=""):
        return self.stopped.killed(agent, server, tool)


@ERAS
def test_a_kill_ends_a_stream_of_progress_too(era):
    async def run():
        switch, heard = _Hand(), asyncio.Event()

        async def note(*_told):
            heard.set()

        async with world({"tick": {}}, gate={"switch": switch}) as here, here.client(mode=era) as client:
            call = asyncio.create_task(refused(client.call_tool("tick", {}, progress_callback=note)))
            await heard.wait()
            switch.stopped = Stopped(everything=Kill("leaks", "ann", "10:00", "everything"))
            error = await call
            async with asyncio.timeout(10):
                await here.servers["bench"].gone.wait()
            return code(error), error.error.message

    assert asyncio.run(run()) == (-32016, "everything is stopped: leaks (ann, 10:00)")


@ERAS
def test_a_kill_refuses_ends_what_runs_and_gives_the_reason(era):
    async def run():
        switch = _Hand()
        async with world({"hang": {}, "echo": {}}, gate={"switch": switch}) as here, here.client(mode=era) as client:
            server = here.servers["bench"]
            call = asyncio.create_task(refused(client.call_tool("hang", {})))
            await server.hung.wait()
            began = time.monotonic()
            switch.stopped = Stopped(tools={"bench/hang": Kill("leaks data", "ann", "10:00", "tool bench/hang", True)})
            ended = await call
            took = time.monotonic() - began
            async with asyncio.timeout(10):
                await server.gone.wait()
            refusal = await refused(client.call_tool("hang", {}))
            await client.call_tool("echo", {})
            switch.stopped = Stopped(agents={"executor": Kill("loops", "ann", "10:01", "agent executor")})
            agent = await refused(client.call_tool("echo", {}))
            return ended, took, refusal, agent, server.begun

    ended, took, refusal, agent, begun = asyncio.run(run())
    assert {code(error) for error in (ended, refusal, agent)} == {-32016}
    assert ended.error.message == "tool bench/hang is stopped: leaks data (ann, 10:00)"
    assert agent.error.message == "agent executor is stopped: loops (ann, 10:01)"
    assert begun == ["hang", "echo"]
    assert took < 5


def test_a_cancellation_that_a_client_swallows_is_said_again(monkeypatch):
    """Seen once in a hundred ends of a gateway: the MCP client closes, and answers with ClosedResourceError."""

    monkeypatch.setattr("gateway.upstream._AGAIN_S", 0.1)

    async def run():
        swallowed = []

        async def deaf():
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    if swallowed:
                        raise
                    swallowed.append(True)

        task = asyncio.create_task(deaf())
        await asyncio.sleep(0)
        async with asyncio.timeout(30):
            await ended([task])
        return task.cancelled(), swallowed

    assert asyncio.run(run()) == (True, [True])


def test_two_servers_with_one_tool_name_stay_apart():
    async def run():
        async with world({"one/echo": {}, "two/meta": {}}, behind=("one", "two")) as here:
            async with here.client(server="one") as one, here.client(server="two") as two:
                await one.call_tool("echo", {})
                assert code(await refused(two.call_tool("echo", {}))) == -32602
                assert [tool.name for tool in (await two.list_tools()).tools] == ["meta"]
            return {name: server.begun for name, server in here.servers.items()}

    assert asyncio.run(run()) == {"one": ["echo"], "two": []}


def test_headers_of_the_caller_stay_here_and_the_server_gets_its_own_credential():
    async def run():
        secrets = {"authorization": "Bearer caller", "cookie": "session=1", "x-api-key": "caller"}
        settings = {"servers": {"bench": {"credential": "BENCH_TOKEN"}}, "environ": {"BENCH_TOKEN": "server"}}
        async with world({"meta": {}}, **settings) as here, here.client(headers=secrets) as client:
            meta = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "own": {"kept": True}}
            answer = await client.call_tool("meta", {}, meta=meta)
            return answer.content[0].text, here.servers["bench"].headers[-1]

    text, headers = asyncio.run(run())
    assert headers["authorization"] == "Bearer server"
    assert not {"cookie", "x-api-key", "x-agentobs-agent"} & set(headers)
    assert "caller" not in repr(headers)
    assert "'own': {'kept': True}" in text


def _modern(method="tools/call", name="echo", **more):
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {"name": name, "arguments": {}, "_meta": meta} | more,
    }


_OPENING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
_NEW = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo"}
_DEEP = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":' + b"[" * 10_000


@pytest.mark.parametrize(
    ("body", "headers", "status", "error"),
    [
        (_modern(), _NEW | {"x-agentobs-agent": ""}, 401, -32010),
        (_modern(), _NEW | {"mcp-name": "big"}, 400, -32020),
        (_modern(name="big"), _NEW, 400, -32020),
        (_modern(), _NEW | {"mcp-method": "tools/list"}, 400, -32020),
        ([_modern()], _NEW, 400, None),
        (_DEEP, _NEW, 400, -32700),
        (b'{"jsonrpc": "2.0", "id": 1, \xff}', _NEW, 400, None),
        (b"x" * 5_000_000, _NEW, 413, None),
        (_DEEP, {}, 400, None),
        ([_modern()], {}, 400, None),
        (b"\xff\xfe", {}, 400, None),
    ],
    ids=["nobody", "header", "body", "method", "batch", "depth", "utf8", "size", "old-depth", "old-batch", "old-utf8"],
)
def test_a_request_that_is_none_is_answered_and_the_next_one_works(body, headers, status, error):
    async def run():
        async with world({"echo": {}, "big": {}}) as here:
            wrong = await here.post(body, **headers)
            right = await here.post(_modern(), **_NEW)
            return wrong, right, here.servers["bench"].begun

    wrong, right, begun = asyncio.run(run())
    assert wrong.status_code == status
    if error is not None:
        assert wrong.json()["error"]["code"] == error
    assert (right.status_code, begun) == (200, ["echo"])


def test_a_server_that_is_not_in_the_policy_is_not_there():
    async def run():
        async with world({"echo": {}}) as here:
            return (await here.post(_modern(), server="other", **_NEW)).status_code

    assert asyncio.run(run()) == 404


def test_sessions_of_the_old_era_are_capped(monkeypatch):
    monkeypatch.setattr("gateway.serve._SESSIONS", 5)

    async def run():
        async with world({"echo": {}}) as here:
            found = [(await here.post(_OPENING)).status_code for _ in range(8)]
            return found, (await here.post(_modern(), **_NEW)).status_code

    found, modern = asyncio.run(run())
    assert found == [200] * 5 + [503] * 3
    assert modern == 200


def test_a_session_belongs_to_who_opened_it():
    async def run():
        async with world({"echo": {}}, agents={"executor": {"tools": {"bench/echo": {}}}, "spy": {}}) as here:
            opening = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "initialize",
                "params": {
                    "protocolVersion": "2025-06-18",
                    "capabilities": {},
                    "clientInfo": {"name": "t", "version": "1"},
                },
            }
            opened = await here.post(opening)
            session = opened.headers["mcp-session-id"]
            asked = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
            hers = await here.post(asked, **{"mcp-session-id": session})
            spied = await here.post(asked, **{"mcp-session-id": session, "x-agentobs-agent": "spy"})
            return hers.status_code, spied.status_code

    assert asyncio.run(run()) == (200, 404)


def test_the_gateway_answers_probes():
    async def run():
        async with world({"echo": {}}) as here, httpx2.AsyncClient() as http:
            return [(await http.get(f"{here.address}/{path}")).json() for path in ("live", "ready")]

    assert asyncio.run(run()) == [{"live": True}, {"servers": {"bench": "connected"}}]
