"""A webhook on loopback that keeps every alert Alertmanager sends, with the time it came."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Notice:
    """One alert of one notification: when it came, and when Prometheus first found it true for long enough."""

    at: float
    began: float
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def name(self) -> str:
        return self.labels["alertname"]


@dataclass
class Webhook:
    """What came so far, oldest first."""

    server: ThreadingHTTPServer
    notices: list[Notice] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/alerts"

    def firing(self, environment: str) -> list[Notice]:
        """The first notice of each alert of an environment that fired."""
        first: dict[tuple[tuple[str, str], ...], Notice] = {}
        for notice in list(self.notices):
            if notice.status == "firing" and notice.labels.get("environment") == environment:
                first.setdefault(tuple(sorted(notice.labels.items())), notice)
        return list(first.values())


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        webhook: Webhook = self.server.webhook  # type: ignore[attr-defined]
        now = time.time()
        webhook.notices.extend(
            Notice(now, _unix(alert["startsAt"]), alert["status"], alert["labels"], alert["annotations"])
            for alert in message["alerts"]
        )
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def webhook() -> Iterator[Webhook]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    receiver = Webhook(server)
    server.webhook = receiver  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
