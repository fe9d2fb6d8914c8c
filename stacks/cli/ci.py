"""`agentobs ci`: workflows for a repository of agents."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from delivery.ci import github, gitlab
from delivery.ci.steps import Project
from delivery.errors import DeliveryError
from stacks import atomic
from stacks.cli import safe

app = typer.Typer(help="Workflows for a repository of agents.", no_args_is_help=True)


class Platform(StrEnum):
    """Whose words the workflows are in."""

    GITHUB = "github"
    GITLAB = "gitlab"


@app.callback()
def _ci() -> None:
    """Without a callback typer makes the one verb the whole command."""


@app.command()
def init(
    platform: Annotated[Platform, typer.Argument(help="github or gitlab.")],
    system: Annotated[str, typer.Option("--system", help="What is tested: module:function, or a command.")],
    dataset: Annotated[str, typer.Option("--dataset", help="Folder of the golden dataset.")] = "golden",
    prompts: Annotated[str, typer.Option("--prompts", help="Folder of prompt files; empty: none.")] = "prompts",
    servers: Annotated[str, typer.Option("--servers", help="File of mcpServers to test; empty: none.")] = "",
    release: Annotated[str, typer.Option("--release", help="Folder that releases are built from.")] = ".",
    install: Annotated[str, typer.Option("--install", help="Installs what the commands need.")] = (
        "pip install -r requirements.txt"
    ),
    root: Annotated[Path, typer.Option("--root", help="Root of the repository.")] = Path(),
    replace: Annotated[bool, typer.Option("--replace", help="Replace workflows that are there.")] = False,
) -> None:
    """Write workflows: lint prompts, test tools, replay, compare, block; then build, staging, canary."""
    project = Project(
        system=system, dataset=dataset, prompts=prompts, servers=servers, release=release, install=install
    )
    files = github.files(project) if platform is Platform.GITHUB else gitlab.files(project)
    there = [path for path in files if (root / path).exists()]
    if there and not replace:
        raise DeliveryError(f"{root / there[0]} exists; fix: --replace, or take it away")
    for path, text in files.items():
        atomic.write(root / path, text)
        safe.say(f"wrote {root / path}")
    safe.say("A change of the dataset or of its baseline needs its owner's review: name them in CODEOWNERS.")
