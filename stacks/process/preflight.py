"""Everything that can be known to fail before the first process starts: binaries, ports, configurations.

It runs in the Pulumi program, so a preview reports the same problems as an update.
"""

import contextlib
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import psutil

from agentobs.errors import AgentobsError
from stacks.process import launch
from stacks.process.layout import StackDir
from stacks.process.spec import ProcessSpec
from stacks.process.supervisor import members
from stacks.settings import NAMESPACE

_CHECKS_AT_ONCE: Final = 2


class PreflightError(AgentobsError):
    """The stack cannot be brought up; the message names what is in the way and the fix."""


def run(specs: Sequence[ProcessSpec], layout: StackDir, host: str, stack: str) -> None:
    """Raise PreflightError for the first taken port or refused configuration; start nothing."""
    wanted = [(name, number) for spec in specs for name, number in spec.ports.items()]
    taken = [(name, number) for name, number in wanted if not _can_bind(host, number)]
    if taken:
        _require_ours(taken, layout, stack)
    with ThreadPoolExecutor(_CHECKS_AT_ONCE) as pool:
        for outcome in [pool.submit(launch.check, spec) for spec in specs]:
            try:
                outcome.result()
            except launch.LaunchError as error:
                raise PreflightError(str(error)) from None


def _require_ours(taken: Sequence[tuple[str, int]], layout: StackDir, stack: str) -> None:
    """Accept ports that our own processes hold from the last update."""
    ours, listeners = {process.pid for process in members(layout)}, _listeners()
    for name, number in taken:
        pid = listeners.get(number)
        if pid in ours:
            continue
        raise PreflightError(
            f"port {number} ({name}) is taken by {_describe(pid)}. Stop that, or move ours:"
            f" agentobs up --port {name}=<free port>,"
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


def _listeners() -> dict[int, int]:
    """Process ids by the port they listen on, where this user may know them."""
    with contextlib.suppress(psutil.Error):
        return {
            connection.laddr.port: connection.pid
            for connection in psutil.net_connections(kind="tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.pid is not None
        }
    return {}


def _describe(pid: int | None) -> str:
    if pid is None:
        return "another process"
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.Error:
        return f"pid {pid}"
