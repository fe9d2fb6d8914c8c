"""Verbs for three in the morning: rollback, kill, resume, freeze, thaw, lock, unlock."""

from collections.abc import Callable
from typing import Annotated

import typer

from delivery.environments.library import Library, Place
from delivery.environments.operations import (
    Freeze,
    Kill,
    LockOut,
    Resume,
    RollBack,
    RollBackRelease,
    Target,
    Thaw,
    Unlock,
)
from delivery.environments.state import Lock, Stable, State
from delivery.errors import RefusedError
from delivery.releases import Dim
from stacks import releases
from stacks.cli import release_run
from stacks.cli.options import Stack
from stacks.cli.release_options import Alert, By, DryRun, Environment, Expect, StoreFolder, Why
from stacks.environments import EnvName

Dimension = Annotated[
    str, typer.Option("--dimension", "-d", help="prompt, model, tool or graph; release for the whole.")
]
ToolName = Annotated[str, typer.Option("--tool", help="The tool whose version it is.")]
To = Annotated[str, typer.Option("--to", help="The version to go back to; default: the one that ran before.")]
WhatKilled = Annotated[str, typer.Argument(help="An agent, `tool NAME`, or `all`.")]
NameOfTool = Annotated[str, typer.Argument(help="The tool, after the word `tool`.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to `agentobs release`."""
    for verb in (rollback, kill, resume, freeze, thaw):
        app.command()(verb)
    forbid = "Forbid a version, before it runs or after, until somebody unlocks it."
    app.command("lock")(_locking(LockOut, "locked", forbid))
    app.command("unlock")(_locking(Unlock, "unlocked", "Allow a version again that was locked or rolled back."))


def rollback(
    agent: Annotated[str, typer.Argument(help="The agent; none for a tool's all users, a graph, a release.")] = "",
    dimension: Dimension = "",
    tool: ToolName = "",
    to: To = "",
    expect: Expect = "",
    environment: Environment = "",
    reason: Why = "rolled back",
    alert: Alert = "",
    dry_run: DryRun = False,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    by: By = "",
) -> None:
    """Take one dimension back to a version that ran before, for one agent or all users; the others stay.

    `rollback executor --dimension prompt --to 12 --expect 13`, `rollback --tool search`, `rollback --dimension graph`,
    `rollback --dimension release`. What goes is locked until `unlock`. Works while the environment is frozen.
    """
    where = environment or str(stack)
    asked = releases.request(reason, by=by, alert=alert)
    spot = None if dimension == "release" else Place(_dimension(dimension, tool), agent or None, tool or None)
    with releases.of_stack(stack, store) as place:
        library, state = Library(place.store, where), _state(place, where)
        if spot is None:
            target = to or _earlier_release(place, where)
            whole = RollBackRelease(request=asked, to=target, expect=expect or None)
            return release_run.run(stack, where, store, whole, dry_run=dry_run)
        version = to or library.previous(spot, state)
        now = sorted({pin.version for pin in spot.pins(library.running(state)).values()})
    one = RollBack(request=asked, place=spot, to=version, expect=expect or (now[0] if len(now) == 1 else None))
    return release_run.run(stack, where, store, one, dry_run=dry_run)


def kill(
    what: WhatKilled,
    name: NameOfTool = "",
    environment: Environment = "",
    reason: Why = "killed",
    alert: Alert = "",
    dry_run: DryRun = False,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    by: By = "",
) -> None:
    """Stop an agent, a tool or all agents at their next step, until somebody resumes them."""
    asked = Kill(request=releases.request(reason, by=by, alert=alert), target=_target(what, name))
    release_run.run(stack, environment, store, asked, dry_run=dry_run)


def resume(
    what: WhatKilled,
    name: NameOfTool = "",
    environment: Environment = "",
    reason: Why = "resumed",
    dry_run: DryRun = False,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    by: By = "",
) -> None:
    """Lift the kill of exactly that agent or tool, or of all; another one that covers it stays."""
    asked = Resume(request=releases.request(reason, by=by), target=_target(what, name))
    release_run.run(stack, environment, store, asked, dry_run=dry_run)


def freeze(
    environment: Environment = "",
    reason: Why = "frozen",
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    by: By = "",
) -> None:
    """Let nothing new start; rollback and kill still work."""
    release_run.run(stack, environment, store, Freeze(request=releases.request(reason, by=by)), dry_run=False)


def thaw(
    environment: Environment = "",
    reason: Why = "thawed",
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    by: By = "",
) -> None:
    """End a freeze."""
    release_run.run(stack, environment, store, Thaw(request=releases.request(reason, by=by)), dry_run=False)


Version = Annotated[str, typer.Argument(help="The version, or the id of a release.")]
Whose = Annotated[str, typer.Option("--agent", help="Whose prompt, model or tool; none for everybody's.")]


def _locking(operation: type[LockOut | Unlock], usual: str, doc: str) -> Callable[..., None]:
    """The verb that forbids a version, or allows it again."""

    def verb(
        version: Version,
        dimension: Dimension = "release",
        agent: Whose = "",
        tool: ToolName = "",
        environment: Environment = "",
        reason: Why = usual,
        stack: Stack = EnvName.LOCAL,
        store: StoreFolder = None,
        by: By = "",
    ) -> None:
        asked = releases.request(reason, by=by)
        made = _lock(version, dimension, agent, tool).model_copy(update={"mark": asked.mark})
        release_run.run(stack, environment, store, operation(request=asked, lock=made), dry_run=False)

    verb.__doc__ = doc
    return verb


def _target(what: str, name: str) -> Target:
    if what == "all" and not name:
        return Target()
    if what == "tool":
        if not name:
            raise typer.BadParameter("name the tool: kill tool NAME; or, for an agent of that name, rename it")
        return Target(tool=name)
    if name:
        raise typer.BadParameter(f"{what} {name}: expected an agent, `tool NAME`, or `all`")
    return Target(agent=what)


def _dimension(said: str, tool: str) -> Dim:
    if not said and tool:
        return Dim.TOOL
    if said not in set(Dim):
        names = ", ".join([*Dim, "release"])
        raise typer.BadParameter(f"--dimension {said or '(none)'}: expected one of {names}")
    if said == Dim.TOOL and not tool:
        raise typer.BadParameter("--dimension tool: name it with --tool")
    return Dim(said)


def _lock(version: str, dimension: str, agent: str, tool: str) -> Lock:
    which = "release" if dimension == "release" and not tool else _dimension("" if tool else dimension, tool)
    mark = releases.request("-").mark
    return Lock.model_validate(
        {"dimension": which, "version": version, "agent": agent or None, "name": tool or None, "mark": mark}
    )


def _state(place: releases.Place, environment: str) -> State:
    head = place.store.head(environment)
    if head is None:
        raise RefusedError(f"nothing runs in {environment} yet, so there is nothing to take back")
    return head.state


def _earlier_release(place: releases.Place, environment: str) -> str:
    """The release that was stable before the one that is, and is not locked. Raises RefusedError."""
    now: Stable | None = None
    for revision in place.store.history(environment):
        now = now or revision.stable
        locked = {each.version for each in revision.locked if each.dimension == "release"}
        if revision.stable is not None and now is not None and revision.stable.release not in {now.release, *locked}:
            return revision.stable.release
    raise RefusedError(f"no other release was stable in {environment}; fix: name one with --to")
