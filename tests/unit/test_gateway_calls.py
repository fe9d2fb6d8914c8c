"""Calls through a real gateway over HTTP: what passes, and the limits of a call."""

import asyncio
import time

import pytest
from mcp import MCPError
from support.gateway_world import code, refused, until, world

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
