"""The part of Grafana's API that a push uses, as its documentation says it answers; no build of it can be had here.

Versions, folders, the refusal of an outdated version, of a missing right and of a provisioned board.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "glsa_for_tests"  # noqa: S105 opens nothing
_BOARD = re.compile(r"/api/dashboards/uid/([^/?]+)(/versions)?(\?.*)?")


@dataclass
class FakeGrafana:
    """Boards as versions, oldest first; each is `{"dashboard": ..., "message": ..., "createdBy": ...}`."""

    boards: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    folders: list[dict[str, str]] = field(default_factory=list)
    provisioned: set[str] = field(default_factory=set)
    # Grafana 11 turned the list of versions into an object.
    versions_as_list: bool = False
    writes: int = 0
    url: str = ""
    before_write: Any = None

    def save(self, dashboard: dict[str, Any], message: str, by: str, folder: str = "") -> int:
        versions = self.boards.setdefault(dashboard["uid"], [])
        stored = {**dashboard, "id": 7, "version": len(versions) + 1}
        versions.append({"dashboard": stored, "message": message, "createdBy": by, "folder": folder})
        return len(versions)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if (found := _BOARD.fullmatch(path)) and method == "GET":
            return self._board(found[1], versions=bool(found[2]))
        if path.startswith("/api/folders"):
            if method == "POST":
                self.folders.append({"uid": f"f{len(self.folders)}", "title": body["title"]})
                return 200, self.folders[-1]
            return 200, self.folders
        if (method, path) == ("POST", "/api/dashboards/db"):
            return self._write(body)
        return 404, {"message": "Not found"}

    def _board(self, uid: str, *, versions: bool) -> tuple[int, Any]:
        stored = self.boards.get(uid)
        if not stored:
            return 404, {"message": "Dashboard not found"}
        if versions:
            newest = [{"version": len(stored), **{k: stored[-1][k] for k in ("message", "createdBy")}}]
            return 200, newest if self.versions_as_list else {"versions": newest}
        return 200, {"dashboard": stored[-1]["dashboard"], "meta": {"url": f"/d/{uid}"}}

    def _write(self, body: Any) -> tuple[int, Any]:
        if self.before_write:
            self.before_write()
        uid = body["dashboard"]["uid"]
        if uid in self.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if body["dashboard"]["version"] != len(self.boards.get(uid, [])) and not body["overwrite"]:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        self.writes += 1
        self.save(body["dashboard"], body["message"], "sa-agentobs", body["folderUid"])
        return 200, {"uid": uid, "url": f"/d/{uid}", "status": "success"}


@contextmanager
def grafana() -> Iterator[FakeGrafana]:
    """A server on loopback for as long as the block runs."""
    state = FakeGrafana()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            allowed = self.headers["Authorization"] == f"Bearer {TOKEN}"
            status, answer = state.answer(self.command, self.path, body) if allowed else (401, {"message": "Expired"})
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815 names of http.server

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join(5)
