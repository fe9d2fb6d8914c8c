"""`agentobs runbooks`: the pages that people follow when an alert fires."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markdown import Markdown
from rich.table import Table
from typer.core import TyperArgument, TyperOption

from agentobs.errors import AgentobsError
from alerts import explore
from alerts.alerting import Links
from alerts.explore import Explorer, Place
from alerts.rules import LINKS
from runbooks import site
from runbooks.book import checks, library, page
from runbooks.book.checks import Book
from runbooks.book.commands import Command
from runbooks.book.facts import facts
from runbooks.book.kinds import Kind
from runbooks.book.library import Library
from stacks.cli import run_alert, safe
from stacks.cli.verbs import VerbGroup

app = typer.Typer(help="The runbooks: a page for every alert, procedures, the on-call guide.", no_args_is_help=True)
app.command("run")(run_alert.run)

_STAMP: Final = ".agentobs-runbooks"


class RunbookError(AgentobsError):
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
        safe.say(str(finding))
    safe.Console(stderr=True).print(_summary(found), highlight=False)
    if wrong:
        raise RunbookError(f"{len(wrong)} findings in the runbooks")


@app.command()
def build(
    out: Annotated[Path, typer.Option("--out", help="Folder for the site; new, empty or an earlier build.")],
    dashboards_url: Annotated[
        str, typer.Option(help="Address of Grafana, for links to boards; default that of a Grafana on this computer.")
    ] = "",
    prometheus_url: Annotated[
        str,
        typer.Option(
            help="Address of Prometheus, to open queries in; default Grafana where that is named, else a Prometheus on"
            " this computer."
        ),
    ] = "",
    folder: Folder = library.HERE,
) -> None:
    """Write all pages as a site of plain files, with search: to open, to print, or to put on any web server."""
    board = f"{dashboards_url.rstrip('/')}/d/agentobs-{{board}}" if dashboards_url else LINKS.board
    files = site.render(
        library.load(folder), Links(runbook=LINKS.runbook, board=board), _explorer(dashboards_url, prometheus_url)
    )
    _write(files, out)
    safe.say(f"wrote {len(files)} files to {out}; open {(out / 'index.html').resolve().as_uri()}")


def _explorer(dashboards_url: str, prometheus_url: str) -> Explorer:
    """Where queries are opened."""
    if dashboards_url and not prometheus_url:
        return Explorer(place=Place.GRAFANA, url=dashboards_url)
    return Explorer(place=Place.PROMETHEUS, url=prometheus_url) if prometheus_url else explore.LOCAL


def _write(files: Mapping[str, str], out: Path) -> None:
    """What an earlier build left is replaced; a folder of anything else is refused."""
    if out.exists() and not out.is_dir():
        raise RunbookError(f"{out} is a file; fix: --out with a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / _STAMP).exists():
        raise RunbookError(f"{out} holds other files; fix: --out with a new or an empty folder")
    for old in sorted(out.rglob("*"), reverse=True) if out.is_dir() else ():
        old.unlink() if old.is_file() else old.rmdir()
    for name, text in {**files, _STAMP: "Written by `agentobs runbooks build`.\n"}.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, encoding="utf-8")


@app.command("list")
def list_pages() -> None:
    """Show every page: alerts by family with severity, procedures, the on-call guide."""
    table = Table(header_style="cyan", box=None)
    for heading in ("page", "kind", "severity", "what it says"):
        table.add_column(heading)
    found = library.load()
    for name in library.expected()[Kind.ALERT]:
        known = facts(name)
        table.add_row(name, known.family, ", ".join(known.severities), known.message)
    for each in (*found.of(Kind.PROCEDURE), *found.of(Kind.GUIDE)):
        table.add_row(each.name, each.kind, "", each.title)
    safe.Console().print(table)


@app.command()
def show(name: Annotated[str, typer.Argument(help="An alert, a procedure or a page of the guide.")]) -> None:
    """Print a page in the terminal."""
    found = page.render(library.load())
    by_lower = {each.lower(): each for each in found}
    if name.lower() not in by_lower:
        near = difflib.get_close_matches(name.lower(), by_lower, n=3)
        hint = f"; did you mean {' or '.join(by_lower[each] for each in near)}?" if near else ""
        raise RunbookError(f"no page is called {name}{hint} `agentobs runbooks list` shows all")
    text = found[by_lower[name.lower()]]
    safe.Console().print(Markdown(text.partition("-->")[2]))


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
    below = command.loaded if isinstance(command, VerbGroup) else getattr(command, "commands", {})
    return Command(
        options=options,
        commands={name: commands_of(each) for name, each in below.items()},
        passes_on=bool(command.context_settings.get("ignore_unknown_options")),
        arguments=any(isinstance(param, TyperArgument) for param in command.params),
    )
