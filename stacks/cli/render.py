"""`agentobs render`: the generated files of the repository, or the manifests of a stack."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stacks import generated, paths
from stacks.cli import safe
from stacks.cluster import render as manifests_of
from stacks.cluster import rules as rules_of
from stacks.environments import ENVIRONMENTS, Environment, EnvName

_Stack = Annotated[EnvName, typer.Option("--stack", "-s", help="Which stack: dev, staging or prod.")]
_Settings = Annotated[Path | None, typer.Option("--settings", help="Stack file; default stacks/Pulumi.<stack>.yaml.")]


class RuleForm(StrEnum):
    """Whose files rules are written as."""

    PROMETHEUS = "prometheus"
    OPERATOR = "operator"


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
    if not paths.is_checkout():
        raise typer.BadParameter(
            "this writes the generated files of a checkout, and agentobs is installed without one;"
            " for a stack's own files: agentobs render manifests, agentobs render rules"
        )
    if check:
        stale = generated.differences()
        for difference in stale.values():
            safe.say(difference)
        if stale:
            raise generated.StaleError(f"stale generated files: {', '.join(stale)}. Fix: agentobs render")
        safe.say("all generated files are current")
        return
    for path in generated.write():
        safe.say(f"wrote {path}")


@app.command()
def manifests(
    stack: _Stack,
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; new, empty or an earlier rendering.")],
    settings: _Settings = None,
) -> None:
    """Write the plain manifests of a stack, one file per object, without secrets and without a cluster."""
    made = manifests_of.documents(_environment(stack), settings or paths.stack_file(stack))
    manifests_of.write(made, out)
    safe.say(f"wrote {len(made) - 1} manifests and {manifests_of.SECRETS_FILE} to {out}")


@app.command()
def rules(
    stack: _Stack,
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; made where it is missing.")],
    form: Annotated[
        RuleForm, typer.Option("--form", help="Rule files, or PrometheusRule objects for the Prometheus Operator.")
    ] = RuleForm.PROMETHEUS,
    plain: Annotated[
        bool, typer.Option("--plain", help="For stores that do not know `anchored`; as agentobs:plainRules does.")
    ] = False,
    settings: _Settings = None,
) -> None:
    """Write what an external Prometheus needs: recording rules, alerts, and what to scrape."""
    made = rules_of.documents(_environment(stack), settings or paths.stack_file(stack), plain=plain)
    if form is RuleForm.OPERATOR:
        made = rules_of.for_operator(made)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (out / name).write_text(text, encoding="utf-8")
        safe.say(f"wrote {out / name}")


def _environment(stack: EnvName) -> Environment:
    environment = ENVIRONMENTS[stack]
    if environment.cluster is None:
        raise typer.BadParameter(f"{stack} does not run on Kubernetes; name dev, staging or prod")
    return environment
