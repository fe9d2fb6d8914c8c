"""`agentobs env` and `agentobs pulumi`: plain Pulumi on a stack of this checkout."""

import shlex

import typer

from stacks.cli import safe
from stacks.cli.options import Stack
from stacks.cli.unencrypted import require_secret
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.workspace import Workspace


def env(stack: Stack = EnvName.LOCAL) -> None:
    """Print the variables for plain `pulumi` commands on the local stack: eval "$(agentobs env)"."""
    workspace = Workspace(stack)
    workspace.prepare()
    for name, value in workspace.environment().items():
        safe.exact(f"export {name}={shlex.quote(value)}")


def pulumi(context: typer.Context, stack: Stack = EnvName.LOCAL) -> None:
    """Run any Pulumi command on a stack: agentobs pulumi preview --diff."""
    workspace = Workspace(stack)
    require_secret(context.args, local=ENVIRONMENTS[stack].cluster is None)
    with workspace.exclusive():
        workspace.prepare()
        workspace.pulumi(*context.args)
