"""A release controller on loopback: in a thread of the test, or as a process of its own that can be killed."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from delivery.controller import settings
from delivery.controller.serve import Server
from delivery.controller.service import Service, build
from delivery.store import FileBlobs
from support.ports import free_ports
from support.waiting import eventually

WEBHOOK = "webhook-token-of-tests"
VARIABLES = {"AGENTOBS_CONTROLLER_WEBHOOK_TOKEN": WEBHOOK, "AGENTOBS_CONTROLLER_TASKS_PER_SESSION": "1"}


@dataclass
class Controlled:
    """A controller at `url`, with the console's token of its user."""

    url: str
    token: str
    service: Service | None = None
    process: subprocess.Popen[bytes] | None = None

    def get(self, path: str, **more) -> requests.Response:
        return requests.request("GET", f"{self.url}{path}", timeout=20, **{"headers": self.login, **more})

    def post(self, path: str, **more) -> requests.Response:
        return requests.request("POST", f"{self.url}{path}", timeout=20, **{"headers": self.login, **more})

    @property
    def login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def notify(self, *alerts, token: str = WEBHOOK, **more) -> requests.Response:
        """As Alertmanager tells alerts."""
        body = {"version": "4", "groupKey": "{}", "status": "firing", "receiver": "releases", "alerts": [*alerts]}
        return self.post("/v1/alerts", json=body, headers={"Authorization": f"Bearer {token}"}, **more)

    def kill(self) -> None:
        """As a machine does that loses power."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)


_LINE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def metrics_of(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Series of Prometheus' text form: name -> labels -> value. Fails on a line that is none."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for line in filter(None, text.split("\n")):
        if line.startswith("# "):
            continue
        matched = _LINE.fullmatch(line)
        assert matched, line
        labels = [
            (name, value.replace('\\"', '"').replace("\\\\", "\\")) for name, value in _LABEL.findall(matched[2] or "")
        ]
        found.setdefault(matched[1], {})[tuple(labels)] = float(matched[3])
    return found


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def in_thread(folder: Path, variables=None, source=None, service: Service | None = None) -> Iterator[Controlled]:
    """A controller over `folder/store` in this process."""
    found = settings.read(folder / "state", {**VARIABLES, **(variables or {})})
    made = service or build(found, FileBlobs(folder / "store"), source)
    (port,) = free_ports(1)
    server = Server(made, "127.0.0.1", port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _answers(url))
        yield Controlled(url, found.secrets.login, service=made)
    finally:
        server.handle_exit(signal.SIGTERM, None)
        thread.join(timeout=20)


@contextmanager
def as_process(folder: Path, variables=None) -> Iterator[Controlled]:
    """The real program over `folder/store`."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "delivery.controller", "--store", f"{folder}/store", "--state", f"{folder}/state"]
    with (folder / "controller.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--listen", f"127.0.0.1:{port}"],
            env={**os.environ, **VARIABLES, **(variables or {})},
            stderr=log,
        )
    try:
        eventually(lambda: _answers(url) or process.poll() is not None)
        assert process.poll() is None, (folder / "controller.log").read_text()
        yield Controlled(url, (folder / "state" / "console-token").read_text().strip(), process=process)
    finally:
        process.kill()
        process.wait(timeout=20)
