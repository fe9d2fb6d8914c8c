"""`agentobs telemetry`: what is wrong with what arrives."""

import time
from typing import Annotated

import typer
from rich.console import Console

from collector.check import Report
from collector.stores import TraceKind
from stacks.cli import show, show_check
from stacks.cli.options import AsJson, JaegerUrl, Schema, Since, Stack, Store, TempoUrl, Where, print_schema
from stacks.cli.reach import asked
from stacks.cli.telemetry import Scope, examine
from stacks.environments import EnvName

app = typer.Typer(help="Look at the telemetry itself.", no_args_is_help=True)


@app.command()
def check(
    stack: Stack = EnvName.LOCAL,
    since: Since = "1h",  # type: ignore[assignment]  # typer parses the default
    environment: Where = "",
    service: Annotated[str, typer.Option("--service", help="Only this service.name.")] = "",
    traces: Annotated[int, typer.Option(min=1, help="Read at most so many traces.")] = 200,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when something required is missing.")] = False,
    prometheus: Store = "",
    tempo: TempoUrl = "",
    jaeger: JaegerUrl = "",
    as_json: AsJson = False,
    schema: Schema = False,
) -> None:
    """Say per service and agent what is missing, what explodes, what is torn or lost, and how to mend it."""
    if schema:
        return print_schema(Report)
    now = time.time()
    scope = Scope(start=now - since, end=now, environment=environment, service=service, most_traces=traces)
    named = {"prometheus": prometheus, "tempo": tempo, "jaeger": jaeger}
    with asked(stack, ["prometheus", *TraceKind], named) as stores, show_check.progress() as tell:
        document = examine(stores.metrics, stores.traces, scope, tell)
    if as_json:
        typer.echo(document.model_dump_json(indent=2))
    else:
        if not document.traces:
            show.error_console().print("No spans in this window. Send OTLP, or look further back with --since.")
        if not document.is_empty:
            Console().print(show_check.report(document, stores.trace_link))
    if strict and document.lacks_required:
        raise typer.Exit(1)
    return None
