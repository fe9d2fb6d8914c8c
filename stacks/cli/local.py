"""`agentobs up` and `agentobs down`: their options."""

from typing import Annotated, Final

import typer

from stacks.cli import lifecycle
from stacks.cli.options import Stack
from stacks.environments import EnvName
from stacks.workspace import Workspace

_LOCAL: Final = EnvName.LOCAL


def up(
    stack: Stack = _LOCAL,
    tasks: Annotated[int, typer.Option(min=0, help="Tasks of the sample workload to run; 0 for none.")] = 200,
    port: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help="Move a port; repeatable.")] = None,
) -> None:
    """Build what is missing, run `pulumi up`, run the sample workload, print addresses and KPIs."""
    lifecycle.up(Workspace(stack), tasks, lifecycle.parse_ports(port or []))


def down(
    stack: Stack = _LOCAL,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Also delete stored metrics, traces, logs.")
    ] = False,
) -> None:
    """Run `pulumi destroy`: stop every process and remove its files; stored data stays unless told otherwise."""
    lifecycle.down(Workspace(stack), delete_data=delete_data)
