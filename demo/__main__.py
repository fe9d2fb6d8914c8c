"""Command line of the demo: `python -m demo run`, `python -m demo scenarios`."""

import asyncio
import json
import logging
import signal
import socket
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from agentobs.emit.destination import DEFAULT_ENDPOINT
from agentobs.errors import AgentobsError
from demo import progress, report
from demo import release as releasing
from demo.crew import Crew
from demo.runner import Options
from demo.scenarios import SCENARIOS
from demo.versions import UnknownVersionError

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def scenarios() -> None:
    """List the scenarios and what each changes."""
    width = max(map(len, SCENARIOS))
    for scenario in SCENARIOS.values():
        typer.echo(f"{scenario.name:<{width}}  {scenario.changes}")


@app.command()
def release(
    folder: Annotated[Path, typer.Argument(help="Where to write it.")],
    scenario: Annotated[str, typer.Option(help="Whose versions; see `scenarios`.")] = "healthy",
) -> None:
    """Write what the support desk ships as a folder for `agentobs release build`."""
    if scenario not in SCENARIOS:
        raise typer.BadParameter(f"unknown scenario {scenario!r}; expected one of {', '.join(SCENARIOS)}")
    releasing.write(folder, scenario)


@app.command()
def run(
    *,
    scenario: Annotated[str, typer.Option(help="What changes; see `scenarios`.")] = "healthy",
    tasks: Annotated[int, typer.Option(min=1, help="How many tasks.")] = 100,
    rate: Annotated[float, typer.Option(min=0, help="Tasks per second, 0 for as fast as possible.")] = 5.0,
    seed: Annotated[int, typer.Option(help="Same seed, same requests and answers.")] = 1,
    endpoint: Annotated[str, typer.Option(help="OTLP/HTTP base address.")] = DEFAULT_ENDPOINT,
    environment: Annotated[str, typer.Option(help="Name of the environment in all telemetry.")] = "local",
    change_at: Annotated[float, typer.Option(min=0, max=1, help="Share of the tasks before the change.")] = 0.5,
    time_scale: Annotated[float, typer.Option(min=0, help="Stretches model and tool latency; 0 for none.")] = 1.0,
    concurrency: Annotated[int, typer.Option(min=1, help="Most tasks at a time, per worker.")] = 40,
    workers: Annotated[int, typer.Option(min=1, help="Processes to share the work.")] = 1,
    content: Annotated[bool, typer.Option("--content/--no-content", help="Record prompts and answers.")] = False,
    truth: Annotated[Path | None, typer.Option(help="Write what really happened to this JSON file.")] = None,
    managed: Annotated[
        str, typer.Option(help="Run what a release says: a snapshot file, or the release controller's address.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print that JSON instead of a summary.")] = False,
) -> None:
    """Run the support desk through a scenario."""
    if scenario not in SCENARIOS:
        raise typer.BadParameter(f"unknown scenario {scenario!r}; expected one of {', '.join(SCENARIOS)}")
    _require_listener(endpoint)
    _quiet_logging()
    options = Options(
        scenario=scenario,
        tasks=tasks,
        rate=rate,
        seed=seed,
        endpoint=endpoint,
        environment=environment,
        change_at=change_at,
        time_scale=time_scale,
        concurrency=concurrency,
        content=content,
        workers=workers,
        managed=managed,
    )
    try:
        document = asyncio.run(_run(options))
    except (RuntimeError, AgentobsError, UnknownVersionError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None
    if truth is not None:
        truth.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    typer.echo(json.dumps(document) if as_json else "\n".join(report.lines(document)))


async def _run(options: Options) -> dict[str, Any]:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    started = time.time()
    async with progress.shown(options.scenario, options.tasks) as on_outcome:
        shares = await Crew(options, on_outcome, stopping).run()
    return report.build(options, shares, started_at=started, ended_at=time.time())


def _quiet_logging() -> None:
    """Errors on stderr, the rest only as telemetry: a level on the root logger would keep it from both."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.ERROR)
    logging.getLogger().addHandler(handler)


def _require_listener(endpoint: str) -> None:
    """Fail before any work when nobody would receive the telemetry."""
    parts = urlsplit(endpoint)
    if parts.hostname is None:
        raise typer.BadParameter(f"--endpoint {endpoint!r} has no host; expected for example {DEFAULT_ENDPOINT}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname, port), timeout=2).close()
    except OSError as error:
        raise typer.BadParameter(
            f"nothing listens at {parts.hostname}:{port} ({error}); start the local stack, or name the OTLP/HTTP "
            "address of a running collector with --endpoint"
        ) from error


if __name__ == "__main__":
    app(prog_name="python -m demo")
