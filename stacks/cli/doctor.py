"""`agentobs doctor`: everything that a cluster stack lacks, in one run."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from stacks import paths
from stacks.cli import safe
from stacks.cli.options import AsJson
from stacks.cluster import doctor as examination
from stacks.cluster.render import stack_settings
from stacks.environments import ENVIRONMENTS, EnvName


def doctor(
    stack: Annotated[EnvName, typer.Option("--stack", "-s", help="Which stack: dev, staging or prod.")],
    settings: Annotated[
        Path | None, typer.Option("--settings", help="Stack file; default stacks/Pulumi.<stack>.yaml.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List everything that is missing or unsafe before `pulumi up`, with fixes; exit 1 where there is something."""
    environment = ENVIRONMENTS[stack]
    if environment.cluster is None:
        raise typer.BadParameter(f"{stack} does not run on Kubernetes; name dev, staging or prod")
    values, encrypted = stack_settings(settings or paths.stack_file(stack))
    found = [*examination.examine(environment, values, encrypted)]
    if as_json:
        safe.document(json.dumps([{"what": each.what, "good": each.good, "fix": each.fix} for each in found], indent=2))
    else:
        safe.Console().print(_table(found))
    if not all(each.good for each in found):
        raise typer.Exit(1)


def _table(found: list[examination.Finding]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for title in ("", "found", "fix"):
        table.add_column(title, overflow="fold")
    for each in found:
        table.add_row(Text("ok", "green") if each.good else Text("no", "red"), each.what, each.fix)
    return table
