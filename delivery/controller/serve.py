"""Serve a controller until it is told to end."""

import logging
from pathlib import Path
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


def config(service: Service, host: str, port: int) -> uvicorn.Config:
    """How the web server runs. Whoever waits for a snapshot at the end is let go after two seconds, and asks again."""
    return uvicorn.Config(
        application(service),
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # a peer is who is connected, whatever a header says
        timeout_graceful_shutdown=_GRACE_S,
    )


def serve(settings: Settings, blobs: Blobs, listen: str, snapshots: Path | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    host, port = listen_at(listen)
    if settings.identity.local:
        _log.warning("console: http://%s:%d/ (its token is in %s)", host, port, settings.state / "console-token")
    uvicorn.Server(config(build(settings, blobs, snapshots=snapshots), host, port)).run()
