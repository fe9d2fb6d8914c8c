"""No network in the offline tier: a connection of this process to anywhere but this machine is refused."""

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

refused: list[str] = []
"""Where a system under test wanted to go."""
_watching: list[bool] = []
_hooked: list[bool] = []


@contextmanager
def closed() -> Iterator[None]:
    """Inside, every connection that leaves this machine is an OSError."""
    if not _hooked:
        sys.addaudithook(_audit)  # it cannot be taken away again, only told to do nothing
        _hooked.append(True)
    _watching.append(True)
    try:
        yield
    finally:
        _watching.pop()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not _watching:
        return
    address = arguments[1]
    if isinstance(address, tuple) and not _here(str(address[0])):
        refused.append(f"{address[0]}:{address[1]}")
        raise OSError(
            f"{address[0]}:{address[1]}: an offline replay opens no connections; fix: use a tape, or --online"
        )


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"
