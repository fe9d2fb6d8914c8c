"""Do an operation for a person, or show what it would do; what runs is named in both."""

from pathlib import Path

from delivery.environments.commit import Committed
from delivery.environments.effective import effective
from delivery.environments.operations import Operation
from delivery.environments.state import Split
from delivery.errors import RefusedError
from delivery.releases import Release
from delivery.store import Store
from stacks import releases
from stacks.cli import safe, show_release
from stacks.environments import EnvName
from stacks.releases import Place


def run(stack: EnvName, environment: str, store: Path | None, operation: Operation, *, dry_run: bool) -> None:
    """Commit and say what changed; with `dry_run` only show it. Raises RefusedError, ConflictError, StoreError."""
    where = environment or str(stack)
    with releases.of_stack(stack, store) as place:
        shown = place.preview(where, operation)
        safe.Console().print(show_release.preview(shown, where, place.store))
        if dry_run:
            safe.say("dry run: nothing was changed")
            return
        _say(place.commit(where, operation), where)


def active(place: Place, environment: str) -> Split:
    """The canary that runs. Raises RefusedError."""
    head = place.store.head(environment)
    if head is None or head.canary is None:
        raise RefusedError(f"no canary, A/B test or shadow runs in {environment}")
    return head.canary


def named(store: Store, name: str) -> Release:
    """A release by id, or what an environment of that name runs. Raises DeliveryError."""
    head = store.head(name) if name in store.environments() else None
    if head is not None and head.stable is not None:
        return effective(store.release(head.stable.release), head.stable)
    return store.release(name)


def _say(done: Committed, environment: str) -> None:
    revision = done.revision
    if not done.changed:
        safe.say(f"nothing to do: revision {revision.revision} of {environment} has it already")
        return
    safe.say(f"revision {revision.revision} of {environment}")
