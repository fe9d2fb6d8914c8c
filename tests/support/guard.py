"""A proxy on loopback that demands a login, in front of a store that knows none."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import requests

_PASSED_ON: Final = ("Content-Type", "Content-Encoding")


@dataclass
class Guard:
    """Passes requests with the header `Authorization: <login>` to `upstream`; answers 401 to all others."""

    server: ThreadingHTTPServer
    upstream: str
    login: str
    answered: Counter[int] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        guard: Guard = self.server.guard  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, content = 401, b""
        if self.headers.get("Authorization") == guard.login:
            headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
            answer = requests.post(guard.upstream + self.path, data=body, headers=headers, timeout=20)
            status, content = answer.status_code, answer.content
        guard.answered[status] += 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def guarded(upstream: str, login: str) -> Iterator[Guard]:
    """A running guard, ended whatever happens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    guard = Guard(server, upstream, login)
    server.guard = guard  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield guard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
