"""`agentobs telemetry`: what is wrong with what arrives."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Annotated, Final

import typer
from rich.console import RenderableType

from collector.check import Report
from collector.stores import TraceKind
from stacks.cli import safe, show, show_check
from stacks.cli.errors import is_expected
from stacks.cli.options import AsJson, JaegerUrl, Schema, Since, Stack, Store, TempoUrl, Where, print_schema
from stacks.cli.progress import progress
from stacks.endpoints import Endpoints, resolve_for_metrics
from stacks.environments import EnvName
from stacks.telemetry import Progress, Scope, examine, senders

app = typer.Typer(help="Look at the telemetry itself.", no_args_is_help=True)
_LACKING, _UNSEEN = 1, 2
_EVERY_S: Final = 5.0
_ARRIVING_S: Final = 5  # what has just been sent is in no store yet
_NOTHING: Final = "No spans in this window. Send OTLP, or look further back with --since."
_ELSEWHERE: Final = "No spans of that name in this window. What is there: "
_UNTRACED: Final = "Calls were counted, and no spans of theirs are in this window: look further back with --since."


@app.command()
def check(
    stack: Stack = EnvName.LOCAL,
    since: Since = "1h",  # type: ignore[assignment]  # typer parses the default
    environment: Where = "",
    service: Annotated[str, typer.Option("--service", help="Only this service.name.")] = "",
    traces: Annotated[int, typer.Option(min=1, help="Read at most so many traces.")] = 200,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="For CI: exit with 1 where something required is missing, 2 where nothing came."),
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every 5 seconds, until Ctrl-C.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show every finding and agent, however many.")] = False,
    prometheus: Store = "",
    tempo: TempoUrl = "",
    jaeger: JaegerUrl = "",
    as_json: AsJson = False,
    schema: Schema = False,
) -> None:
    """Say what arrived, which KPIs it feeds per agent, and what to mend first."""
    if schema:
        return print_schema(Report)
    if watch and (as_json or strict):
        raise typer.BadParameter("it draws a page again and again; leave out --json and --strict", param_hint="--watch")
    scope = Scope(start=-since, end=0, environment=environment, service=service, most_traces=traces)
    named = {"prometheus": prometheus, "tempo": tempo, "jaeger": jaeger}
    try:
        with resolve_for_metrics(stack, ["prometheus", *TraceKind], named) as stores:
            if watch:
                return watching(lambda: _page(_looked(stores, scope), stores, everything=everything), safe.Console())
            with progress("reading traces") as tell:
                document = _arrived(stores, scope, lambda done, total: tell("reading traces", done, total))
            others = senders(stores.metrics, _now(scope)) if document.is_empty and (environment or service) else []
    except Exception as error:
        if not strict or not is_expected(error):
            raise
        show.error_console().print(show.failure(error), soft_wrap=True)
        raise typer.Exit(_UNSEEN) from None
    if as_json:
        safe.document(document)
    else:
        _print(document, stores.trace_link, others, everything=everything)
    if strict and (code := _code(document)):
        raise typer.Exit(code)
    return None


def _arrived(stores: Endpoints, scope: Scope, tell: Progress) -> Report:
    """The document; where nothing is there, looked for again a few times."""
    for wait in (*repeat(1, _ARRIVING_S), 0):
        document = examine(stores.metrics, stores.traces, _now(scope), tell)
        if not document.is_empty or not wait:
            break
        time.sleep(wait)
    return document


def _print(document: Report, link: str, others: Sequence[str], *, everything: bool) -> None:
    if others:
        show.error_console().print(safe.text(f"{_ELSEWHERE}{', '.join(others)}"), soft_wrap=True)
    elif not document.traces:
        show.error_console().print(_UNTRACED if document.services else _NOTHING)
    if not document.is_empty:
        safe.Console().print(show_check.report(document, link, everything=everything))


def _code(document: Report) -> int:
    """What CI is told: nothing that came is no success."""
    return _LACKING if document.lacks_required else _UNSEEN if document.is_empty else 0


def watching(
    draw: Callable[[], RenderableType], console: safe.Console, pause: Callable[[float], None] = time.sleep
) -> None:
    """Draw again and again until Ctrl-C, which is the way to end it and no failure. A store may be away for a while."""
    try:
        while True:
            try:
                page = draw()
            except Exception as error:
                if not is_expected(error):
                    raise
                page = show.failure(error)
            console.clear()
            console.print(page)
            pause(_EVERY_S)
    except KeyboardInterrupt:
        return


def _now(scope: Scope) -> Scope:
    """The scope as a period that ends now."""
    now = time.time()
    return replace(scope, start=now + scope.start, end=now)


def _looked(stores: Endpoints, scope: Scope) -> Report:
    return examine(stores.metrics, stores.traces, _now(scope), lambda _done, _total: None)


def _page(document: Report, stores: Endpoints, *, everything: bool) -> RenderableType:
    return _NOTHING if document.is_empty else show_check.report(document, stores.trace_link, everything=everything)
