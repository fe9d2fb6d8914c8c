"""The tools, as plain functions and as an MCP server on stdio: `python tool_server.py`.

Each writes what it did to the file that $CORPUS_TOOL_LOG names: the truth that telemetry is compared with.
"""

import json
import os
import time
from pathlib import Path

from scenario import SLOW_IS_DONE, SLOW_SECONDS, TOOL_TIMEOUT


class ToolError(Exception):
    """A tool says that it failed."""


def _log() -> Path:
    return Path(os.environ["CORPUS_TOOL_LOG"])


def _note(tool: str, topic: str, outcome: str) -> None:
    # One short write in append mode: servers of several sessions share the file.
    line = json.dumps({"tool": tool, "topic": topic, "outcome": outcome, "at": time.time_ns()})
    with _log().open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _failed_before(topic: str) -> bool:
    # Not a variable: some clients start a server for each call.
    return any(f'"{topic}"' in line and '"flaky"' in line for line in _log().read_text().splitlines())


def lookup(topic: str) -> str:
    """Look up a topic, such as an order."""
    _note("lookup", topic, "ok")
    return f"{topic}: shipped on Tuesday"


def flaky(topic: str) -> str:
    """Look up a topic in a register that sometimes fails."""
    if not _failed_before(topic):
        _note("flaky", topic, "failed")
        raise ToolError(f"register is busy, try {topic} again")
    _note("flaky", topic, "ok")
    return f"{topic}: paid on Monday"


def broken(topic: str) -> str:
    """Look up a topic in an archive."""
    _note("broken", topic, "failed")
    raise ToolError(f"archive has no {topic}")


def slow(topic: str) -> str:
    """Ask the carrier about a topic."""
    # Whether the client waited for it is not known here, see truth.py.
    _note("slow", topic, "started")
    time.sleep(SLOW_SECONDS)
    return f"{SLOW_IS_DONE}: {topic}"


def slow_given_up(topic: str) -> str:
    """Ask the carrier about a topic."""
    # For frameworks without a client that gives up: the function does what such a client would do.
    _note("slow", topic, "started")
    time.sleep(TOOL_TIMEOUT)
    raise TimeoutError(f"carrier did not answer within {TOOL_TIMEOUT} s")


slow_given_up.__name__ = "slow"
FUNCTIONS = {"lookup": lookup, "flaky": flaky, "broken": broken, "slow": slow_given_up}


def _send_telemetry() -> None:
    """Spans of the server (mcp 2 has them) to the same receiver as the client's, as a service of its own."""
    from opentelemetry import trace  # noqa: PLC0415 only a server needs these
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": "register", "service.version": "2.0.0"}))
    # One by one: nobody tells a server when it is stopped.
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def serve() -> None:
    """Offer the tools over MCP."""
    if os.environ.get("CORPUS_SERVER_TELEMETRY"):
        _send_telemetry()
    import asyncio  # noqa: PLC0415 only the server needs these, and programs without MCP import this module too

    try:
        from mcp.server.fastmcp import FastMCP as Server  # noqa: PLC0415
    except ImportError:  # mcp 2
        from mcp.server import MCPServer as Server  # noqa: PLC0415
    server = Server("register")
    for tool in (lookup, flaky, broken):
        server.add_tool(tool)

    async def wait(topic: str) -> str:
        _note("slow", topic, "started")
        await asyncio.sleep(SLOW_SECONDS)
        return f"{SLOW_IS_DONE}: {topic}"

    # Not the blocking function: a server that sleeps would hold up the next call of the same session.
    server.add_tool(wait, name="slow", description=slow.__doc__)
    server.run()


if __name__ == "__main__":
    serve()
