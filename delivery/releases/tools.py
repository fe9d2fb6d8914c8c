"""What an MCP server says of its tools, and what a new version of it breaks for those who call it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentobs.canonical import CanonicalError, canonical
from delivery.errors import DeliveryError

_FORM: Final = '{"server": {"name": "kb", "version": "3.0.0"}, "tools": [...]}'
_META: Final = "_meta"


@dataclass(frozen=True, slots=True)
class ToolList:
    """The tools of one server by name, as its answer to tools/list has them."""

    server: str
    version: str
    tools: Mapping[str, Mapping[str, Any]]

    @classmethod
    def parse_document(cls, document: object, where: str) -> "ToolList":
        """Read a list. Raises DeliveryError naming the file and what was expected."""
        match document:
            case {"server": {"name": str(name), "version": str(version)}, "tools": [*tools]}:
                named = {tool["name"]: tool for tool in tools if isinstance(tool, dict) and tool.get("name")}
                if len(named) != len(tools):
                    raise DeliveryError(f"{where}: a tool has no name, or two have the same; expected each once")
                return cls(name, version, named)
        raise DeliveryError(f"{where} is no tool list; expected {_FORM}; fix: `agentobs release tools` writes one")

    def text(self, tool: str) -> str:
        """A tool's definition in its one spelling; its digest is the pin. Raises DeliveryError."""
        try:
            return definition(self.tools[tool])
        except CanonicalError as error:
            raise DeliveryError(f"the tool {tool} of {self.server} cannot be pinned: {error}") from None


def definition(tool: Mapping[str, Any]) -> str:
    """The canonical form of a definition, without what the protocol itself writes into it. Raises CanonicalError."""
    return canonical({key: value for key, value in tool.items() if key != _META and value is not None}).decode()


def breaking(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What a call that was right before may stumble over: gone or newly required arguments, other types and values."""
    return [*_schema(before.get("inputSchema") or {}, after.get("inputSchema") or {}, "argument")]


def _schema(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[str]:
    olds, news = before.get("properties") or {}, after.get("properties") or {}
    closed = after.get("additionalProperties") is False
    for name in sorted(olds.keys() - news.keys()):
        yield f"{path} {name} is gone{'' if closed else ' (and would be ignored)'}"
    required = set(after.get("required") or []) - set(before.get("required") or [])
    for name in sorted(required):
        yield f"{path} {name} is required now"
    for name in sorted(olds.keys() & news.keys()):
        yield from _value(olds[name], news[name], f"{path} {name}")


def _value(before: Any, after: Any, path: str) -> Iterator[str]:  # noqa: ANN401 any schema
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    if before.get("type") != after.get("type"):
        yield f"{path} is of type {after.get('type', 'any')} now, was {before.get('type', 'any')}"
        return
    if gone := [value for value in before.get("enum") or [] if value not in (after.get("enum") or [value])]:
        yield f"{path} may not be {', '.join(map(str, gone))} any more"
    yield from _bounds(before, after, path)
    yield from _schema(before, after, f"{path} /")
    yield from _value(before.get("items"), after.get("items"), f"{path} items")


_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def _bounds(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[str]:
    for key in (*_LOWER, *_UPPER):
        old, new = before.get(key), after.get(key)
        narrower = new is not None and (old is None or (new > old if key in _LOWER else new < old))
        if narrower:
            yield f"{path} has {key} {new} now{'' if old is None else f', was {old}'}"
