"""Ports that tests choose are free, and no system gives them to somebody else in between."""

import socket
from pathlib import Path

from support.ports import free_ports


def test_nobody_gets_a_port_twice():
    found = [*free_ports(50), *free_ports(50)]
    assert len(set(found)) == 100


def test_a_port_that_somebody_listens_on_is_left_out():
    (port,) = free_ports(1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        assert port + 1 not in free_ports(20)


def test_ports_lie_below_those_that_the_system_gives_away():
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(given.read_text().split()[0]) if given.exists() else 49152
    assert max(free_ports(1000)) < lowest
