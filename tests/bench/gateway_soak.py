"""Whether the gateway leaks or hangs while what is behind it dies: `make bench-gateway-soak MINUTES=10`, 30 without.

A real gateway with two child processes and one server over HTTP behind it; callers of both eras. Every few seconds one
server is killed at random. Each call has to end, well or with a code; in the end the gateway has as many children, open
files and running calls as in the beginning. Exit 1 where not.
"""

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx2
import psutil
import yaml
from mcp import MCPError
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from support.ports import free_ports

_CALLERS: Final = 6
_LONGEST_S: Final = 20.0
_QUIET_S: Final = 75.0  # longer than the pause of a child that was started six times in a minute
_CHILD: Final = """
import asyncio, sys
sys.path[:0] = {path!r}
from mcp.server.stdio import stdio_server
from support.tool_server import ToolServer
async def main():
    server = ToolServer("{name}").server()
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
asyncio.run(main())
"""
_HTTP: Final = """
import sys
import uvicorn
sys.path[:0] = {path!r}
from support.tool_server import ToolServer
uvicorn.run(ToolServer().server().streamable_http_app(), port={port}, log_level="error")
"""


def main() -> None:
    """Run for so many minutes."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    with tempfile.TemporaryDirectory() as folder:
        behind, port = free_ports(2)
        policy = Path(folder) / "policy.yaml"
        policy.write_text(yaml.safe_dump(_policy(behind)))
        code = "from stacks.cli.main import main; main()"
        serve = [sys.executable, "-c", code, "gateway", "serve", "--policy", str(policy), "--port", str(port)]
        environment = os.environ | {"AGENTOBS_HOME": folder}
        with subprocess.Popen(serve, env=environment, stderr=subprocess.DEVNULL) as gateway:
            try:
                good = asyncio.run(_soak(port, behind, psutil.Process(gateway.pid), minutes * 60))
            finally:
                gateway.terminate()
    raise SystemExit(0 if good else 1)


async def _soak(port: int, behind: int, gateway: psutil.Process, seconds: float) -> bool:
    http = _Http(behind)
    await _answers(port)
    before = await _standing(gateway, port)
    print(f"before: {before}, load {os.getloadavg()[0]:.1f}")
    ends, stop = Counter[str](), asyncio.Event()
    callers = [asyncio.create_task(_calls(port, number, ends, stop)) for number in range(_CALLERS)]
    killer = asyncio.create_task(_kills(gateway, http, ends, stop))
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        await asyncio.sleep(min(60.0, seconds))
        print(f"{(time.monotonic() - began) / 60:.0f} min: {dict(ends)}; {await _standing(gateway, port)}", flush=True)
    stop.set()
    await asyncio.gather(*callers, killer)
    await asyncio.sleep(_QUIET_S)
    after = await _standing(gateway, port)
    print(f"after: {after}, load {os.getloadavg()[0]:.1f}")
    http.kill()
    good = not ends["hung"] and after["children"] == before["children"] and not after["in flight"]
    return good and after["files"] <= before["files"] + 8


async def _calls(port: int, number: int, ends: Counter[str], stop: asyncio.Event) -> None:
    server, mode = ("one", "two", "http")[number % 3], ("auto", "legacy")[number % 2]
    while not stop.is_set():
        with contextlib.suppress(Exception):
            async with (
                httpx2.AsyncClient(headers={"x-agentobs-agent": "executor"}, timeout=_LONGEST_S) as http,
                Client(
                    streamable_http_client(f"http://127.0.0.1:{port}/mcp/{server}", http_client=http),
                    mode=mode,
                    cache=None,
                ) as client,
            ):
                for _ in range(50):
                    await _call(client, ends)
                    if stop.is_set():
                        return
                    await asyncio.sleep(0.05)


async def _call(client: Client, ends: Counter[str]) -> None:
    tool = random.choice(("echo", "echo", "echo", "hang"))
    try:
        async with asyncio.timeout(_LONGEST_S):
            if tool == "hang" and random.random() < 0.5:
                await asyncio.wait_for(client.session.call_tool(tool, {}), 0.2)  # a caller who leaves
            await client.session.call_tool(tool, {"text": "x"})
        ends["answered"] += 1
    except MCPError as error:
        ends[str(error.error.code)] += 1
    except TimeoutError:
        ends["left" if tool == "hang" else "hung"] += 1


async def _kills(gateway: psutil.Process, http: "_Http", ends: Counter[str], stop: asyncio.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(random.uniform(2, 6))
        children = [child for child in gateway.children() if child.status() != psutil.STATUS_ZOMBIE]
        victim = random.choice([*children, http.process])
        with contextlib.suppress(psutil.Error):
            victim.kill()
            ends["killed"] += 1
        if victim is http.process:
            await asyncio.sleep(1)
            http.start()
    if http.process.poll() is not None:
        http.start()


class _Http:
    """The server over HTTP."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.start()

    def start(self) -> None:
        code = _HTTP.format(path=sys.path, port=self.port)
        self.process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


async def _answers(port: int) -> None:
    async with httpx2.AsyncClient() as http:
        while True:
            with contextlib.suppress(httpx2.TransportError):
                found = (await http.get(f"http://127.0.0.1:{port}/ready")).json()["servers"]
                if set(found.values()) == {"connected"}:
                    return
            await asyncio.sleep(0.2)


async def _standing(gateway: psutil.Process, port: int) -> dict[str, Any]:
    async with httpx2.AsyncClient() as http:
        text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    return {
        "children": len(gateway.children(recursive=True)),
        "files": gateway.num_fds(),
        "threads": gateway.num_threads(),
        "MB": round(gateway.memory_info().rss / 1e6),
        "in flight": sum("in_flight{" in line for line in text.splitlines()),
    }


def _policy(behind: int) -> dict[str, Any]:
    children = {
        name: {"command": [sys.executable, "-c", _CHILD.format(path=sys.path, name=name)]} for name in ("one", "two")
    }
    servers = children | {"http": {"url": f"http://127.0.0.1:{behind}/mcp"}}
    tools = {f"{server}/{tool}": {"timeout": "3s"} for server in servers for tool in ("echo", "hang")}
    return {
        "version": 1,
        "servers": servers,
        "agents": {"executor": {"tools": tools}},
        "breaker": {"failures": 5, "open": "2s"},
    }


if __name__ == "__main__":
    main()
