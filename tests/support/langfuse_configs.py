"""Langfuse's API of score configs on loopback: pages, creation, change; nothing is deleted."""

import base64
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PUBLIC, SECRET = "pk-lf-synthetic", "sk-lf-synthetic"
_PATH = "/api/public/score-configs"
_LARGEST_PAGE = 100


@dataclass
class ConfigsApi:
    """`page` is the most that one answer holds, whatever is asked for; `changes` counts requests that write."""

    server: ThreadingHTTPServer
    login: str = f"{PUBLIC}:{SECRET}"
    page: int = _LARGEST_PAGE
    configs: list[dict[str, Any]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def add(self, document: dict[str, Any]) -> dict[str, Any]:
        made = {"id": f"config-{next(self.ids)}", "isArchived": False, "description": None, **document}
        self.configs.append(made)
        return made


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def api(self) -> ConfigsApi:
        return self.server.api  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {key: int(values[0]) for key, values in parse_qs(parts.query).items()}
        size = min(asked["limit"], self.api.page)
        pages = max(1, -(-len(self.api.configs) // size))
        first = (asked["page"] - 1) * size
        meta = {"page": asked["page"], "limit": size, "totalItems": len(self.api.configs), "totalPages": pages}
        self._answer(200, {"data": self.api.configs[first : first + size], "meta": meta})

    def do_POST(self) -> None:
        document = self._body()
        if len(document["name"]) > 35:
            self._answer(400, {"message": "name is too long"})
            return
        self.api.changes.append("POST")
        self._answer(200, self.api.add(document))

    def do_PATCH(self) -> None:
        (found,) = [each for each in self.api.configs if self.path == f"{_PATH}/{each['id']}"]
        self.api.changes.append("PATCH")
        found.update(self._body())
        self._answer(200, found)

    def _body(self) -> dict[str, Any]:
        return dict(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if given != self.api.login:
            status, document = 401, {"message": "Invalid credentials"}
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def configs_api(port: int = 0) -> Iterator[ConfigsApi]:
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    api = ConfigsApi(server)
    server.api = api  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
