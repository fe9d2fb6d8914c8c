"""`agentobs why`: what broke."""

import time
from typing import Annotated

import typer
from rich.console import Console

from collector.stores import TraceKind
from runbooks import text
from runbooks.diagnosis import Window, diagnose
from runbooks.report import Diagnosis, TraceLink
from stacks.cli import show_why
from stacks.cli.options import AsJson, Schema, Since, Stack, Store, Where, narrowed, print_schema
from stacks.cli.reach import asked
from stacks.environments import EnvName


def why(
    stack: Stack = EnvName.LOCAL,
    since: Since = "1h",  # type: ignore[assignment]  # typer parses the default
    environment: Where = "",
    prometheus: Store = "",
    as_json: AsJson = False,
    as_text: Annotated[
        bool, typer.Option("--text", help="Print a dozen plain lines for an alert, a ticket or a chat.")
    ] = False,
    schema: Schema = False,
) -> None:
    """Name the agent or tool that broke, the version dimension to blame and since when, how sure that is and why."""
    if schema:
        return print_schema(Diagnosis)
    now = time.time()
    window = Window(start=now - since, end=now, where=narrowed(environment))
    with asked(stack, ["prometheus", *TraceKind], {"prometheus": prometheus}) as stores:
        document = _with_links(diagnose(stores.metrics, window), stores.trace_link)
    if as_json:
        typer.echo(document.model_dump_json(indent=2))
    elif as_text:
        typer.echo(text.plain(document))
    else:
        Console().print(show_why.diagnosis(document))
    return None


def _with_links(document: Diagnosis, link: str) -> Diagnosis:
    """Add the addresses of the traces, where a person can follow them; a trace's id completes `link`."""
    if not link:
        return document

    def linked(trace: TraceLink) -> TraceLink:
        return trace.model_copy(update={"url": f"{link}{trace.trace_id}"})

    return document.model_copy(
        update={
            "trace": linked(document.trace) if document.trace else None,
            "failing_traces": [linked(trace) for trace in document.failing_traces],
            "baseline_traces": [linked(trace) for trace in document.baseline_traces],
        }
    )
