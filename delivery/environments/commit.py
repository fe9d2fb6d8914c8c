"""Make the next revision: apply an operation to the newest state, and to a newer one where somebody was first."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from delivery.environments.library import Library
from delivery.environments.operations import Operation
from delivery.environments.state import Done, Revision, State
from delivery.errors import ConflictError
from delivery.store import Store, Taken

_PATIENCE_S: Final = 30.0
_LONGEST_PAUSE_S: Final = 0.2
_REMEMBERED: Final = 200  # revisions in which the same operation is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The revision that holds the operation; `changed` is False where it was there before, or changes nothing."""

    revision: Revision
    changed: bool


def commit(
    store: Store,
    environment: str,
    operation: Operation,
    *,
    patience_s: float = _PATIENCE_S,
    clock: Callable[[], float] = time.monotonic,
) -> Committed:
    """Commit an operation. Raises RefusedError, ConflictError or StoreError, with nothing changed."""
    library = Library(store, environment)
    until, looked = clock() + patience_s, 0
    while True:
        head = store.head(environment)
        if head is not None:
            if again := _done(store, head, operation.request.id, looked):
                return Committed(revision=again, changed=False)
            looked = head.revision
        made = following(environment, head, operation, library)
        if made is None and head is not None:
            return Committed(revision=head, changed=False)
        if made is None:
            raise ConflictError(f"there is nothing in {environment} that {operation.kind} could change")
        try:
            store.append(made)
        except Taken:
            if clock() > until:
                raise ConflictError(
                    f"others change {environment} all the time; nothing was changed; fix: try again"
                ) from None
            time.sleep(random.uniform(0, _LONGEST_PAUSE_S))  # noqa: S311 no secret, only turns
        else:
            return Committed(revision=made, changed=True)


def following(environment: str, head: Revision | None, operation: Operation, library: Library) -> Revision | None:
    """The revision that an operation makes of the head; None where it changes nothing. Raises as `apply` does."""
    before = head.state if head else State()
    number = head.revision + 1 if head else 1
    after = operation.apply(before, library, number)
    if after == before and not operation.records:
        return None
    request = operation.request
    done = Done(
        id=request.id,
        kind=operation.kind,
        by=request.by,
        at=request.at,
        via=request.via,
        reason=request.reason,
        alert=request.alert,
        set=operation.details,
        automatic=request.automatic,
    )
    return Revision(
        **{name: getattr(after, name) for name in State.model_fields},
        revision=number,
        environment=environment,
        previous=head.digest if head else None,
        operation=done,
    )


def _done(store: Store, head: Revision, id_: str, looked: int) -> Revision | None:
    """The revision that an operation of this id made already, among those that were not looked at yet."""
    for number in range(head.revision, max(looked, head.revision - _REMEMBERED), -1):
        found = head if number == head.revision else store.revision(head.environment, number)
        if found.operation.id == id_:
            return found
    return None
