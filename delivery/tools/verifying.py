"""What tapes hide: a live server compared with what it said of itself, and answered, when tapes were recorded.

Only tools that say they read are called.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mcp import MCPError
from mcp.client import Client

from agentobs import canonical
from delivery.golden.dataset import Dataset
from delivery.golden.recording import plain, surface_of
from delivery.golden.tape import Call
from delivery.tools.surfaces import changes

_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """What is otherwise at a server. `breaks`: agents that were right before may fail now."""

    server: str
    tool: str
    text: str
    breaks: bool

    def __str__(self) -> str:
        place = f"{self.server}.{self.tool}" if self.tool else self.server
        return f"{'breaks' if self.breaks else 'differs'} {place}: {self.text}"


async def verify(dataset: Dataset, clients: Mapping[str, Client], most: int, limit_s: float) -> list[Difference]:
    """Compare every server that tapes know. `most` recorded calls of a tool are made again."""
    found: list[Difference] = []
    for name, digest in sorted({pair for tape in dataset.tapes.values() for pair in tape.servers.items()}):
        if name not in clients:
            found.append(Difference(name, "", "is on tape and was not named; fix: add it to --servers", breaks=True))
            continue
        before, after = dataset.surfaces[digest], await surface_of(name, clients[name])
        found += [Difference(name, each.tool, each.text, each.breaks) for each in changes(before, after)]
        offered = {str(tool["name"]) for tool in after.tools}
        for call in examples(dataset, name, most):
            if call.tool in offered and (text := await _otherwise(clients[name], call, limit_s)):
                found.append(Difference(name, call.tool, text, breaks=True))
    return found


def examples(dataset: Dataset, server: str, most: int) -> Iterator[Call]:
    """Recorded calls of a server that only read, each once, so many of a tool."""
    seen: dict[str, set[str]] = {}
    for tape in dataset.tapes.values():
        for call in tape.calls:
            surface = dataset.surfaces[tape.servers[call.server]]
            made = seen.setdefault(call.tool, set())
            key = canonical.digest(call.arguments)
            if call.server == server and reads(surface.tools, call.tool) and key not in made and len(made) < most:
                made.add(key)
                yield call


def reads(tools: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether a tool says that it only reads."""
    return any(tool.get("name") == name and (tool.get("annotations") or {}).get("readOnlyHint") for tool in tools)


async def _otherwise(client: Client, call: Call, limit_s: float) -> str:
    """How the live answer differs from the recorded one; an error that was recorded is no promise."""
    if call.result is None or call.result.get("isError"):
        return ""
    try:
        now = plain(await client.call_tool(call.tool, call.arguments, read_timeout_seconds=limit_s))
    except MCPError as error:
        return f"failed with {error.error.code} {error.error.message} for {_short(call.arguments)}"
    if now.get("isError"):
        return f"failed for {_short(call.arguments)}: {_short(now.get('content'))}"
    for part in ("structuredContent", "content"):
        if (was := call.result.get(part)) != (here := now.get(part)):
            return f"answers otherwise to {_short(call.arguments)}: was {_short(was)}, is {_short(here)}"
    return ""


def _short(value: Any) -> str:  # noqa: ANN401 any JSON
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
