"""`agentobs`: bring the local stack up, ask what is going on, take it down."""

import json
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer
from pydantic import BaseModel
from rich.console import Console

import toolchain
from collector.check import Report
from collector.scores import ScoreError
from collector.search import SearchError
from collector.signals import Label
from collector.stores import TraceKind
from dashboards.push import PushError
from runbooks import text
from runbooks.baseline import BaselineError
from runbooks.book.prose import ProseError
from runbooks.checklist import ChecklistError
from runbooks.diagnosis import Window, diagnose
from runbooks.report import Diagnosis, TraceLink
from runbooks.status import Status, collect
from stacks import generated
from stacks.cli import (
    backup,
    baseline,
    checklist,
    dashboards,
    doctor,
    langfuse,
    lifecycle,
    look,
    render,
    report,
    runbooks,
    show,
    show_check,
    show_why,
)
from stacks.cli.browser import BrowserError
from stacks.cli.options import AsJson, JaegerUrl, Schema, Since, Stack, Store, TempoUrl, Where
from stacks.cli.prometheus import PrometheusError
from stacks.cli.reach import Reached, either
from stacks.cli.telemetry import Scope, examine
from stacks.cli.workspace import Workspace, WorkspaceError
from stacks.clients import StoreError
from stacks.cluster.forward import ForwardError
from stacks.cluster.rollout import RolloutError
from stacks.cluster.snapshots import SnapshotError
from stacks.environments import EnvName
from stacks.process.archive import ArchiveError
from stacks.settings import SettingsError

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
telemetry = typer.Typer(help="Look at the telemetry itself.", no_args_is_help=True)
app.add_typer(telemetry, name="telemetry")
app.add_typer(dashboards.app, name="dashboards")
app.add_typer(langfuse.app, name="langfuse")
app.add_typer(backup.app, name="backup")
app.add_typer(render.app, name="render")
app.add_typer(runbooks.app, name="runbooks")
app.add_typer(baseline.app, name="baseline")
app.add_typer(checklist.app, name="checklist")
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)
app.command("traces")(look.traces)
app.command("logs")(look.logs)

_EXPECTED: Final = (
    WorkspaceError,
    SettingsError,
    PrometheusError,
    StoreError,
    SearchError,
    toolchain.ToolchainError,
    lifecycle.LifecycleError,
    generated.StaleError,
    PushError,
    report.ReportError,
    ProseError,
    runbooks.RunbookError,
    BrowserError,
    ForwardError,
    SnapshotError,
    RolloutError,
    ArchiveError,
    ScoreError,
    BaselineError,
    ChecklistError,
)


_LOCAL: Final = EnvName.LOCAL


@app.command()
def up(
    stack: Stack = _LOCAL,
    tasks: Annotated[int, typer.Option(min=0, help="Tasks of the sample workload to run; 0 for none.")] = 60,
    port: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help="Move a port; repeatable.")] = None,
) -> None:
    """Build what is missing, run `pulumi up`, run the sample workload, print addresses and KPIs."""
    lifecycle.up(Workspace(stack), tasks, lifecycle.parse_ports(port or []))


@app.command()
def down(
    stack: Stack = _LOCAL,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Also delete stored metrics, traces, logs.")
    ] = False,
) -> None:
    """Run `pulumi destroy`: stop every process and remove its files; stored data stays unless told otherwise."""
    lifecycle.down(Workspace(stack), delete_data=delete_data)


@app.command()
def status(
    stack: Stack = _LOCAL,
    since: Since = "15m",  # type: ignore[assignment]  # typer parses the default
    environment: Where = "",
    prometheus: Store = "",
    as_json: AsJson = False,
    schema: Schema = False,
) -> None:
    """Show KPIs per task graph, agent, model and tool, with their versions."""
    if schema:
        return _print_schema(Status)
    now = time.time()
    with _stores(stack, ["prometheus"], {"prometheus": prometheus}) as stores:
        document = collect(stores.metrics, now - since, now, _narrowed(environment))
    if as_json:
        typer.echo(document.model_dump_json(indent=2))
    elif document.is_empty:
        show.error_console().print("Nothing measured in this window. Send OTLP, or look further back with --since.")
    else:
        Console().print(show.status(document))
    return None


@app.command()
def why(
    stack: Stack = _LOCAL,
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
        return _print_schema(Diagnosis)
    now = time.time()
    window = Window(start=now - since, end=now, where=_narrowed(environment))
    with _stores(stack, ["prometheus", *TraceKind], {"prometheus": prometheus}) as stores:
        document = _with_links(diagnose(stores.metrics, window), stores.trace_link)
    if as_json:
        typer.echo(document.model_dump_json(indent=2))
    elif as_text:
        typer.echo(text.plain(document))
    else:
        Console().print(show_why.diagnosis(document))
    return None


@telemetry.command("check")
def telemetry_check(
    stack: Stack = _LOCAL,
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
        return _print_schema(Report)
    now = time.time()
    scope = Scope(start=now - since, end=now, environment=environment, service=service, most_traces=traces)
    named = {"prometheus": prometheus, "tempo": tempo, "jaeger": jaeger}
    with _stores(stack, ["prometheus", *TraceKind], named) as stores, show_check.progress() as tell:
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


@app.command()
def env(stack: Stack = _LOCAL) -> None:
    """Print the variables for plain `pulumi` commands on the local stack: eval "$(agentobs env)"."""
    workspace = Workspace(stack)
    workspace.prepare()
    for name, value in workspace.environment().items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def pulumi(context: typer.Context, stack: Stack = _LOCAL) -> None:
    """Run any Pulumi command on a stack: agentobs pulumi preview --diff."""
    workspace = Workspace(stack)
    with workspace.exclusive():
        workspace.prepare()
        workspace.pulumi(*context.args)


def _print_schema(model: type[BaseModel]) -> None:
    typer.echo(json.dumps(model.model_json_schema(), indent=2))


def _narrowed(environment: str) -> dict[Label, str]:
    return {Label.ENVIRONMENT: environment} if environment else {}


@contextmanager
def _stores(stack: EnvName, wanted: list[str], named: dict[str, str]) -> Iterator[Reached]:
    """Stores to ask: those of the stack, or only what was named (whose traces are not in our store)."""
    alone = [name for name in wanted if named.get(name)] if named.get("prometheus") else wanted
    with either(stack, alone, named) as stores:
        yield stores


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


def main() -> None:
    """Entry point: an expected failure is one message and exit code 1, without a traceback."""
    try:
        app()
    except _EXPECTED as error:
        show.error_console().print(show.failure(error), soft_wrap=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
