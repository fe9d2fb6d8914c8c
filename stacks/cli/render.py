"""`agentobs render`: the generated files of the repository, or the manifests of a stack."""

from pathlib import Path
from typing import Annotated

import typer

from stacks import generated, home
from stacks.cluster import render as manifests_of
from stacks.environments import ENVIRONMENTS, EnvName

app = typer.Typer(
    help="Write the generated files of the repository: collector configurations, rules, boards, manifests.",
    invoke_without_command=True,
)


@app.callback()
def render(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when a committed file is stale.")
    ] = False,
) -> None:
    """Write the generated files of the repository: collector configurations, rules, boards, manifests."""
    if context.invoked_subcommand is not None:
        return
    if check:
        stale = generated.differences()
        for difference in stale.values():
            typer.echo(difference)
        if stale:
            raise generated.StaleError(f"stale generated files: {', '.join(stale)}. Fix: agentobs render")
        typer.echo("all generated files are current")
        return
    for path in generated.write():
        typer.echo(f"wrote {path}")


@app.command()
def manifests(
    stack: Annotated[EnvName, typer.Option("--stack", "-s", help="Which stack: dev, staging or prod.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; new, empty or an earlier rendering.")],
    settings: Annotated[
        Path | None, typer.Option("--settings", help="Stack file; default stacks/Pulumi.<stack>.yaml.")
    ] = None,
) -> None:
    """Write the plain manifests of a stack, one file per object, without secrets and without a cluster."""
    environment = ENVIRONMENTS[stack]
    if environment.cluster is None:
        raise typer.BadParameter(f"{stack} does not run on Kubernetes; name dev, staging or prod")
    file = settings or home.project_root() / "stacks" / f"Pulumi.{stack}.yaml"
    made = manifests_of.documents(environment, file)
    manifests_of.write(made, out)
    typer.echo(f"wrote {len(made) - 1} manifests and {manifests_of.SECRETS_FILE} to {out}")
