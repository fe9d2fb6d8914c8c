"""What agents read of an environment: both tracks resolved to pins, the split, what is killed.

`agentobs.pins` reads it.
"""

from collections.abc import Mapping
from typing import Any, Final

from agentobs.canonical import digest
from delivery.environments.effective import effective
from delivery.environments.state import Mark, Revision
from delivery.errors import RefusedError
from delivery.releases import Release
from delivery.store import Store

SCHEMA: Final = "agentobs/snapshot/1"


def snapshot(revision: Revision, store: Store) -> dict[str, Any]:
    """The snapshot of a revision, with its digest. Raises RefusedError where nothing was promoted yet, StoreError."""
    if revision.stable is None:
        raise RefusedError(
            f"nothing runs in {revision.environment} yet; fix: agentobs release promote RELEASE"
            f" -e {revision.environment}"
        )
    stable = effective(store.release(revision.stable.release), revision.stable)
    tracks = {"stable": _track(revision.stable.release, stable)}
    if revision.canary is not None:
        tracks[revision.canary.kind] = _track(revision.canary.release, store.release(revision.canary.release))
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "environment": revision.environment,
        "revision": revision.revision,
        "tracks": tracks,
        "split": _split(revision),
        "killed": {
            "agents": _marks(revision.killed.agents),
            "tools": _marks(revision.killed.tools),
            "all": revision.killed.everything.content if revision.killed.everything else None,
        },
    }
    return {**document, "digest": digest(document)}


def _track(id_: str, release: Release) -> dict[str, Any]:
    content = release.content
    return {"release": id_, "name": release.name, "graph": content["graph"], "agents": content["agents"]}


def _split(revision: Revision) -> dict[str, Any] | None:
    split = revision.canary
    if split is None:
        return None
    return {"id": split.id, "kind": split.kind.value, "share": split.share, "salt": split.salt}


def _marks(marks: Mapping[str, Mark]) -> dict[str, Any]:
    return {name: mark.content for name, mark in marks.items()}
