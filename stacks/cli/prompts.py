"""`agentobs prompts`: look at prompt files before an agent reads them."""

import json
from pathlib import Path
from typing import Annotated

import typer

from delivery.prompts import checking, sarif
from stacks import atomic
from stacks.cli import safe

app = typer.Typer(help="Prompts as files.", no_args_is_help=True)


@app.callback()
def _prompts() -> None:
    """Without a callback typer makes the one verb the whole command."""


@app.command()
def lint(
    paths: Annotated[list[Path], typer.Argument(help="Prompt files, or folders of them.")],
    tools: Annotated[Path | None, typer.Option("--tools", help="Tools that exist: names, or a tools/list.")] = None,
    policies: Annotated[Path | None, typer.Option("--policies", help="Lines that must be there, by agent.")] = None,
    lock: Annotated[Path, typer.Option("--lock", help="Remembers the text of every version.")] = Path(checking.LOCK),
    remember: Annotated[bool, typer.Option("--remember", help="Write new versions into that file.")] = False,
    out: Annotated[Path | None, typer.Option("--sarif", help="Write the findings as SARIF.")] = None,
) -> None:
    """Check structure, variables, policy lines, secrets, invisible characters, versions; exit 1 on an error."""
    checked = checking.check(paths, checking.known_of(tools, policies), lock)
    for path, findings in checked.findings.items():
        for found in findings:
            safe.say(f"{path}:{found.line}: {found.level} {found.rule}: {found.text}")
    if out is not None:
        atomic.write(out, json.dumps(sarif.document(checked, Path.cwd()), indent=1) + "\n")
    if remember and not checked.errors:
        checking.remember(lock, checked)
    warnings = sum(map(len, checked.findings.values())) - checked.errors
    safe.say(f"{len(checked.findings)} prompts: {checked.errors} errors, {warnings} warnings")
    raise typer.Exit(1 if checked.errors else 0)
