"""Free ports on loopback that stay free until they are used, seconds later and by another process.

A port that the system chose itself may be given to the next who asks, and whole stacks of pulumi, servers and clients
ask side by side. So these lie below what systems give away, and each worker has a range of its own.
"""

import itertools
import os
import random
import socket
from collections.abc import Iterator
from typing import Final

_FIRST: Final = 10_000
_WORKERS: Final = 4
_RANGE: Final = 5_500
"""Linux gives away ports from 32768 on, others from 49152."""


def _candidates() -> Iterator[int]:
    """The ports of this worker, in a circle from anywhere."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    first = random.randrange(_RANGE)
    for number in itertools.count(first):
        yield _FIRST + worker * _RANGE + number % _RANGE


_ports: Final = _candidates()


def free_ports(count: int) -> list[int]:
    """Free ports, none of which this process was given before."""
    return [*itertools.islice(filter(_is_free, _ports), count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: what a connection that has ended still holds is free for them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
