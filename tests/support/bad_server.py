"""A server on loopback that answers whatever a test wants, or breaks off in the middle."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class BadServer:
    """What it answers next; `promised` is the length that it announces."""

    url: str
    status: int = 200
    body: bytes = b""
    promised: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    asked: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        says: BadServer = self.server.says  # type: ignore[attr-defined]
        says.asked.append(self.path)
        if says.hangs_up:
            self.connection.close()
            return
        self.send_response(says.status)
        for name, value in says.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(says.body) if says.promised is None else says.promised))
        self.end_headers()
        self.wfile.write(says.body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Keep test output clean."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A connection that was hung up is what was wanted."""


@contextmanager
def bad_server() -> Iterator[BadServer]:
    server = _Server(("127.0.0.1", 0), _Handler)
    says = BadServer(f"http://127.0.0.1:{server.server_address[1]}")
    server.says = says  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield says
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
