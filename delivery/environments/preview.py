"""What an operation would do, before it is done: what changes for whom, and what is unsafe about it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from delivery.environments.commit import following
from delivery.environments.library import Library
from delivery.environments.operations import Operation
from delivery.environments.operations.stops import names
from delivery.environments.state import WHOLE, Revision, State
from delivery.errors import DeliveryError
from delivery.releases import Dim, PromptPin, Release, ToolPin
from delivery.releases.diff import Change, changes
from delivery.releases.tools import breaking
from delivery.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the revision after `head` would be. `share` is the part of the sessions (0..1) that it touches."""

    head: int
    after: Revision | None
    changes: list[Change]
    agents: list[str]
    share: float
    notes: list[str]
    warnings: list[str]


def preview(store: Store, environment: str, operation: Operation) -> Preview:
    """Try an operation without keeping it. Raises as `commit` does."""
    library = Library(store, environment)
    head = store.head(environment)
    after = following(environment, head, operation, library)
    before = head.state if head else State()
    if after is None:
        return Preview(
            head=head.revision if head else 0, after=None, changes=[], agents=[], share=0.0,
            notes=["Nothing would change."], warnings=[],
        )  # fmt: skip
    old, new, share = _compared(library, before, after.state)
    found = changes(old, new) if old and new else []
    touched = sorted({change.agent for change in found if change.agent} or set(new.agents if new and found else ()))
    return Preview(
        head=head.revision if head else 0,
        after=after,
        changes=found,
        agents=touched,
        share=share,
        notes=[*_notes(before, after.state)],
        warnings=[*_unsafe(store, library, new, found), *_other_content(found), *_nobody(library, before, after.state)],
    )


def _compared(library: Library, before: State, after: State) -> tuple[Release | None, Release | None, float]:
    """The releases to compare, and the share of sessions that goes from one to the other."""
    old = library.running(before) if before.stable else None
    if after.stable != before.stable:
        new = library.running(after)
        return old or new, new, 1.0
    if after.canary is not None and after.canary != before.canary:
        share = after.canary.share / WHOLE
        already = before.canary.share / WHOLE if before.canary else 0.0
        return old, library.release(after.canary.release), abs(share - already)
    if before.canary is not None and after.canary is None:
        return library.release(before.canary.release), old, before.canary.share / WHOLE
    return None, None, 0.0


def _notes(before: State, after: State) -> Iterator[str]:
    if before.canary is not None and after.canary is None:
        yield f"The {before.canary.kind} {before.canary.id} of {before.canary.release} ends."
    for lock in after.locked:
        if not any(lock.same(old) for old in before.locked):
            yield f"{lock.title} is locked: it does not run again until a person unlocks it."
    stopped = [name for name in names(after.killed) if name not in names(before.killed)]
    lifted = [name for name in names(before.killed) if name not in names(after.killed)]
    if stopped:
        yield f"{', '.join(stopped)}: running tasks stop at their next step."
    elif lifted:
        yield f"{', '.join(lifted)}: steps are allowed again."
    elif after.stable != before.stable:
        yield "Running tasks keep what they began with; new ones have the new pins."


def _unsafe(store: Store, library: Library, new: Release | None, found: list[Change]) -> Iterator[str]:
    """An old prompt with a tool of another schema than it was written for: the combination was never tried."""
    if new is None:
        return
    for change in found:
        if change.dimension is not Dim.PROMPT or not isinstance(change.after, PromptPin) or change.agent is None:
            continue
        for tool, old, now in _other_tools(library, change.agent, change.after, new):
            yield (
                f"{change.agent}: prompt {change.after.version} ran with {tool} {old.version}, and would run with"
                f" {now.version}{_broken(store, old, now)}"
            )


def _other_tools(
    library: Library, agent: str, prompt: PromptPin, new: Release
) -> Iterator[tuple[str, ToolPin, ToolPin]]:
    """The tools whose schema is another than when this prompt ran last."""
    for ran in library.ran():
        pins = ran.agents.get(agent)
        if pins is None or pins.prompt != prompt:
            continue
        for tool, now in new.agents[agent].tools.items():
            old = pins.tools.get(tool)
            if old is not None and old.schema_sha256 != now.schema_sha256:
                yield tool, old, now
        return


def _broken(store: Store, old: ToolPin, now: ToolPin) -> str:
    """What that breaks, where the definitions are kept."""
    try:
        found = breaking(json.loads(store.text(old.schema_sha256)), json.loads(store.text(now.schema_sha256)))
    except (DeliveryError, ValueError):
        return ", whose schema is another"
    return f": {'; '.join(found)}" if found else ", whose schema is another, and breaks no call that was right"


def _other_content(found: list[Change]) -> Iterator[str]:
    for change in found:
        if change.before and change.after and change.before.version == change.after.version:
            yield f"{change.title}: telemetry cannot tell the two apart; fix: give each content a version of its own"


def _nobody(library: Library, before: State, after: State) -> Iterator[str]:
    """A kill of a name that nothing has: it holds, but stops nobody."""
    new = {*after.killed.agents} - {*before.killed.agents}, {*after.killed.tools} - {*before.killed.tools}
    ids = [each.release for each in (after.stable, after.canary) if each is not None]
    running = [library.release(id_) for id_ in ids]
    agents = {name for release in running for name in release.agents}
    tools = {tool for release in running for pins in release.agents.values() for tool in pins.tools}
    for unknown, known, what in ((new[0], agents, "agent"), (new[1], tools, "tool")):
        for name in sorted(unknown - known):
            yield f"no release that runs has {what} {name}; there are {', '.join(sorted(known)) or 'none'}"
