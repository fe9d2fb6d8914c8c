"""A gate before services of this computer: programs and their own pages pass, other pages of the web do not.

A browser lets any page send requests to 127.0.0.1, and lets a page read the answers whose own name was pointed there
(DNS rebinding). Servers of metrics, alerts, traces and logs know no users and do not look at who asks: here it is seen
from the headers that a page cannot choose. The services themselves listen where no page finds them.

Run by its path with the standard library alone: `python -I gate.py CONFIG`. CONFIG is JSON: `host` to listen on,
`doors`: port -> host and port of the service behind it.
"""

import asyncio
import contextlib
import errno
import json
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

READY: Final = "/-/gate"
"""The path that the gate answers itself."""
_HEAD_BYTES: Final = 64 * 1024
_HEAD_S: Final = 60
_CONNECT_S: Final = 10
_LEAVE_S: Final = 2
_TAKEN_S: Final = 30
_POLL_S: Final = 0.2
_CHUNK: Final = 64 * 1024
_LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*?)[ \t]*")
_REQUEST: Final = re.compile(rb"([A-Z]+) (/[^ \x00-\x1f\x7f]*|\*) HTTP/1\.1")
_HOST: Final = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_OF_CONNECTION: Final = frozenset(("connection", "keep-alive", "proxy-connection", "upgrade", "te", "trailer"))

Headers = list[tuple[str, str]]


class RefusedError(Exception):
    """A request that does not pass: the status to answer with, and why."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


def parsed(head: bytes) -> tuple[str, str, Headers]:
    """Method, path and headers of a request. Raises RefusedError for what two readers could read in two ways."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    request = _REQUEST.fullmatch(first)
    found = [_LINE.fullmatch(line) for line in lines]
    if request is None or None in found:
        raise RefusedError("400 Bad Request", "not a plain request of HTTP/1.1")
    headers = [(line[1].decode("ascii").lower(), line[2].decode("latin-1")) for line in found if line is not None]
    names = [name for name, _ in headers]
    once = ("host", "origin", "content-length", "transfer-encoding", "sec-fetch-site", "sec-fetch-mode")
    if any(names.count(name) > 1 for name in once) or {"content-length", "transfer-encoding"} <= set(names):
        raise RefusedError("400 Bad Request", "a header is there twice")
    return request[1].decode("ascii"), request[2].decode("ascii"), headers


def admit(method: str, headers: Mapping[str, str]) -> None:
    """Raise RefusedError for a request that a page of somebody else made."""
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise RefusedError("421 Misdirected Request", f"this is not {host!r}; ask for 127.0.0.1 or localhost")
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        raise RefusedError("403 Forbidden", f"pages of {origin!r} may not ask; open http://{host} itself")
    follows = method in {"GET", "HEAD"} and headers.get("sec-fetch-mode") == "navigate"
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} and not follows:
        raise RefusedError("403 Forbidden", f"other pages may lead here and not ask; open http://{host} itself")


class Door:
    """One port, and the service behind it."""

    def __init__(self, host: str, port: int) -> None:
        self._behind = host, port

    async def pass_through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request: looked at, handed on, answered; then both sides close, so nothing comes in behind it."""
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_S)
            method, path, headers = parsed(head)
            admit(method, dict(headers))
            if path == READY:
                await _say(writer, "200 OK", "open")
            else:
                await self._hand_on(method, path, headers, reader, writer)
        except RefusedError as refused:
            await _say(writer, refused.status, str(refused))
        except asyncio.LimitOverrunError:
            await _say(writer, "431 Request Header Fields Too Large", "the headers are too long")
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            pass  # whoever asked is gone
        finally:
            await _leave(reader, writer)

    async def _hand_on(
        self, method: str, path: str, headers: Headers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            inner, outer = await asyncio.wait_for(asyncio.open_connection(*self._behind), _CONNECT_S)
        except (TimeoutError, OSError):
            raise RefusedError("502 Bad Gateway", "the service behind the gate does not answer") from None
        kept = [(name, value) for name, value in headers if name not in _OF_CONNECTION]
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in (*kept, ("connection", "close")))]
        outer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        up = asyncio.create_task(_copy(reader, outer))
        try:
            await _copy(inner, writer)
        finally:
            up.cancel()
            outer.close()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await up


async def _leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close, once whoever asked has closed: what it still sends would otherwise take the answer away from it."""
    with contextlib.suppress(TimeoutError, OSError):
        if writer.can_write_eof():
            writer.write_eof()
        await asyncio.wait_for(_rest(reader), _LEAVE_S)
    writer.close()


async def _rest(reader: asyncio.StreamReader) -> None:
    while await reader.read(_CHUNK):
        pass


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK):
        target.write(chunk)
        await target.drain()


async def _say(writer: asyncio.StreamWriter, status: str, why: str) -> None:
    body = f"{why}\n".encode()
    lines = [
        f"HTTP/1.1 {status}",
        "content-type: text/plain; charset=utf-8",
        "x-content-type-options: nosniff",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    with contextlib.suppress(OSError):
        writer.write("\r\n".join([*lines, "", ""]).encode("ascii") + body)
        await writer.drain()


async def serve(host: str, doors: Mapping[str, tuple[str, int]]) -> None:
    """Open every door, and keep them open."""
    servers = [await _opened(Door(*behind), host, int(port)) for port, behind in doors.items()]
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _opened(door: Door, host: str, port: int) -> asyncio.Server:
    """A door. A service that stood there before there was a gate may still be about to leave."""
    deadline = time.monotonic() + _TAKEN_S
    while True:
        try:
            return await asyncio.start_server(door.pass_through, host, port, limit=_HEAD_BYTES)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
            await asyncio.sleep(_POLL_S)


if __name__ == "__main__":
    config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(config["host"], config["doors"]))
