"""`agentobs up` and `agentobs down`: the toolchain, Pulumi and the sample workload in a row, with progress."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.table import Table

import toolchain
from agentobs.contract import Label
from agentobs.errors import AgentobsError
from alerts.prometheus import Prometheus
from dashboards.boards import BOARDS
from dashboards.report import Period
from runbooks.status import Status, collect
from runbooks.why.diagnosis import Window, diagnose
from runbooks.why.document import Verdict
from stacks import paths, store_choice
from stacks.cli import safe, show, show_why
from stacks.cli.report import write
from stacks.endpoints import Endpoints
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.ports import PORTS
from stacks.reporting import ReportError
from stacks.settings import NAMESPACE
from stacks.workspace import Workspace
from toolchain.progress import reporter_for

STORY_RATE: Final = 10  # tasks per second: enough for a first answer within half a minute
STORY: Final = "tool-regression"
_STORY_ENVIRONMENT: Final = "demo"
"""Of its own, so that nobody's agents are blamed for what the sample breaks."""
_FIRST_KPIS_TIMEOUT_S: Final = 120
_ANSWER_TIMEOUT_S: Final = 20  # all tasks are counted by then; a handful of them gives no better answer later
_BEFORE_S: Final = 10.0
_REPORTED_S: Final = 3600


class LifecycleError(AgentobsError):
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
    console = safe.Console()
    started = time.monotonic()
    toolchain.ensure(["platform"], reporter_for(console))
    with workspace.exclusive():
        workspace.prepare()
        choice = store_choice.choose(workspace, reporter_for(console))
        toolchain.ensure(choice.binaries, reporter_for(console))
        store_choice.keep(workspace, choice)
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
    if tasks:
        _first_answer(console, Prometheus(endpoints["prometheus"]), begin)
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
        safe.Console().print(f"The stack {workspace.stack} was never brought up here; nothing to take down.")
        return
    with workspace.exclusive():
        workspace.prepare()
        workspace.pulumi("destroy", "--yes", "--skip-preview", "--suppress-permalink=true", "--suppress-progress")
    _report_file(workspace).unlink(missing_ok=True)
    if delete_data:
        shutil.rmtree(workspace.layout.data, ignore_errors=True)
    elif workspace.layout.data.exists():
        safe.Console().print(
            f"Stored data stays in {workspace.layout.data}; delete it with `agentobs down --delete-data`."
        )


def _local_only(workspace: Workspace, verb: str, instead: str) -> None:
    if ENVIRONMENTS[EnvName(workspace.stack)].cluster is not None:
        raise LifecycleError(
            f"`agentobs {verb}` is for the stack on this computer; {workspace.stack} runs on Kubernetes."
            f" Fix: {instead} -s {workspace.stack}"
        )


def _run_demo(otlp: str, tasks: int) -> None:
    """A healthy system, and then one broken version: something to look at, and to ask about."""
    command = [sys.executable, "-m", "demo", "run", "--scenario", STORY, "--environment", _STORY_ENVIRONMENT]
    command += ["--tasks", str(tasks), "--rate", str(STORY_RATE), "--endpoint", otlp]
    if subprocess.run(command, cwd=paths.project_root(), check=False).returncode != 0:
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


def _first_answer(console: safe.Console, source: Prometheus, begin: float) -> None:
    """What `why` says of the sample: a collector shows the last calls a few seconds late."""
    deadline = time.monotonic() + _ANSWER_TIMEOUT_S
    while True:
        window = Window(start=begin - _BEFORE_S, end=time.time(), where={Label.ENVIRONMENT: _STORY_ENVIRONMENT})
        document = diagnose(source, window)
        if document.verdict is Verdict.REGRESSION or time.monotonic() > deadline:
            break
        time.sleep(1)
    console.print("\nHalfway through, the sample replaced a tool server. What broke, and since which version?")
    console.print(show_why.answer(document))


def _report_file(workspace: Workspace) -> Path:
    return workspace.layout.root / "report.html"


def _first_report(console: safe.Console, workspace: Workspace, endpoints: Mapping[str, str]) -> None:
    """The boards as a page: this stack has no Grafana. It is no reason to fail when the stack itself is up."""
    path, end = _report_file(workspace), time.time()
    stores = Endpoints(urls=endpoints)
    try:
        write(path, BOARDS, stores, Period(start=end - _REPORTED_S, end=end), {"environment": _STORY_ENVIRONMENT})
    except ReportError as error:
        console.print(safe.lines(f"The boards were not written: {error}", "yellow"))
    else:
        console.print(f"The boards, to open in a browser: {path.as_uri()}", highlight=False, soft_wrap=True)


def _next(otlp: str) -> tuple[tuple[str, str], ...]:
    """What to try, as commands that work as they stand."""
    moved = "" if otlp.endswith(f":{PORTS['otlp-http']}") else f" --endpoint {otlp}"
    programs = ".venv/bin" if paths.is_checkout() else str(Path(sys.executable).parent)
    return (
        ("ask what broke, with all evidence", f"{programs}/agentobs why -e {_STORY_ENVIRONMENT}"),
        ("break something else", f"{programs}/python -m demo run --scenario prompt-regression{moved}"),
        ("see it on all boards", f"{programs}/agentobs report --since 1h"),
        ("take it down", "make down" if paths.is_checkout() else f"{programs}/agentobs down"),
    )


def _print_addresses(console: safe.Console, endpoints: Mapping[str, str]) -> None:
    table = Table(title="Addresses", title_justify="left", title_style="bold", show_header=False)
    for name, url in sorted(endpoints.items()):
        table.add_row(name.replace("_", " "), url)
    console.print(table)
    steps = Table(title="Next", title_justify="left", title_style="bold", show_header=False)
    for number, (what, command) in enumerate(_next(endpoints["otlp_http"]), 1):
        steps.add_row(str(number), what, command)
    console.print(steps)
