"""Connections tried from inside pods: a thread enters the pod's network and connects as the pod would."""

import ctypes
import os
import select
import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

_CLONE_NEWNET: Final = 0x40000000
_TRIED_S: Final = 2.0
"""A dropped connection is one that is not there after this long."""
Target = tuple[str, int]


def network_of(pod_uid: str) -> Path:
    """The network of a pod, by the group of one of its processes. Raises LookupError where none runs."""
    marks = (f"pod{pod_uid}", f"pod{pod_uid.replace('-', '_')}")
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            groups = (process / "cgroup").read_text()
        except OSError:
            continue
        if any(mark in groups for mark in marks):
            return process / "ns" / "net"
    raise LookupError(f"no process of pod {pod_uid}")


def reachable(network: Path, targets: Iterable[Target]) -> set[Target]:
    """Those of the addresses that accept a TCP connection from this network."""
    # A thread of its own, which ends afterwards: it does not come back from where it went.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_enter_and_connect, network, list(targets)).result()


def _enter_and_connect(network: Path, targets: list[Target]) -> set[Target]:
    libc = ctypes.CDLL(None, use_errno=True)
    with network.open() as handle:
        if libc.setns(handle.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {network}: {os.strerror(ctypes.get_errno())}")
    pending: dict[int, tuple[socket.socket, Target]] = {}
    for target in targets:
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(target)
        pending[sock.fileno()] = (sock, target)
    return _connected(pending)


def _connected(pending: dict[int, tuple[socket.socket, Target]]) -> set[Target]:
    found: set[Target] = set()
    poll, deadline = select.poll(), time.monotonic() + _TRIED_S
    for number in pending:
        poll.register(number, select.POLLOUT)
    while pending and (left := deadline - time.monotonic()) > 0:
        for number, _ in poll.poll(left * 1000):
            sock, target = pending.pop(number)
            poll.unregister(number)
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.add(target)
            sock.close()
    for sock, _ in pending.values():
        sock.close()
    return found
