"""Verbs that prove: rehearse the way back, write what the history says for the deployment checklist."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from delivery import checklist, rehearsal
from delivery.environments.library import Library
from delivery.errors import RefusedError
from stacks import atomic, baselines, releases
from stacks.cli import safe
from stacks.cli.options import Stack
from stacks.cli.release_change import ReleaseId
from stacks.cli.release_options import By, Environment, StoreFolder
from stacks.environments import EnvName


def add_to(app: typer.Typer) -> None:
    """Add these verbs to `agentobs release`."""
    app.command()(rehearse)
    app.command()(evidence)


def rehearse(
    environment: Environment = "",
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    by: By = "",
) -> None:
    """Take every dimension that the release changed back and forth again, and note in the history how long it took.

    For an environment such as staging: its tasks do run the old versions for a moment.
    """
    where = environment or str(stack)
    with releases.of_stack(stack, store) as place:
        head = place.store.head(where)
        if head is None:
            raise RefusedError(f"nothing runs in {where} yet; fix: agentobs release promote RELEASE -e {where}")
        asked = releases.request("rehearsal of the way back", by=by, via="rehearsal")
        tried = rehearsal.rehearse(
            Library(place.store, where), head, asked, lambda operation: place.commit(where, operation)
        )
        for one in tried:
            versions = f"{one.version} -> {one.previous} in {one.back_s:.2f} s, back again in {one.forth_s:.2f} s"
            safe.say(f"{one.place.title}: {versions}")
    safe.say(f"Its evidence for the checklist: agentobs release evidence {head.stable.release if head.stable else ''}")


def evidence(
    release: ReleaseId,
    environment: Environment = "",
    owner: Annotated[str, typer.Option("--owner", help="Who decides about a rollback; default: this user.")] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; default: print it.")] = None,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
) -> None:
    """Write what the history says of a release, as the evidence file of `agentobs checklist`."""
    with releases.of_stack(stack, store) as place:
        made = checklist.evidence(place.store, release, environment or str(stack), owner=owner or baselines.operator())
    text = yaml.safe_dump(made, sort_keys=False, allow_unicode=True)
    if out is None:
        safe.say(text.rstrip())
    else:
        atomic.write(out, text)
        safe.say(f"wrote {out}; what it lacks, people know: golden_dataset, approvals, review")
