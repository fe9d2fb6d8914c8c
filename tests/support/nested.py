"""OTLP requests whose one value is nested as deep as fits into a size: what recursion in a receiver costs most."""

from typing import Final

_INT: Final = b"\x18\x01"  # AnyValue.int_value
_TIMES: Final = b"\x39" + (1).to_bytes(8, "little") + b"\x41" + (2).to_bytes(8, "little")
_ROOM: Final = 200  # for everything around the value


def _varint(number: int) -> bytes:
    made = b""
    while number > 0x7F:
        made += bytes([number & 0x7F | 0x80])
        number >>= 7
    return made + bytes([number])


def _field(tag: int, body: bytes) -> bytes:
    return bytes([tag]) + _varint(len(body)) + body


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


# array_value of values; kvlist_value of values, each with a value.
KINDS: Final = {"lists": b"\x0a\x2a", "maps": b"\x12\x0a\x32"}


def protobuf(size: int, kind: str, key: str = "deep") -> bytes:
    """An export request of spans, of at most `size` bytes."""
    pair = _field(0x0A, key.encode()) + _field(0x12, _value(size - _ROOM, KINDS[kind]))
    ids = _field(0x0A, b"1" * 16) + _field(0x12, b"2" * 8)
    span = ids + _field(0x2A, b"nested") + b"\x30\x01" + _TIMES + _field(0x4A, pair)
    return _field(0x0A, _field(0x12, _field(0x12, span)))


def json(size: int, kind: str) -> bytes:
    """The same in JSON."""
    start, end = {
        "lists": ('{"arrayValue":{"values":[', "]}}"),
        "maps": ('{"kvlistValue":{"values":[{"key":"","value":', "}]}}"),
    }[kind]
    levels = (size - 2 * _ROOM) // len(start + end)
    value = start * levels + '{"intValue":"1"}' + end * levels
    ids = f'"traceId":"{"31" * 16}","spanId":"{"32" * 8}"'
    span = f'{ids},"name":"nested","startTimeUnixNano":"1","endTimeUnixNano":"2"'
    attributes = f'"attributes":[{{"key":"deep","value":{value}}}]'
    return f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{span},{attributes}}}]}}]}}]}}'.encode()
