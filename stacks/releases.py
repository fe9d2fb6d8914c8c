"""Where releases of a stack are kept, and how a command changes what runs.

On this computer a folder of the stack, which agents and the controller read; in a cluster immutable ConfigMaps.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from delivery.controller.journal import Journal
from delivery.controller.looks import Look, Looks
from delivery.environments.commit import Committed, commit
from delivery.environments.operations import Operation, Request
from delivery.environments.preview import Preview, preview
from delivery.environments.published import publish
from delivery.store import Blobs, FileBlobs, Store
from stacks import baselines, paths, release_controller
from stacks.environments import ENVIRONMENTS, EnvName

VARIABLE: Final = "AGENTOBS_RELEASES"
_SNAPSHOTS: Final = "snapshots"


class Place:
    """The store of a stack, as a command uses it. `folder` is None in a cluster."""

    def __init__(self, blobs: Blobs, folder: Path | None) -> None:
        self.store = Store(blobs)
        self.folder = folder
        self._blobs = blobs

    def look(self, environment: str, split: str) -> Look | None:
        """The controller's last look at a canary; None where there was none. Raises DeliveryError."""
        return Looks(Journal(self._blobs), environment).last_of(split)

    def commit(self, environment: str, operation: Operation) -> Committed:
        """Commit an operation, and let agents of this computer see it at once. Raises as `delivery` does."""
        done = commit(self.store, environment, operation)
        self.publish(environment)
        return done

    def preview(self, environment: str, operation: Operation) -> Preview:
        """What it would do. Raises as `commit` does."""
        return preview(self.store, environment, operation)

    def publish(self, environment: str) -> Path | None:
        """Write the newest snapshot for agents that read a file; None where there is none to write, or no folder."""
        if self.folder is None:
            return None
        return publish(self.store, environment, self.snapshot_file(environment))

    def snapshot_file(self, environment: str) -> Path:
        """The file that agents of this computer read: `AGENTOBS_RELEASES_FILE`."""
        return (self.folder or Path()) / _SNAPSHOTS / f"{environment}.json"


@contextmanager
def of_stack(stack: EnvName, folder: Path | None = None) -> Iterator[Place]:
    """The store of a stack, or one in a folder that was named. Raises StoreError, ForwardError."""
    if folder is None and ENVIRONMENTS[stack].cluster is not None:
        from stacks.cluster.release_store import of_cluster  # noqa: PLC0415 its client takes long to import

        with of_cluster(stack) as blobs:
            yield Place(blobs, None)
        return
    root = folder if folder is not None else home(stack)
    yield Place(FileBlobs(root), root)


def home(stack: EnvName) -> Path:
    """Folder of the releases of a local stack: it stays when the stack goes."""
    paths.ready()
    return release_controller.store(paths.stack_dir(stack))


def request(reason: str, *, by: str = "", alert: str = "", via: str = "cli") -> Request:
    """A request of whoever runs this command, now."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Request(by=by or baselines.operator(), at=now, reason=reason, alert=alert or None, via=via)
