"""Serve a controller until it is told to end."""

import logging
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn

from delivery.controller.app import application
from delivery.controller.service import Service, build
from delivery.controller.settings import Settings
from delivery.errors import DeliveryError
from delivery.store import Blobs

_GRACE_S: Final = 2
_log = logging.getLogger(__name__)


def listen_at(said: str) -> tuple[str, int]:
    """Host and port of HOST:PORT. Raises DeliveryError."""
    host, _, port = said.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:  # noqa: PLR2004 ports
        raise DeliveryError(f"--listen {said!r} is no place; expected HOST:PORT, for example 127.0.0.1:8090")
    return host.strip("[]"), int(port)


class Server(uvicorn.Server):
    """The web server of a controller. Whoever waits for a snapshot at its end is answered at once, and asks again."""

    def __init__(self, service: Service, host: str, port: int) -> None:
        config = uvicorn.Config(
            application(service),
            host=host,
            port=port,
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,  # a peer is who is connected, whatever a header says
            timeout_graceful_shutdown=_GRACE_S,
        )
        super().__init__(config)
        self._feed = service.feed

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to end."""
        self._feed.end()
        super().handle_exit(sig, frame)


def serve(settings: Settings, blobs: Blobs, listen: str, snapshots: Path | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    host, port = listen_at(listen)
    if settings.identity.local:
        _log.warning("console: http://%s:%d/ (its token is in %s)", host, port, settings.state / "console-token")
    Server(build(settings, blobs, snapshots=snapshots), host, port).run()
