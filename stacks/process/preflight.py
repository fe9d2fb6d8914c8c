"""Everything that can be known to fail before the first process starts: binaries, ports, configurations.

It runs in the Pulumi program, so a preview reports the same problems as an update.
"""

import contextlib
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import psutil

from stacks.process import launch
from stacks.process.layout import StackDir
from stacks.process.spec import ProcessSpec
from stacks.process.supervisor import members
from stacks.settings import NAMESPACE

_CHECKS_AT_ONCE: Final = 2


class PreflightError(RuntimeError):
    """The stack cannot be brought up; the message names what is in the way and the fix."""


def run(specs: Sequence[ProcessSpec], layout: StackDir, host: str, stack: str) -> None:
    """Raise PreflightError for the first taken port or refused configuration; start nothing."""
    for spec in specs:
        for name, number in spec.ports.items():
            _require_free(name, number, layout, host, stack)
    with ThreadPoolExecutor(_CHECKS_AT_ONCE) as pool:
        for outcome in [pool.submit(launch.check, spec) for spec in specs]:
            try:
                outcome.result()
            except launch.LaunchError as error:
                raise PreflightError(str(error)) from None


def _require_free(name: str, number: int, layout: StackDir, host: str, stack: str) -> None:
    if _can_bind(host, number):
        return
    listener = _listener(number)
    if listener is not None and listener.pid in {process.pid for process in members(layout)}:
        return  # ours, from the last update
    who = _describe(listener)
    raise PreflightError(
        f"port {number} ({name}) is taken by {who}. Stop that, or move ours: agentobs up --port {name}=<free port>,"
        f" or pulumi config set --path '{NAMESPACE}:ports.{name}' <free port> -s {stack}"
    )


def _can_bind(host: str, number: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: a connection in TIME_WAIT does not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError:
            return False
        return True


def _listener(number: int) -> psutil.Process | None:
    """The process that listens on a port, where this user may know it."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr or connection.pid is None:
                continue
            if connection.laddr.port == number:
                return psutil.Process(connection.pid)
    return None


def _describe(listener: psutil.Process | None) -> str:
    if listener is None:
        return "another process"
    try:
        return f"{listener.name()} (pid {listener.pid})"
    except psutil.Error:
        return f"pid {listener.pid}"
