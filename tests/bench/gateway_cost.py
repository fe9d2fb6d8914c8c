"""What the gateway costs: time and calls beside direct calls and a plain FastMCP proxy, all in one run.

    make bench-gateway

A tool `echo` over streamable HTTP on loopback, each server a process of its own. Calls of one caller, one after the
other, in rounds that alternate between the ways; then 16 callers at once. CPU is that of the process in the middle. The
load of the machine is printed: p99 is its scheduler's more than ours.
"""

import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import psutil
import yaml
from mcp import MCPError
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from support.ports import free_ports
from support.python_environment import _uv

from agentobs.guard import Call, State, decide
from agentobs.guard.switch import POLL_S, Stopped
from gateway.limits import Limits
from gateway.policy import load
from toolchain.settings import cache_root

_ROUNDS: Final = 10
_EACH: Final = 50
_AT_ONCE: Final = 16
_TOTAL: Final = 800
_KILLS: Final = 20
_ABANDONED: Final = 10_000
_FASTMCP: Final = "fastmcp-slim[server]==4.2.1"
_UPSTREAM: Final = """
import sys
import uvicorn
sys.path[:0] = {path!r}
from support.tool_server import ToolServer
uvicorn.run(ToolServer().server().streamable_http_app(), port={port}, log_level="error")
"""
_PROXY: Final = """
from fastmcp.server import create_proxy
create_proxy("http://127.0.0.1:{upstream}/mcp").run("http", host="127.0.0.1", port={port}, show_banner=False,
                                                  log_level="ERROR")
"""


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream, gateway, proxy = free_ports(3)
        _run(stack, [sys.executable, "-c", _UPSTREAM.format(path=sys.path, port=upstream)], upstream)
        policy = folder / "policy.yaml"
        policy.write_text(yaml.safe_dump(_policy(upstream)))
        (folder / "switch.json").write_text('{"killed": {}}')
        serve = ["-c", "from stacks.cli.main import main; main()", "gateway", "serve", "--policy", str(policy)]
        serve += ["--switch", str(folder / "switch.json")]
        middle = {
            "gateway": _run(stack, [sys.executable, *serve, "--port", str(gateway)], gateway),
            "FastMCP proxy": _run(stack, [str(_fastmcp()), "-c", _PROXY.format(upstream=upstream, port=proxy)], proxy),
        }
        urls = {
            "direct": f"http://127.0.0.1:{upstream}/mcp",
            "gateway": f"http://127.0.0.1:{gateway}/mcp/bench",
            "FastMCP proxy": f"http://127.0.0.1:{proxy}/mcp",
        }
        print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        asyncio.run(_measured(urls, middle))
        asyncio.run(_kills(urls["gateway"], folder / "switch.json"))
        asyncio.run(_sessions(urls["gateway"], middle["gateway"]))
        _decisions(load(policy))
        print(f"load after: {os.getloadavg()[0]:.1f}")


async def _measured(urls: dict[str, str], middle: dict[str, psutil.Process]) -> None:
    times: dict[str, list[float]] = {way: [] for way in urls}
    for _ in range(_ROUNDS):
        for way, url in urls.items():
            async with _client(url) as client:
                await client.call_tool("echo", {"text": "x"})
                for _ in range(_EACH):
                    began = time.perf_counter()
                    await client.call_tool("echo", {"text": "x"})
                    times[way].append((time.perf_counter() - began) * 1000)
    base = _quantiles(times["direct"])
    print(f"{'':15} {'p50':>7} {'p99':>7} {'p50+':>10} {'p99+':>10} {'calls/s':>9} {'CPU ms':>7} {'per core':>9}")
    for way, url in urls.items():
        p50, p99 = _quantiles(times[way])
        before = _cpu(middle.get(way))
        rate = await _at_once(url)
        cpu = (_cpu(middle.get(way)) - before) / _TOTAL * 1000
        core = f"{cpu:7.2f} {1000 / cpu:9.0f}" if cpu else ""
        print(f"{way:15} {p50:7.2f} {p99:7.2f} {p50 - base[0]:10.2f} {p99 - base[1]:10.2f} {rate:9.0f} {core}")


async def _at_once(url: str) -> float:
    async with _client(url) as client:
        began = time.perf_counter()

        async def calls() -> None:
            for _ in range(_TOTAL // _AT_ONCE):
                await client.call_tool("echo", {"text": "x"})

        await asyncio.gather(*(calls() for _ in range(_AT_ONCE)))
        return _TOTAL / (time.perf_counter() - began)


async def _kills(url: str, switch: Path) -> None:
    """From the switch's file to the caller's answer, while a call runs."""
    times = []
    for number in range(_KILLS):
        async with _client(url) as client:
            call = asyncio.create_task(client.call_tool("hang", {}))
            await asyncio.sleep(0.3 + random.random() * POLL_S)
            stopped = {"reason": str(number), "by": "bench", "at": "now"}
            _replace(switch, {"killed": {"tools": {"bench/hang": stopped}}})
            began = time.perf_counter()
            with contextlib.suppress(MCPError):
                await call
            times.append(time.perf_counter() - began)
            _replace(switch, {"killed": {}})
            await asyncio.sleep(2 * POLL_S)
    p50, _ = _quantiles(times)
    print(f"a running call ends after a kill: p50 {p50:.2f} s, p95 {sorted(times)[int(_KILLS * 0.95) - 1]:.2f} s")


async def _sessions(url: str, gateway: psutil.Process) -> None:
    """Sessions of the old era that nobody ends."""
    before, statuses = gateway.memory_info().rss, Counter[int]()
    info = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": info}
    headers = {"accept": "application/json, text/event-stream", "x-agentobs-agent": "executor"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        for _ in range(_ABANDONED):
            statuses[(await http.post(url, json=body)).status_code] += 1
    grown = (gateway.memory_info().rss - before) / 1e6
    print(f"{_ABANDONED} abandoned sessions: {dict(statuses)}, memory {before / 1e6:.0f} MB + {grown:.0f} MB")


def _replace(path: Path, document: dict[str, Any]) -> None:
    path.with_suffix(".new").write_text(json.dumps(document))
    path.with_suffix(".new").replace(path)


def _decisions(document: Any) -> None:
    call, state = Call("executor", "bench", "echo", {"text": "x"}), State(frozenset({"executor"}))
    rule, limits, times = document.rule("executor", "bench", "echo"), Limits(), []
    for _ in range(5000):
        began = time.perf_counter()
        Stopped().killed("executor", "bench", "echo")
        decide(document, call, state)
        limits.take(call, rule)
        times.append((time.perf_counter() - began) * 1e6)
    print(
        f"a decision with its rate, in memory: p50 {statistics.median(times):.1f} us, p99 {_quantiles(times)[1]:.1f} us"
    )


def _client(url: str) -> Client:
    http = httpx2.AsyncClient(headers={"x-agentobs-agent": "executor"}, timeout=30)
    return Client(streamable_http_client(url, http_client=http), cache=None)


def _policy(upstream: int) -> dict[str, Any]:
    rule = {"rate": "100000/s", "in_flight": 100, "arguments": {"text": {"maxLength": 100}}}
    return {
        "version": 1,
        "servers": {"bench": {"url": f"http://127.0.0.1:{upstream}/mcp"}},
        "agents": {"executor": {"tools": {"bench/echo": rule, "bench/hang": {}}}},
    }


def _fastmcp() -> Path:
    home = cache_root() / "python" / "bench-fastmcp"
    python = home / "bin" / "python"
    if not (home / "done").exists():
        _uv("venv", "--clear", "--python", sys.executable, str(home))
        _uv("pip", "install", "--python", str(python), _FASTMCP)
        (home / "done").touch()
    return python


def _run(stack: ExitStack, command: list[str], port: int) -> psutil.Process:
    return stack.enter_context(_running(command, port))


@contextmanager
def _running(command: list[str], port: int) -> Iterator[psutil.Process]:
    with subprocess.Popen(command) as process:
        try:
            _wait(port, process)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if any(one.laddr.port == port for one in psutil.Process(process.pid).net_connections("tcp")):
            time.sleep(1)  # the gateway connects to what is behind it
            return
        time.sleep(0.1)
    raise SystemExit(f"{process.args} does not listen at {port}")


def _cpu(process: psutil.Process | None) -> float:
    if process is None:
        return 0.0
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def _quantiles(times: list[float]) -> tuple[float, float]:
    ordered = sorted(times)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)]


if __name__ == "__main__":
    main()
