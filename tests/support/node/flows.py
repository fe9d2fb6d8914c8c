"""Connections tried from inside pods: a thread enters the pod's network and connects as the pod would."""

import ctypes
import os
import select
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stacks.cluster import names, network
from stacks.workload import Workload

_CLONE_NEWNET: Final = 0x40000000
_TRIED_S: Final = 2.0
"""A dropped connection is one that is not there after this long."""
Target = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Flows from each pod to each port of every other: source, target, name of the port."""

    tried: frozenset[tuple[str, str, str]]
    open: frozenset[tuple[str, str, str]]
    wanted: frozenset[tuple[str, str, str]]


def between_pods(pods: Mapping[str, Any], workloads: Sequence[Workload]) -> Matrix:
    """Try them all; `pods` by workload. What a pod says to itself never leaves it and does not count."""
    ports = addresses(pods, workloads)
    found = reached(pods, ports)
    pairs = {(source, *port) for source in pods for port in ports.values()}
    flows = {(flow.source, flow.target, flow.port) for flow in network.flows(workloads)}
    open_ = {(source, *ports[target]) for source, targets in found.items() for target in targets}
    return Matrix(*(frozenset(flow for flow in each if flow[0] != flow[1]) for each in (pairs, open_, flows)))


def addresses(pods: Mapping[str, Any], workloads: Sequence[Workload]) -> dict[Target, tuple[str, str]]:
    """Address of every port of every pod -> workload and name of the port."""
    return {
        (pods[workload.name]["status"]["podIP"], names.number(port)): (workload.name, port)
        for workload in workloads
        for port in workload.ports
    }


def reached(pods: Mapping[str, Any], targets: Iterable[Target]) -> dict[str, set[Target]]:
    """Name of a pod -> those of the targets that it reaches."""
    wanted = [*targets]
    with ThreadPoolExecutor(8) as pool:
        tried = pool.map(lambda pod: reachable(network_of(pod["metadata"]["uid"]), wanted), pods.values())
        return dict(zip(pods, tried, strict=True))


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
