"""`agentobs runbooks`: the pages that people follow when an alert fires."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperArgument, TyperGroup, TyperOption

from runbooks.book import checks, library
from runbooks.book.checks import Book
from runbooks.book.commands import Command
from runbooks.book.library import Library

app = typer.Typer(help="The runbooks: a page for every alert, procedures, the on-call guide.", no_args_is_help=True)


class RunbookError(RuntimeError):
    """Pages that are wrong."""


Folder = Annotated[
    Path, typer.Option("--from", help="Folder that holds pages/, procedures/ and guide/.", file_okay=False, exists=True)
]


@app.command()
def check(context: typer.Context, folder: Folder = library.HERE) -> None:
    """Check every page: sections, length, queries, labels, commands, links, and that every alert has one."""
    found = library.load(folder)
    wrong = checks.findings(Book(library=found, agentobs=commands_of(context.find_root().command)))
    for finding in wrong:
        typer.echo(str(finding))
    Console(stderr=True).print(_summary(found), highlight=False)
    if wrong:
        raise RunbookError(f"{len(wrong)} findings in the runbooks")


def _summary(found: Library) -> str:
    fences = [fence for page in found.pages.values() for fence in page.fences]
    run = sum(fence.language == "bash" and not fence.not_run for fence in fences)
    not_run = sum(bool(fence.not_run) for fence in fences)
    return f"{len(found.pages)} pages, {len(fences)} fences, {run} of {run + not_run} commands are run by tests"


def commands_of(command: Any) -> Command:  # noqa: ANN401 typer brings its own click, and exports no type of it
    """The options and commands of a command line, for the check of pages."""
    options = {
        name: not (param.is_flag or param.count)
        for param in command.params
        if isinstance(param, TyperOption)
        for name in (*param.opts, *param.secondary_opts)
    }
    below = command.commands if isinstance(command, TyperGroup) else {}
    return Command(
        options=options,
        commands={name: commands_of(each) for name, each in below.items()},
        passes_on=bool(command.context_settings.get("ignore_unknown_options")),
        arguments=any(isinstance(param, TyperArgument) for param in command.params),
    )
