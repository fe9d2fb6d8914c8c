"""A program as the system under test: started for each case, the case on its standard input, the answer its last line.

It gets `TRACEPARENT`, `BAGGAGE`, `OTEL_EXPORTER_OTLP_ENDPOINT`, and the paths of two files that say where its tools
are, in the form that MCP clients read: `AGENTOBS_MCP_SERVERS` has addresses, `AGENTOBS_MCP_SERVERS_STDIO` commands.
"""

import asyncio
import json
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from delivery.golden.errors import GoldenError
from delivery.golden.matching import Player
from delivery.golden.receiver import Receiver, orphans
from delivery.golden.replay import CASE
from delivery.golden.systems import CaseRun, Reply
from delivery.golden.tape_http import TapesOverHttp

_LARGEST: Final = 10 * 1024 * 1024
_BY_ADDRESS: Final = "mcp.json"
_BY_COMMAND: Final = "mcp-stdio.json"
_NOWHERE: Final = "http://127.0.0.1:9"
"""A proxy that is not there: a program that heeds these variables reaches nothing but this machine."""


@dataclass(slots=True)
class CommandSystem:
    """One process per run, ended with all its children at the time limit."""

    command: str
    _tapes: TapesOverHttp = field(default_factory=TapesOverHttp)

    async def __aenter__(self) -> Self:
        """Serve the tapes."""
        await self._tapes.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Serve them no longer."""
        await self._tapes.__aexit__()

    async def run(self, case: CaseRun, player: Player | None, limit_s: float) -> Reply:  # noqa: ARG002 tapes go by address
        """Start it and wait for its end."""
        servers = await self._tapes.addresses(case.servers, case.key)
        with Receiver() as receiver, tempfile.TemporaryDirectory(prefix="agentobs-golden-") as folder:
            await asyncio.to_thread(_write_servers, Path(folder), servers)
            answer, invalid = await self._ended(case, _environment(case, receiver, folder), limit_s)
            return _reply(receiver, answer, invalid)

    async def _ended(self, case: CaseRun, environment: dict[str, str], limit_s: float) -> tuple[Any, str]:
        """The answer, or why there is none."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *shlex.split(self.command), stdin=pipe, stdout=pipe, stderr=pipe, env=environment,
                start_new_session=True, limit=_LARGEST,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise GoldenError(f"the command {self.command!r} does not start: {error}; fix: name a program") from None
        given = json.dumps(case.document()).encode() + b"\n"
        try:
            out, err = await asyncio.wait_for(process.communicate(given), limit_s)
        except TimeoutError:
            return None, f"timeout: no answer within {limit_s:g} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if process.returncode:
            return None, f"the system ended with exit code {process.returncode}: {err.decode(errors='replace')[-300:]}"
        return _answer(out.decode(errors="replace")), ""


def _write_servers(folder: Path, servers: Mapping[str, str]) -> None:
    """The same servers, by address and by command. A client may clear the environment of what it starts."""
    path = os.pathsep.join(sys.path)
    forms = {
        _BY_ADDRESS: {name: {"type": "http", "url": address} for name, address in servers.items()},
        _BY_COMMAND: {
            name: {
                "command": sys.executable,
                "args": ["-m", "delivery.golden.stdio", address],
                "env": {"PYTHONPATH": path},
            }
            for name, address in servers.items()
        },
    }
    for file, named in forms.items():
        (folder / file).write_text(json.dumps({"mcpServers": named}), encoding="utf-8")


def _environment(case: CaseRun, receiver: Receiver, folder: str) -> dict[str, str]:
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE)
    context = case.context
    return {
        **os.environ,
        **proxies,
        "no_proxy": "127.0.0.1,localhost",
        "NO_PROXY": "127.0.0.1,localhost",
        "TRACEPARENT": f"00-{context.trace_id:032x}-{context.span_id:016x}-01",
        "BAGGAGE": f"{CASE}={case.key}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "AGENTOBS_MCP_SERVERS": f"{folder}/{_BY_ADDRESS}",
        "AGENTOBS_MCP_SERVERS_STDIO": f"{folder}/{_BY_COMMAND}",
    }


def _answer(out: str) -> Any:  # noqa: ANN401 any JSON
    """The last line that holds anything: JSON, else text."""
    last = next((line for line in reversed(out.splitlines()) if line.strip()), "")
    try:
        return json.loads(last)
    except ValueError:
        return last


def _reply(receiver: Receiver, answer: Any, invalid: str) -> Reply:  # noqa: ANN401 any JSON
    """All that came to the run's own address: many programs do not go on with a trace of their environment."""
    spans, events = [], []
    for trace in receiver.traces():
        own, said = receiver.take(trace)
        spans += own
        events += said
    missing = orphans(spans)
    return Reply(answer=answer, spans=spans, events=events, invalid=invalid, missing=missing)
