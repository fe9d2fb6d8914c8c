"""`agentobs dashboards`: bring the boards into an external Grafana."""

import os
from typing import Annotated, Final

import typer
from rich.syntax import Syntax
from rich.table import Table

from alerts.alerting import Links
from collector.stores import GRAFANA, LogKind, Stores, TraceKind
from dashboards import documents
from dashboards.boards import BOARDS
from runbooks.book import library
from stacks.cli import safe
from stacks.clients.grafana import TOKEN, Grafana, Plan, PushError, State
from stacks.components.grafana import pages_of

app = typer.Typer(help="The boards of Grafana.", no_args_is_help=True)
_COLOURS: Final = {State.NEW: "green", State.SAME: "dim", State.OLD: "yellow", State.EDITED: "bold red"}


@app.command("list")
def list_boards() -> None:
    """Show every board with the question it answers."""
    table = Table(title="Boards", title_justify="left", title_style="bold", header_style="cyan")
    for heading in ("board", "answers", "panels", "uid"):
        table.add_column(heading)
    for board in BOARDS:
        table.add_row(board.slug, board.question, str(len([*board.panels()])), board.uid)
    safe.Console().print(table)


@app.command()
def push(
    url: Annotated[str, typer.Option(envvar="GRAFANA_URL", help="Address of Grafana.")],
    folder: Annotated[str, typer.Option(help="Title of the folder; made if there is none.")] = "agentobs",
    board: Annotated[list[str] | None, typer.Option(help="Only this board; repeatable.")] = None,
    runbooks_url: Annotated[str, typer.Option(help="Address below which runbooks lie, one page per alert.")] = "",
    runbooks: Annotated[
        bool, typer.Option("--runbooks", help="Also write a board for every runbook: its text beside live panels.")
    ] = False,
    langfuse_url: Annotated[
        str, typer.Option(help="Address that a trace id completes: https://.../project/ID/traces.")
    ] = "",
    traces: Annotated[TraceKind, typer.Option(help="The store of traces that this Grafana reads.")] = GRAFANA.traces,
    logs: Annotated[LogKind, typer.Option(help="The store of logs that this Grafana reads.")] = GRAFANA.logs,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show the differences line by line.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also replace boards that somebody edited.")] = False,
) -> None:
    """Write new and changed boards into Grafana, with the token in the variable GRAFANA_TOKEN."""
    token = os.environ.get(TOKEN, "")
    if not token:
        raise PushError(
            f"the variable {TOKEN} is empty; it takes the token of a Grafana service account with the role Editor."
            " It is no option, because other users of this computer can read a command's options"
        )
    pages = _runbooks(runbooks_url) or (documents.runbook_boards() if runbooks else {})
    stores = Stores(traces=traces, logs=logs)
    sites = documents.Sites(runbooks=pages, langfuse=langfuse_url.rstrip("/"), stores=stores)
    wanted = _wanted(board or [], sites, runbooks=runbooks)
    grafana = Grafana(url, token)
    # All are compared before one is written: what is refused is known before anything is changed.
    plans = [*grafana.plans(wanted)]
    _show(plans, diff=diff)
    edited = [plan.slug for plan in plans if plan.state is State.EDITED]
    if not dry_run:
        _write(grafana, folder, [plan for plan in plans if plan.state is not State.SAME], overwrite=overwrite)
    if edited and not overwrite:
        raise PushError(
            f"edited in Grafana and left as they are: {', '.join(edited)}. Fix: bring what was changed into"
            " dashboards/boards, or give --overwrite to replace it (Grafana keeps the old version)"
        )


def _wanted(slugs: list[str], sites: documents.Sites, *, runbooks: bool) -> dict[str, dict[str, object]]:
    every = documents.provisioned(sites, editable=True)
    if runbooks:
        every |= documents.pages(sites, pages_of(library.load()), editable=True)
    unknown = [slug for slug in slugs if slug not in every]
    if unknown:
        raise typer.BadParameter(f"no board is called {', '.join(unknown)}; the boards are {', '.join(every)}")
    return {slug: board for slug, board in every.items() if not slugs or slug in slugs}


def _runbooks(url: str) -> dict[str, str]:
    return documents.runbooks(Links(runbook=f"{url.rstrip('/')}/{{name}}", board="")) if url else {}


def _show(plans: list[Plan], *, diff: bool) -> None:
    console = safe.Console()
    for plan in plans:
        lines = [line for line in plan.difference.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
        by = f" by {plan.edited_by}" if plan.edited_by else ""
        state = safe.text(f"{plan.state}{by}", _COLOURS[plan.state])
        console.print(state.append(f"  {plan.slug}  {len(lines)} lines differ", "not bold default"))
        if diff and plan.difference:
            console.print(Syntax(plan.difference, "diff", background_color="default"))


def _write(grafana: Grafana, folder: str, plans: list[Plan], *, overwrite: bool) -> None:
    writable = [plan for plan in plans if overwrite or plan.state is not State.EDITED]
    if not writable:
        return
    uid = grafana.folder(folder)
    for plan in writable:
        safe.say(f"wrote {grafana.write(plan, uid)}")
