"""`agentobs backup`: what a stack has stored, kept and put back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from stacks.cli import safe
from stacks.cli.options import Stack, duration
from stacks.cli.show import error_console
from stacks.cluster import rollout
from stacks.cluster.snapshots import Snapshots
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.process import archive, private
from stacks.workspace import Workspace, WorkspaceError

app = typer.Typer(help="Keep what a stack has stored, and put it back.", no_args_is_help=True)
_ENDING: Final = ".tar.gz"
_Patience = Annotated[
    float, typer.Option("--timeout", parser=duration, metavar="DURATION", help="How long each step may take: 10m.")
]


@app.command()
def create(
    out: Annotated[Path, typer.Option("--out", help="Folder for the backup, on another disk than the stack's.")],
    stack: Stack = EnvName.LOCAL,
    timeout: _Patience = "10m",  # type: ignore[assignment]  # typer parses the default
) -> None:
    """Keep everything stored: here as one file, of a stack that is down; in a cluster as snapshots of all volumes.

    Beside the snapshots the folder gets the state of Pulumi, whose secrets are encrypted with the passphrase.
    """
    workspace = Workspace(stack)
    name = f"{stack}-{datetime.now(UTC):%Y%m%dt%H%M%S}"
    if ENVIRONMENTS[stack].cluster is None:
        with workspace.exclusive(), _at_work("writing"):
            archive.create(workspace.layout, str(stack), out / f"{name}{_ENDING}")
        safe.say(f"wrote {out / f'{name}{_ENDING}'}")
        return
    said = _outputs(workspace)
    with workspace.exclusive():
        made = _snapshots(said, timeout).create(name, said["cluster"]["snapshotClass"])
        state = out / name / "state.json"
        private.folder(state.parent)
        # Before Pulumi writes it: at no moment does anybody else read it.
        state.touch(private.FILE)
        workspace.pulumi("stack", "export", "--file", str(state), quiet=True)
    safe.say(f"{made.name}: {made.ready} volumes in the cluster, the state of Pulumi in {state}")
    safe.say(f"Keep {workspace.passphrase} apart from it: without this passphrase its secrets cannot be read.")


@app.command("list")
def list_backups(stack: Stack = EnvName.DEV) -> None:
    """Show the backups of a stack in its cluster."""
    if ENVIRONMENTS[stack].cluster is None:
        raise typer.BadParameter("backups of the local stack are files; look where --out put them")
    table = Table(header_style="cyan")
    for heading in ("backup", "made", "volumes", "whole"):
        table.add_column(heading)
    for each in _snapshots(_outputs(Workspace(stack)), 0).backups():
        table.add_row(each.name, each.made, str(each.volumes), str(each.ready))
    safe.Console().print(table)


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="The file, or in a cluster the name or folder that `create` told.")],
    stack: Stack = EnvName.LOCAL,
    yes: Annotated[bool, typer.Option("--yes", help="Replace what the volumes hold now, without asking.")] = False,
    timeout: _Patience = "10m",  # type: ignore[assignment]  # typer parses the default
) -> None:
    """Put back what a backup holds: here into a stack that is down and empty; in a cluster in place of all volumes."""
    workspace = Workspace(stack)
    if ENVIRONMENTS[stack].cluster is None:
        with workspace.exclusive(), _at_work("reading"):
            archive.restore(workspace.layout, str(stack), backup)
        safe.say(f"restored {backup}; start the stack with `agentobs up`")
        return
    said = _outputs(workspace)
    cluster = said["cluster"]
    if not yes:
        where = f"namespace {cluster['namespace']} of {cluster['context']}"
        typer.confirm(f"Stop what has volumes in {where} and replace what they hold?", abort=True)
    with workspace.exclusive():
        _snapshots(said, timeout).restore(backup.name)
        rollout.wait(cluster["context"], cluster["namespace"], timeout)
    safe.say(f"restored {backup.name}; everything is ready")


def _outputs(workspace: Workspace) -> dict[str, Any]:
    said = workspace.outputs()
    if "cluster" not in said:
        raise WorkspaceError(f"the stack {workspace.stack} is not up; fix: agentobs pulumi -s {workspace.stack} up")
    return said


def _snapshots(said: dict[str, Any], timeout_s: float) -> Snapshots:
    cluster = said["cluster"]
    tell = lambda line: error_console().print(line, style="dim", highlight=False)  # noqa: E731 one line
    return Snapshots(cluster["context"], cluster["namespace"], timeout_s, tell)


@contextmanager
def _at_work(what: str) -> Iterator[None]:
    began = time.monotonic()
    with error_console().status(f"{what} the backup"):
        yield
    error_console().print(f"{what} took {time.monotonic() - began:.1f} s", style="dim", highlight=False)
