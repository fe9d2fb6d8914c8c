"""A kill, and a cancellation, at calls that run through a gateway."""

import asyncio
import time

import pytest
from support.gateway_world import code, refused, world

from agentobs.guard.switch import Kill, Stopped
from gateway.upstream import ended

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


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
