"""A scores API on loopback that keeps what it takes and answers what the test wants."""

import base64
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ScoresApi:
    """`answers` are used up one per request, as status and headers; then every request gets `status`."""

    server: ThreadingHTTPServer
    status: int = 200
    answers: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    tried: list[dict[str, Any]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    logins: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        api: ScoresApi = self.server.api  # type: ignore[attr-defined]
        score = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, headers = api.answers.popleft() if api.answers else (api.status, {})
        api.tried.append(score)
        api.paths.add(self.path)
        api.logins.add(base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode())
        if status == 200:
            api.taken.append(score)
        body = json.dumps({"id": score["id"]} if status == 200 else {"message": "because"}).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def scores_api() -> Iterator[ScoresApi]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    api = ScoresApi(server)
    server.api = api  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
