"""A real Alertmanager on loopback, and sinks that keep what it sends: HTTP requests of any kind, and mails."""

import json
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

import toolchain
from alerts import routing
from collector.document import to_yaml
from support.ports import free_ports

Labels = Mapping[str, str]
Document = Mapping[str, Any]


def key(labels: Labels) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def write(folder: Path, config: Document) -> Path:
    """The configuration as the stack lays it down: the templates beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / routing.FILE).write_text(routing.TEMPLATE)
    path = folder / "alertmanager.yml"
    path.write_text(to_yaml(dict(config)))
    return path


@dataclass
class Alertmanager:
    """One process. `load` returns when all alerts posted before are judged by the new configuration."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def load(self, config: Document) -> None:
        write(self.folder, config)
        answer = requests.post(f"{self.url}/-/reload", timeout=20)
        assert answer.ok, answer.text

    def post(
        self, alerts: Iterable[Labels], annotations: Labels | None = None, starts: str = "", *, over: bool = False
    ) -> None:
        """Fire alerts, or end them. Each ends before the one in front of it, as if it had been sent earlier."""
        now = datetime.now(UTC)
        body = [
            {
                "labels": dict(labels),
                "annotations": dict(annotations or {}),
                "startsAt": starts or now.isoformat(),
                "endsAt": (now if over else now + timedelta(hours=1, seconds=-number)).isoformat(),
            }
            for number, labels in enumerate(alerts)
        ]
        requests.post(f"{self.url}/api/v2/alerts", json=body, timeout=20).raise_for_status()

    def inhibited(self) -> dict[frozenset[tuple[str, str]], bool]:
        """Labels of each alert -> whether it is muted."""
        alerts = requests.get(f"{self.url}/api/v2/alerts", timeout=20).json()
        return {key(alert["labels"]): bool(alert["status"]["inhibitedBy"]) for alert in alerts}


@contextmanager
def alertmanager(folder: Path, config: Document, *flags: str) -> Iterator[Alertmanager]:
    """A started Alertmanager, ended whatever happens."""
    (port,) = free_ports(1)
    path = write(folder, config)
    command = [
        str(toolchain.require(["alertmanager"])["alertmanager"]),
        f"--config.file={path}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        *flags,
    ]
    with (folder / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    made = Alertmanager(folder, port)
    try:
        eventually(lambda: _ready(made, process))
        yield made
    finally:
        process.terminate()
        process.wait(20)


def _ready(made: Alertmanager, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, (made.folder / "alertmanager.log").read_text()[-3000:]
    try:
        return requests.get(f"{made.url}/-/ready", timeout=1).ok
    except requests.ConnectionError:
        return False


def eventually(check: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true answer of `check`; its last one when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > deadline:
            return found
        time.sleep(0.05)
    return found


@dataclass
class Sink:
    """An endpoint that says yes to everything and keeps it: bodies by path, oldest first."""

    port: int
    bodies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def alerts(self, path: str) -> list[tuple[str, str]]:
        """Name and status of each alert of each notification to a webhook."""
        every = [alert for body in self.bodies.get(path, ()) for alert in body["alerts"]]
        return [(alert["labels"]["alertname"], alert["status"]) for alert in every]

    def wait(self, path: str) -> list[dict[str, Any]]:
        found = eventually(lambda: self.bodies.get(path))
        assert found, f"nothing came to {path}, only to {sorted(self.bodies)}"
        return list(found)


@contextmanager
def sink() -> Iterator[Sink]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.bodies.setdefault(self.path, []).append(body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept = Sink(server.server_address[1])
    with _serving(server):
        yield kept


@contextmanager
def mailbox() -> Iterator[tuple[str, list[str]]]:
    """`host:port` of an SMTP server without TLS and login, and the mails it took."""
    mails: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mail")
            while line := self.rfile.readline().decode().strip():
                if line == "DATA":
                    self._say("354 go on")
                    mails.append("".join(iter(lambda: self.rfile.readline().decode(), ".\r\n")))
                self._say("221 bye" if line == "QUIT" else "250 ok")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with _serving(server):
        yield f"127.0.0.1:{server.server_address[1]}", mails


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
