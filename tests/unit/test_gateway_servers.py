"""Servers behind a gateway that fail, lie, hang or die: who is harmed, and how they come back."""

import asyncio
import sys
from contextlib import AsyncExitStack, suppress

import psutil
import pytest
from mcp import MCPError
from support.gateway_world import code, refused, until, world
from support.tool_server import Misbehaving, ToolServer, free, served


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
