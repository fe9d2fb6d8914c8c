"""A real Kubernetes node for people: `python -m tests.node up`, `down`, `kubeconfig`. Needs root."""

import sys
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.node.machine import Node, NodeError

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Folder = Annotated[Path, typer.Option(help="Where its files are; one node per folder.")]
_FOLDER = Path("/tmp/agentobs-node")  # noqa: S108 named, so that every command finds it


@app.command()
def up(folder: Folder = _FOLDER) -> None:
    """Start the node and print how to reach it."""
    made = Node(folder)
    typer.echo(f"Starting a node in {folder} (about a minute) ...", err=True)
    try:
        made.remove()
        made.start(outlives=True)
    except NodeError as error:
        raise typer.Exit(_failed(str(error))) from error
    typer.echo(f"export KUBECONFIG={made.kubeconfig}")


@app.command()
def down(folder: Folder = _FOLDER) -> None:
    """End the node and delete its files; also what an interrupted start left."""
    Node(folder).remove()


@app.command()
def kubeconfig(folder: Folder = _FOLDER) -> None:
    """Print the path of its kubeconfig."""
    path = Node(folder).kubeconfig
    if not path.exists():
        raise typer.Exit(_failed(f"no node in {folder}. Start one: python -m tests.node up"))
    typer.echo(path)


def _failed(text: str) -> int:
    typer.echo(text, err=True)
    return 1


if __name__ == "__main__":
    app(prog_name="python -m tests.node")
