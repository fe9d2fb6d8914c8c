"""How data leaves the collector and survives what happens to the other side: queues on disk, retry without end.

The defaults of an exporter lose data in four ways, all switched off here: retry ends after 300 s even for a queue on
disk; a queue of 1000 requests drops what does not fit; a `batch` processor in front of it forgets its content in a
crash; a storage file never shrinks. Not here: where the data goes (`pipeline.py`).
"""

from dataclasses import dataclass
from typing import Any, Final

QUEUE: Final = "file_storage/queue"
_MIB: Final = 2**20
# 0 is "never give up": with a limit, an outage longer than it loses data although the queue on disk has room.
_RETRY: Final = {"initial_interval": "1s", "max_interval": "30s", "max_elapsed_time": "0s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The queue directory of one collector; two collectors never share one.

    `fsync` makes an accepted request survive a crash of the machine, not only of the process. The sizes (MiB) bound
    each queue; plan a volume of 1.5 times their sum.
    """

    directory: str
    fsync: bool = False
    traces_mib: int = 2048
    logs_mib: int = 512


def storage(disk: Disk) -> dict[str, Any]:
    """Configuration of the `file_storage` extension; a damaged file is put aside instead of ending the collector."""
    return {
        "directory": disk.directory,
        "create_directory": True,
        "timeout": "10s",
        "fsync": disk.fsync,
        "recreate": True,
        "compaction": {"on_start": True, "on_rebound": True, "directory": disk.directory, "cleanup_on_start": True},
    }


def bytes_queue(mib: int, *, flush_s: float = 1, max_request_mib: float = 4) -> dict[str, Any]:
    """Queue and retry of an exporter to a store: bounded by bytes, batched inside the queue.

    A full queue refuses (`otelcol_exporter_enqueue_failed_*`), so that one dead store does not stop the others.
    """
    return {
        "retry_on_failure": dict(_RETRY),
        "sending_queue": {
            "storage": QUEUE,
            "sizer": "bytes",
            "queue_size": mib * _MIB,
            "batch": {
                "flush_timeout": f"{flush_s:g}s",
                "min_size": _MIB,
                "max_size": int(max_request_mib * _MIB),
            },
        },
    }


def ordered_queue(size: int, *, durable: bool = True, most_items: int | None = None) -> dict[str, Any]:
    """Queue (`size` requests) and retry of the exporter to Prometheus: one consumer, as samples must arrive in order.

    It waits when full instead of failing: a failure would travel back into the KPI queue, be tried again, and count
    the same spans twice. `most_items` bounds a request to the store, where it judges a request as a whole.
    """
    batch = {"sizer": "items", "flush_timeout": "100ms", "min_size": 0, "max_size": most_items}
    return {
        "retry_on_failure": dict(_RETRY),
        "sending_queue": {
            **({"storage": QUEUE} if durable else {}),
            "num_consumers": 1,
            "queue_size": size,
            "block_on_overflow": True,
            **({"batch": batch} if most_items else {}),
        },
    }


def kpi_queue(flush_s: float) -> dict[str, Any]:
    """The durable buffer in front of the counters: what a request brought is on disk before the request is answered.

    One consumer hands on a batch every `flush_s` seconds and deletes it only when the metric points made of it are in
    the queue to Prometheus. So a crash replays what was not yet counted. One consumer also keeps the points in order.
    """
    return {
        "timeout": "0s",
        "retry_on_failure": dict(_RETRY),
        "sending_queue": {
            "storage": QUEUE,
            "sizer": "items",
            "queue_size": 5_000_000,
            "num_consumers": 1,
            "block_on_overflow": True,
            "batch": {"flush_timeout": f"{flush_s:g}s", "min_size": 10_000, "max_size": 20_000},
        },
    }
