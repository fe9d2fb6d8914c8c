"""`python -m toolchain`: shows, makes and cleans up the native binaries."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from toolchain import clean as cleaning
from toolchain.errors import ToolchainError
from toolchain.make import Made, make_all
from toolchain.probe import Finding, find
from toolchain.progress import reporter_for
from toolchain.recipes import Recipe
from toolchain.settings import allowed_sources
from toolchain.table import GROUPS, RECIPES, select

_MEBI = 1 << 20

app = typer.Typer(
    help="Finds or makes the pinned native binaries. Order of sources: PATH, cache, official release, build with Go "
    "(restrict with AGENTOBS_TOOLCHAIN_SOURCE=path,cache,release,build). Cache: AGENTOBS_CACHE, else agentobs/ in the "
    "user's cache folder.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_Names = Annotated[list[str] | None, typer.Argument(help=f"binaries or groups ({', '.join(GROUPS)})")]


@app.command()
def status(
    names: _Names = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print a JSON array instead of a table")] = False,
) -> None:
    """Show which version of each binary is wanted, and where it was found."""
    every = [binary.name for recipe in RECIPES for binary in recipe.binaries]
    findings = find(select(names or every), allowed_sources())
    if as_json:
        typer.echo(json.dumps([_row(finding) for finding in findings], indent=2))
        return
    table = Table("binary", "version", "found", "size", "note", box=None, header_style="bold")
    for finding in findings:
        size = f"{finding.path.stat().st_size / _MEBI:.0f} MiB" if finding.path else ""
        note = finding.note or ("" if finding.path else _how(finding.recipe))
        table.add_row(finding.binary.name, finding.binary.version, finding.source or "-", size, note)
    Console().print(table)


@app.command()
def build(
    names: _Names = None,
    *,
    drop_build_cache: Annotated[
        bool,
        typer.Option("--drop-build-cache", help="remove our Go build cache (several GB) when all is done"),
    ] = False,
) -> None:
    """Make what is missing (default: the group `local`). Safe to interrupt and to run twice at once."""
    console = Console()
    with reporter_for(console) as reporter:
        paths, made = make_all(names or ["local"], reporter)
    _print_made(console, made, found=len(paths))
    if drop_build_cache:
        console.print(f"dropped the Go build cache: {cleaning.drop_build_cache() / _MEBI:.0f} MiB freed")


@app.command()
def clean(
    *,
    everything: Annotated[
        bool,
        typer.Option("--everything", help="also remove the binaries of the current versions"),
    ] = False,
) -> None:
    """Remove our Go build cache, downloads, logs and superseded versions."""
    typer.echo(f"{cleaning.clean(everything=everything) / _MEBI:.0f} MiB freed")


def main() -> None:
    """Run the command line; an expected error is one message and exit status 1."""
    try:
        app()
    except ToolchainError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)


def _how(recipe: Recipe) -> str:
    return f"about {recipe.minutes:g} min to build cold" if recipe.build else "from its publisher only, never built"


def _row(finding: Finding) -> dict[str, str | int | None]:
    return {
        "name": finding.binary.name,
        "version": finding.binary.version,
        "recipe": finding.recipe.name,
        "source": finding.source.value if finding.source else None,
        "path": str(finding.path) if finding.path else None,
        "bytes": finding.path.stat().st_size if finding.path else None,
        "note": finding.note,
    }


def _print_made(console: Console, made: list[Made], *, found: int) -> None:
    if not made:
        console.print(f"all {found} binaries are there; nothing to make")
        return
    table = Table("recipe", "version", "how", "seconds", box=None, header_style="bold")
    for row in made:
        table.add_row(row.recipe.name, row.recipe.version, row.how, f"{row.seconds:.1f}")
    table.add_row("all", "", "", f"{sum(row.seconds for row in made):.1f}")
    console.print(table)
