"""Tapes for the cases of a folder: each is recorded, written, and named in its line of `cases.jsonl`."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from mcp import StdioServerParameters
from mcp.client.stdio import get_default_environment

from delivery.golden import dataset, files, parsing
from delivery.golden.dataset import CASES, TAPES, Case
from delivery.golden.errors import GoldenError
from delivery.golden.recording import Recorder, files_of, opened
from delivery.golden.systems import CaseRun, System
from delivery.golden.tape import Tape, written

_FIX: Final = 'write {"mcpServers": {"NAME": {"command": "...", "args": []}}}, or a "url" instead of a command'


def servers_of(path: Path) -> dict[str, Any]:
    """The live servers of a file in the form that MCP clients read. Raises GoldenError."""
    made = parsing.strictly(files.text_of(path, _FIX), str(path))
    named = made.get("mcpServers") if isinstance(made, dict) else None
    if not isinstance(named, dict) or not named:
        raise GoldenError(f"{path}: names no server; fix: {_FIX}")
    found: dict[str, Any] = {}
    for name, server in named.items():
        if not isinstance(server, dict) or not ("url" in server) ^ ("command" in server):
            raise GoldenError(f"{path}: the server {name!r} has neither a command nor a url; fix: {_FIX}")
        found[name] = server.get("url") or StdioServerParameters(
            command=server["command"],
            args=list(server.get("args", ())),
            env={**get_default_environment(), **server.get("env", {})},
        )
    return found


async def record(
    folder: Path, system: System, servers: Mapping[str, Any], only: Collection[str], limit_s: float
) -> list[str]:
    """Record the cases that are named, or all; returns what went wrong in any. Raises GoldenError, writes nothing then.

    Cases whose run broke keep the tape that they had.
    """
    lines = files.text_of(folder / CASES, f"agentobs golden init {folder}").split("\n")
    # A case may name a tape that is not there yet.
    bare = dataset.read_cases(folder / CASES, "\n".join(lines))
    if unknown := sorted({*only} - {case.example.id for case in bare}):
        raise GoldenError(f"{folder / CASES}: there is no case {unknown[0]!r}; fix: an id of cases.jsonl")
    wrong: list[str] = []
    tapes: dict[str, Tape] = {}
    async with AsyncExitStack() as stack:
        recorder = Recorder(await opened(stack, servers))
        await recorder.begin()
        await stack.enter_async_context(system)
        for case in bare:
            if only and case.example.id not in only:
                continue
            reply, tape = await recorder.record(system, _given(case), limit_s)
            if reply.invalid:
                wrong.append(f"{folder / CASES}:{case.line}: case {case.example.id}: {reply.invalid}")
            else:
                tapes[case.example.id] = tape
                lines[case.line - 1] = _naming(lines[case.line - 1], written(tape)[0])
        for name, content in files_of([*tapes.values()], [*recorder.surfaces.values()]).items():
            files.write(folder / TAPES / f"{name}.json", content)
    files.write(folder / CASES, "\n".join(lines).encode())
    for path in _unused(folder):
        path.unlink()
    return wrong


def _given(case: Case) -> CaseRun:
    frozen = case.example.context
    return CaseRun(
        case=case.example.id,
        run=0,
        input=case.example.input,
        seed=frozen.seed,
        now=frozen.now,
        task_type=frozen.task_type,
    )


def _naming(line: str, tape: str) -> str:
    return json.dumps({**json.loads(line), "tape": tape}, ensure_ascii=False)


def _unused(folder: Path) -> Iterator[Path]:
    """Files of `tapes/` that no case asks for any more."""
    found = dataset.draft(folder)
    used = {*found.tapes, *found.surfaces}
    yield from (path for path in (folder / TAPES).glob("*.json") if path.stem not in used)
