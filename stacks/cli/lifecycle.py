"""`agentobs up` and `agentobs down`: the toolchain, Pulumi and the sample workload in a row, with progress."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

import toolchain
from dashboards.boards import BOARDS
from dashboards.report import Period
from runbooks.status import Status, collect
from stacks import home
from stacks.cli import show, stores
from stacks.cli.prometheus import Prometheus
from stacks.cli.reach import Reached
from stacks.cli.report import ReportError, write
from stacks.cli.workspace import Workspace
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.ports import PORTS
from stacks.settings import NAMESPACE
from toolchain.progress import reporter_for

_RATE: Final = 4  # tasks per second: enough for a first table within seconds
_FIRST_KPIS_TIMEOUT_S: Final = 30
_REPORTED_S: Final = 3600


class LifecycleError(RuntimeError):
    """The stack came up, but something after it failed."""


def parse_ports(pairs: list[str]) -> dict[str, int]:
    """Read `name=number` pairs. Raises LifecycleError that lists the names."""
    moved = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        if name not in PORTS or not number.isdecimal():
            raise LifecycleError(f"--port {pair!r}: expected NAME=NUMBER with a name of {', '.join(PORTS)}")
        moved[name] = int(number)
    return moved


def up(workspace: Workspace, tasks: int, ports: Mapping[str, int]) -> None:
    """Bring the local stack up and show what it measures. Raises one of the expected errors, see `main`."""
    _local_only(workspace, "up", "pulumi up")
    console = Console()
    started = time.monotonic()
    toolchain.ensure(["platform"], reporter_for(console))
    with workspace.exclusive():
        workspace.prepare()
        choice = stores.choose(workspace, reporter_for(console))
        toolchain.ensure(choice.binaries, reporter_for(console))
        stores.keep(workspace, choice)
        console.print(str(choice), highlight=False)
        _move(workspace, ports)
        # Refresh finds processes that a crash or a reboot has taken, so that this command mends them.
        workspace.pulumi(
            "up", "--yes", "--skip-preview", "--refresh", "--suppress-outputs", "--suppress-permalink=true"
        )
    endpoints: dict[str, str] = workspace.outputs()["endpoints"]
    console.print(f"\nThe stack is up after {time.monotonic() - started:.0f} s.")
    if tasks:
        begin = time.time()
        _run_demo(endpoints["otlp_http"], tasks)
        console.print(show.status(_first_kpis(endpoints["prometheus"], begin, tasks)))
        _first_report(console, workspace, endpoints)
    _print_addresses(console, endpoints)
    console.print(f"From start to here: {time.monotonic() - started:.0f} s.")


def _move(workspace: Workspace, ports: Mapping[str, int]) -> None:
    """One command for all, as each takes half a second."""
    pairs = [word for name, port in ports.items() for word in ("--plaintext", f"{NAMESPACE}:ports.{name}={port}")]
    if pairs:
        workspace.pulumi("config", "set-all", "--path", *pairs, quiet=True)


def down(workspace: Workspace, *, delete_data: bool) -> None:
    """Take the local stack down; works as well where it was never up or where its processes have crashed."""
    _local_only(workspace, "down", "pulumi destroy")
    if not workspace.exists:
        Console().print(f"The stack {workspace.stack} was never brought up here; nothing to take down.")
        return
    with workspace.exclusive():
        workspace.prepare()
        workspace.pulumi("destroy", "--yes", "--skip-preview", "--suppress-permalink=true", "--suppress-progress")
    _report_file(workspace).unlink(missing_ok=True)
    if delete_data:
        shutil.rmtree(workspace.layout.data, ignore_errors=True)
    elif workspace.layout.data.exists():
        Console().print(f"Stored data stays in {workspace.layout.data}; delete it with `agentobs down --delete-data`.")


def _local_only(workspace: Workspace, verb: str, instead: str) -> None:
    if ENVIRONMENTS[EnvName(workspace.stack)].cluster is not None:
        raise LifecycleError(
            f"`agentobs {verb}` is for the stack on this computer; {workspace.stack} runs on Kubernetes."
            f" Fix: {instead} -s {workspace.stack}"
        )


def _run_demo(otlp: str, tasks: int) -> None:
    command = [sys.executable, "-m", "demo", "run", "--tasks", str(tasks), "--rate", str(_RATE), "--endpoint", otlp]
    if subprocess.run(command, cwd=home.project_root(), check=False).returncode != 0:
        raise LifecycleError(f"the sample workload failed; the stack is up. Try again: {' '.join(command[1:])}")


def _first_kpis(prometheus: str, begin: float, tasks: int) -> Status:
    """Wait until the tasks just run are counted: the collector exports every few seconds."""
    source = Prometheus(prometheus)
    deadline = time.monotonic() + _FIRST_KPIS_TIMEOUT_S
    while True:
        document = collect(source, begin, time.time(), {})
        counted = sum(row.events for table in document.tables if table.key == "tasks" for row in table.rows)
        if counted >= tasks or time.monotonic() > deadline:
            return document
        time.sleep(0.5)


def _report_file(workspace: Workspace) -> Path:
    return workspace.layout.root / "report.html"


def _first_report(console: Console, workspace: Workspace, endpoints: Mapping[str, str]) -> None:
    """The boards as a page: this stack has no Grafana. It is no reason to fail when the stack itself is up."""
    path, end = _report_file(workspace), time.time()
    reached = Reached(urls=endpoints)
    try:
        write(path, BOARDS, reached, Period(start=end - _REPORTED_S, end=end), {"environment": workspace.stack})
    except ReportError as error:
        console.print(f"[yellow]The boards were not written: {error}[/]")
    else:
        console.print(f"The boards, to open in a browser: {path.as_uri()}", highlight=False, soft_wrap=True)


def _next(otlp: str) -> tuple[tuple[str, str], ...]:
    """What to try, as commands that work as they stand."""
    moved = "" if otlp.endswith(f":{PORTS['otlp-http']}") else f" --endpoint {otlp}"
    return (
        ("break a tool", f".venv/bin/python -m demo run --scenario tool-regression{moved}"),
        ("ask what broke", ".venv/bin/agentobs why"),
        ("see it on all boards", ".venv/bin/agentobs report --since 1h"),
        ("take it down", "make down"),
    )


def _print_addresses(console: Console, endpoints: Mapping[str, str]) -> None:
    table = Table(title="Addresses", title_justify="left", title_style="bold", show_header=False)
    for name, url in sorted(endpoints.items()):
        table.add_row(name.replace("_", " "), url)
    console.print(table)
    steps = Table(title="Next", title_justify="left", title_style="bold", show_header=False)
    for number, (what, command) in enumerate(_next(endpoints["otlp_http"]), 1):
        steps.add_row(str(number), what, command)
    console.print(steps)
