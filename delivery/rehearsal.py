"""Rehearse the way back: every dimension that a release changed goes back and forth, where that is safe.

What was tried stands in the history as `via: rehearsal`, and becomes the evidence of the deployment checklist.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from delivery.environments.commit import Committed
from delivery.environments.library import Library, Place
from delivery.environments.operations import Operation, Rehearsed, Request, RollBack, Unlock
from delivery.environments.state import Revision
from delivery.errors import RefusedError
from delivery.releases import Dim, Release
from delivery.releases.diff import Change, changes

VIA: Final = "rehearsal"
Commit = Callable[[Operation], Committed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One place that went back and forth: seconds until everybody had the old version, and the new one again."""

    place: Place
    version: str
    previous: str
    back_s: float
    forth_s: float


def steps(library: Library, head: Revision) -> list[tuple[Place, str, str]]:
    """What the release that runs can take back: place, version now, version before. Raises RefusedError for nothing."""
    running = library.running(head.state)
    before = _before(library, running)
    found = [*_places(changes(before, running))] if before else []
    if not found:
        raise RefusedError(
            f"nothing ran in {library.environment} before {running.name}, so there is no way back to rehearse; fix:"
            " promote the release that prod runs there first"
        )
    return found


def rehearse(
    library: Library,
    head: Revision,
    request: Request,
    commit: Commit,
    settled: Callable[[Revision], None] = lambda _: None,
) -> Iterator[Tried]:
    """Take each place back and forth; `settled` waits until everybody follows a revision, where `commit` does not.

    Raises as they do.

    Ends with what ran before, and a line in the history. An error in the middle leaves at most one place on its old
    version.
    """
    if head.canary is not None:
        raise RefusedError(f"{head.canary.kind} {head.canary.id} runs in {library.environment}; end it first")
    tried: list[Tried] = []
    for place, version, previous in steps(library, head):
        back_s = _moved(
            head, RollBack(request=_fresh(request), place=place, to=previous, expect=version), commit, settled
        )
        forth = RollBack(request=_fresh(request), place=place, to=version, expect=previous)
        tried.append(
            Tried(
                place=place,
                version=version,
                previous=previous,
                back_s=back_s,
                forth_s=_moved(head, forth, commit, settled),
            )
        )
        yield tried[-1]
    slowest = max(max(each.back_s, each.forth_s) for each in tried)
    places = tuple(each.place.title for each in tried)
    commit(Rehearsed(request=_fresh(request), took_s=slowest, places=places))


def _moved(head: Revision, operation: RollBack, commit: Commit, settled: Callable[[Revision], None]) -> float:
    """Seconds until everybody follows; what it locked and was not locked before the rehearsal is unlocked again."""
    began = time.monotonic()
    done = commit(operation).revision
    settled(done)
    took_s = time.monotonic() - began
    for lock in done.locked:
        if not any(lock.same(old) for old in head.locked):
            commit(Unlock(request=_fresh(operation.request), lock=lock))
    return took_s


def _fresh(request: Request) -> Request:
    return Request(by=request.by, at=request.at, reason=request.reason, via=VIA)


def _before(library: Library, running: Release) -> Release | None:
    """What ran here last that was another."""
    return next((each for each in library.ran() if changes(each, running)), None)


def _places(found: list[Change]) -> Iterator[tuple[Place, str, str]]:
    """A place for each change that has an earlier version; a tool once for all of its users, and its server's once."""
    seen: set[tuple[str | None, str]] = set()
    for change in found:
        if change.before is None or change.after is None or change.before.version == change.after.version:
            continue
        if change.dimension is Dim.TOOL:
            key = (getattr(change.after, "server", None) or change.tool, change.after.version)
            if key in seen:
                continue
            seen.add(key)
        agent = None if change.dimension is Dim.TOOL else change.agent
        yield Place(change.dimension, agent, change.tool), change.after.version, change.before.version
