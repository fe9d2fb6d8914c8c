"""`agentobs baseline`: what KPIs were like, recorded as a file; shown; compared with now."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer

from alerts.prometheus import Prometheus
from runbooks.baseline import (
    Baseline,
    BaselineError,
    Comparison,
    Finding,
    compare,
    record,
)
from stacks import baselines
from stacks.cli import safe, show_baseline
from stacks.cli.options import AsJson, Schema, Since, Stack, Store, Where, print_schema
from stacks.cli.progress import progress
from stacks.endpoints import resolve
from stacks.environments import EnvName

app = typer.Typer(help="KPI baselines: what a release is compared with.", no_args_is_help=True)

_LOCAL: Final = EnvName.LOCAL

Name = Annotated[
    str, typer.Argument(help="Name of the baseline, or path of its file; a name is baselines/<name>.json.")
]


@app.command("record")
def record_(
    name: Name = "",
    stack: Stack = _LOCAL,
    since: Since = "24h",  # type: ignore[assignment]  # typer parses the default
    environment: Where = "",
    release: Annotated[str, typer.Option("--release", "-r", help="The release that runs.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who records; default: this user and computer.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace a baseline of this name.")] = False,
    prometheus: Store = "",
    schema: Schema = False,
) -> None:
    """Record KPIs with versions, counts and 95 % intervals of the last hours as a file."""
    if schema:
        return print_schema(Baseline)
    if not name:
        raise typer.BadParameter("give the baseline a name, for example that of the release that runs")
    path = baselines.file_of(name)
    if path.exists() and not replace:
        raise BaselineError(f"{path} exists, and a baseline is a record; fix: another name, or --replace")
    now = time.time()
    with _asked(stack, prometheus) as source, progress("KPIs") as tell:
        made = record(
            source,
            name=path.stem,
            environment=environment or str(stack),
            start=now - since,
            end=now,
            by=by or baselines.operator(),
            release=release,
            progress=tell,
        )
    baselines.save(path, made)
    kpis = len(made.kpis())
    safe.say(
        f"wrote {path}: {kpis} KPIs at {len(made.points)} places, {len(made.versions)} versions;"
        f" {len(made.too_few)} places had too few events"
    )
    safe.say(f"To be told when a KPI gets worse: pulumi config set agentobs:baselineFile {path.resolve()}")
    return None


@app.command()
def show(name: Name = "", as_json: AsJson = False, schema: Schema = False) -> None:
    """Show a baseline: KPIs with intervals, and the versions that ran."""
    if schema:
        return print_schema(Baseline)
    if not name:
        raise typer.BadParameter(f"name a baseline; there are {', '.join(baselines.names()) or 'none in baselines/'}")
    found = baselines.load(name)
    if as_json:
        safe.document(found)
    else:
        safe.Console().print(show_baseline.baseline(found))
    return None


@app.command("compare")
def compare_(
    name: Name = "",
    stack: Stack = _LOCAL,
    since: Since = "1h",  # type: ignore[assignment]  # typer parses the default
    prometheus: Store = "",
    as_json: AsJson = False,
    schema: Schema = False,
) -> None:
    """Compare the last hours with a baseline; exit 1 where a KPI got worse by more than chance and tolerance."""
    if schema:
        return print_schema(Comparison)
    if not name:
        raise typer.BadParameter(f"name a baseline; there are {', '.join(baselines.names()) or 'none in baselines/'}")
    found = baselines.load(name)
    now = time.time()
    with _asked(stack, prometheus) as source:
        made = compare(found, source, now - since, now)
    if as_json:
        safe.document(made)
    else:
        safe.Console().print(show_baseline.comparison(made))
    if made.of(Finding.WORSE):
        raise typer.Exit(1)
    return None


@contextmanager
def _asked(stack: EnvName, prometheus: str) -> Iterator[Prometheus]:
    """The metrics of a stack, or of the store that was named."""
    with resolve(stack, ["prometheus"], {"prometheus": prometheus}) as stores:
        yield stores.metrics
