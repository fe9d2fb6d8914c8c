"""A tape: what MCP servers answered while a case was recorded, so that a replay needs neither servers nor a network.

A tape and the list of tools of a server are files named by their digest. Not here: the server that plays it
(`replay`), and the one that records it (`recording`).
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from agentobs import canonical
from delivery.golden.example import Amount, Digest, Pointer, Strict, Words

SCHEMA: Final = "agentobs/golden-tape/1"


class Surface(Strict):
    """What a server said of itself: its version, and all tools it lists, those that no case calls too."""

    name: Words
    version: str
    protocol: str = ""
    tools: tuple[dict[str, Any], ...]

    def hinted(self, tool: str) -> bool:
        """Whether a repeated call may get the same answer again: the tool says it only reads, or is idempotent."""
        for each in self.tools:
            if each.get("name") == tool:
                hints = each.get("annotations") or {}
                return bool(hints.get("readOnlyHint") or hints.get("idempotentHint"))
        return False

    def defaults(self, tool: str) -> dict[str, Any]:
        """Arguments that the schema of a tool fills in."""
        for each in self.tools:
            if each.get("name") == tool:
                properties = (each.get("inputSchema") or {}).get("properties") or {}
                return {key: value["default"] for key, value in properties.items() if "default" in value}
        return {}


class Failure(Strict):
    """A JSON-RPC error."""

    code: int
    message: str
    data: Any = None


class Call(Strict):
    """One recorded call: a whole result, as it went over the wire, or an error."""

    server: Words
    tool: Words
    arguments: dict[str, Any]
    result: dict[str, Any] | None = None
    error: Failure | None = None
    ms: Amount = 0.0


class Tape(Strict):
    """The calls of one case in their order."""

    form: Literal["agentobs/golden-tape/1"] = Field(default=SCHEMA, alias="schema")
    servers: dict[str, Digest]
    calls: tuple[Call, ...]
    match: Literal["exact", "normalised", "sequence"] = "exact"
    ignore: dict[str, tuple[Pointer, ...]] = Field(default_factory=dict)
    recorded_at: str = ""
    redaction: Annotated[str, Field(description="What was replaced before it was kept")] = ""


def document(model: Tape | Surface) -> dict[str, Any]:
    """The JSON of a tape or a surface, without what is default."""
    made: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {**made, "schema": SCHEMA} if isinstance(model, Tape) else made


def written(model: Tape | Surface) -> tuple[str, bytes]:
    """The name (a digest) and the bytes of the file of a tape or a surface."""
    made = document(model)
    return canonical.digest(made), canonical.canonical(made) + b"\n"
