"""`agentobs`: bring the local stack up, ask what is going on, take it down."""

import json
import re
import shlex
import time
from typing import Annotated, Final

import typer
from pydantic import BaseModel
from rich.console import Console

import toolchain
from collector.signals import Label
from runbooks.diagnosis import Window, diagnose
from runbooks.report import Diagnosis
from runbooks.status import Status, collect
from stacks.cli import lifecycle, show
from stacks.cli.prometheus import Prometheus, PrometheusError
from stacks.cli.workspace import Workspace, WorkspaceError
from stacks.environments import EnvName
from stacks.settings import SettingsError

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_EXPECTED: Final = (
    WorkspaceError,
    SettingsError,
    PrometheusError,
    toolchain.ToolchainError,
    lifecycle.LifecycleError,
)


def _duration(text: str) -> float:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a duration; write for example 90s, 15m, 1h or 7d")
    return int(match[1]) * _SECONDS[match[2]]


Stack = Annotated[EnvName, typer.Option("--stack", "-s", help="Which stack.")]
Since = Annotated[float, typer.Option(parser=_duration, metavar="DURATION", help="How far to look back: 90s, 15m, 1h.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document instead; --schema describes it.")]
Schema = Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of the --json document and exit.")]
Where = Annotated[str, typer.Option("--environment", "-e", help="Only this deployment.environment.name.")]
Store = Annotated[
    str,
    typer.Option("--prometheus", envvar="AGENTOBS_PROMETHEUS", help="Another Prometheus-compatible store than ours."),
]
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
    document = collect(
        Prometheus(_endpoints(stack, prometheus)["prometheus"]), now - since, now, _narrowed(environment)
    )
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
    schema: Schema = False,
) -> None:
    """Name the agent or tool that broke, the version dimension to blame and since when, with the evidence."""
    if schema:
        return _print_schema(Diagnosis)
    now = time.time()
    endpoints = _endpoints(stack, prometheus)
    window = Window(start=now - since, end=now, where=_narrowed(environment))
    document = _with_link(diagnose(Prometheus(endpoints["prometheus"]), window), endpoints.get("tempo"))
    if as_json:
        typer.echo(document.model_dump_json(indent=2))
    else:
        Console().print(show.diagnosis(document))
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


def _endpoints(stack: EnvName, prometheus: str) -> dict[str, str]:
    """Addresses to ask: those of the stack, or only the store that was named (whose traces are not in our Tempo)."""
    if prometheus:
        return {"prometheus": prometheus}
    endpoints: dict[str, str] = Workspace(stack).outputs().get("endpoints", {})
    if not endpoints:
        raise WorkspaceError(f"the stack {stack} is not up; start it with `agentobs up` or give --prometheus URL")
    return endpoints


def _with_link(document: Diagnosis, tempo: str | None) -> Diagnosis:
    """Add the address of the trace in Tempo, where there is one."""
    if document.trace is None or tempo is None:
        return document
    trace = document.trace.model_copy(update={"url": f"{tempo}/api/traces/{document.trace.trace_id}"})
    return document.model_copy(update={"trace": trace})


def main() -> None:
    """Entry point: an expected failure is one message and exit code 1, without a traceback."""
    try:
        app()
    except _EXPECTED as error:
        show.error_console().print(f"[bold red]error:[/] {error}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
