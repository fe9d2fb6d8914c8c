"""OTLP requests whose one value is nested as deep as fits into a size: what recursion costs a collector most."""

import json as text
from typing import Final

_INT: Final = b"\x18\x01"  # AnyValue.int_value
_ROOM: Final = 300  # for everything around the value
_IDS: Final = {"traceId": "31" * 16, "spanId": "32" * 8}


def _varint(number: int) -> bytes:
    made = b""
    while number > 0x7F:
        made += bytes([number & 0x7F | 0x80])
        number >>= 7
    return made + bytes([number])


def _field(number: int, body: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(body)) + body


def _value(size: int, tags: bytes) -> bytes:
    """An AnyValue of at most `size` bytes; `tags` are those of one level, the innermost first."""
    prefixes, length = [], len(_INT)
    while True:
        level = b""
        for tag in tags:
            level = bytes([tag]) + _varint(length + len(level)) + level
        if length + len(level) > size:
            return b"".join(reversed(prefixes)) + _INT
        prefixes.append(level)
        length += len(level)


# array_value of values; kvlist_value of values, each with a value. And as JSON, a level's start and end.
KINDS: Final = {"lists": b"\x0a\x2a", "maps": b"\x12\x0a\x32"}
_LEVELS: Final = {
    "lists": ('{"arrayValue":{"values":[', "]}}"),
    "maps": ('{"kvlistValue":{"values":[{"key":"","value":', "}]}}"),
}
PLACES: Final = {
    "span": "traces", "resource": "traces", "scope": "traces", "event": "traces", "link": "traces",
    "body": "logs", "record": "logs", "point": "metrics", "exemplar": "metrics",
}  # fmt: skip
"""Where the value can stand -> the signal of that request."""


def protobuf(size: int, kind: str, place: str = "span", key: str = "deep") -> bytes:
    """An export request of at most `size` bytes."""
    value = _value(size - _ROOM, KINDS[kind])
    pair = _field(1, key.encode()) + _field(2, value)
    resource = _field(1, _field(1, pair)) if place == "resource" else b""
    scope = _field(1, _field(3, pair)) if place == "scope" else b""
    return _field(1, resource + _field(2, scope + _field(2, _item(place, pair, value))))


def _item(place: str, pair: bytes, value: bytes) -> bytes:
    ids = _field(1, b"1" * 16) + _field(2, b"2" * 8)
    times = b"\x39" + (1).to_bytes(8, "little") + b"\x41" + (2).to_bytes(8, "little")
    match place:
        case "body":
            return _field(5, value)
        case "record":
            return _field(6, pair)
        case "point":
            return _field(1, b"nested") + _field(5, _field(1, _field(7, pair)))
        case "exemplar":
            return _field(1, b"nested") + _field(5, _field(1, _field(5, _field(7, pair))))
    inner = {"span": (9, pair), "event": (11, _field(3, pair)), "link": (13, ids + _field(4, pair))}
    nested = _field(*inner[place]) if place in inner else b""
    return ids + _field(5, b"nested") + b"\x30\x01" + times + nested


def json(size: int, kind: str, place: str = "span") -> bytes:
    """The same in JSON."""
    start, end = _LEVELS[kind]
    levels = (size - 2 * _ROOM) // len(start + end)
    pair = {"attributes": [{"key": "deep", "value": "NESTED"}]}
    of = lambda *places: pair if place in places else {}  # noqa: E731 a word
    if PLACES[place] == "traces":
        span = {**_IDS, "name": "nested", "startTimeUnixNano": "1", "endTimeUnixNano": "2", **of("span")}
        span |= {"events": [of("event")]} if place == "event" else {}
        span |= {"links": [{**_IDS, **pair}]} if place == "link" else {}
        whole = {"scopeSpans": [{"scope": of("scope"), "spans": [span]}]}
        names = "resourceSpans"
    elif PLACES[place] == "logs":
        whole = {"scopeLogs": [{"logRecords": [{"body": "NESTED"} if place == "body" else pair]}]}
        names = "resourceLogs"
    else:
        exemplars = {"exemplars": [{"filteredAttributes": pair["attributes"]}]} if place == "exemplar" else {}
        point = {**of("point"), **exemplars}
        whole = {"scopeMetrics": [{"metrics": [{"name": "nested", "gauge": {"dataPoints": [point]}}]}]}
        names = "resourceMetrics"
    body = text.dumps({names: [{"resource": of("resource"), **whole}]})
    return body.replace('"NESTED"', start * levels + '{"intValue":"1"}' + end * levels).encode()
