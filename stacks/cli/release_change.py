"""Verbs that start something: promote, canary, ab, shadow, share, end."""

from collections.abc import Callable
from typing import Annotated

import typer

from delivery.environments.operations import End, Promote, Share, Start
from delivery.environments.state import SplitKind
from stacks import releases
from stacks.cli import release_run
from stacks.cli.options import Stack
from stacks.cli.release_options import (
    Alert,
    By,
    DryRun,
    Environment,
    Expect,
    SharePart,
    StoreFolder,
    Why,
    share_of,
)
from stacks.environments import EnvName

ReleaseId = Annotated[str, typer.Argument(help="Id of a release that is kept: agentobs release list.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to `agentobs release`."""
    app.command()(promote)
    app.command("canary")(_starter(SplitKind.CANARY, "5%", "Try a release on a share of the sessions."))
    app.command("ab")(_starter(SplitKind.AB, "50%", "Compare two releases both ways, without a promotion at the end."))
    app.command("shadow")(
        _starter(SplitKind.SHADOW, "5%", "Run a copy of some sessions' inputs with a release, and drop its answers.")
    )
    app.command()(share)
    app.command()(end)


def promote(
    release: ReleaseId,
    environment: Environment = "",
    reason: Why = "promoted",
    expect: Expect = "",
    dry_run: DryRun = False,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    by: By = "",
) -> None:
    """Make a release the stable one for every session."""
    asked = Promote(request=releases.request(reason, by=by), release=release, expect=expect or None)
    release_run.run(stack, environment, store, asked, dry_run=dry_run)


def _starter(kind: SplitKind, usual: str, doc: str) -> Callable[..., None]:
    """The verb that starts a second release of one kind."""

    def start(
        release: ReleaseId,
        environment: Environment = "",
        share: SharePart = usual,  # type: ignore[assignment]  # typer parses the default
        reason: Why = str(kind),
        dry_run: DryRun = False,
        stack: Stack = EnvName.LOCAL,
        store: StoreFolder = None,
        by: By = "",
    ) -> None:
        asked = Start(request=releases.request(reason, by=by), release=release, share=share, split=kind)
        release_run.run(stack, environment, store, asked, dry_run=dry_run)

    start.__doc__ = doc
    return start


def share(
    percent: Annotated[int, typer.Argument(parser=share_of, metavar="PERCENT", help="Of all sessions: 20%.")],
    environment: Environment = "",
    reason: Why = "another share",
    dry_run: DryRun = False,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    by: By = "",
) -> None:
    """Give the running canary another share; sessions that have it keep it where the share grows."""
    with releases.of_stack(stack, store) as place:
        split = release_run.active(place, environment or str(stack))
    asked = Share(request=releases.request(reason, by=by), split_id=split.id, share=percent)
    release_run.run(stack, environment, store, asked, dry_run=dry_run)


def end(
    environment: Environment = "",
    reason: Why = "ended",
    lock: Annotated[bool, typer.Option("--lock", help="What it changed must not come back by itself.")] = False,
    dry_run: DryRun = False,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    by: By = "",
    alert: Alert = "",
) -> None:
    """End the running canary, A/B test or shadow: every session is stable again."""
    with releases.of_stack(stack, store) as place:
        split = release_run.active(place, environment or str(stack))
    asked = End(request=releases.request(reason, by=by, alert=alert), split_id=split.id, lock=lock)
    release_run.run(stack, environment, store, asked, dry_run=dry_run)
