"""`agentobs baseline`: what KPIs were like, recorded as a file; shown; compared with now."""

import getpass
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from agentobs.contract import Label
from alerts.catalogue import CATALOGUE
from runbooks.baseline import (
    Baseline,
    BaselineError,
    Basis,
    Change,
    Comparison,
    Finding,
    Point,
    compare,
    parse,
    record,
)
from runbooks.wording import amount
from stacks.cli import safe
from stacks.cli.options import AsJson, Schema, Since, Stack, Store, Where, print_schema
from stacks.cli.prometheus import Prometheus
from stacks.cli.reach import either
from stacks.cli.show import error_console
from stacks.environments import EnvName

app = typer.Typer(help="KPI baselines: what a release is compared with.", no_args_is_help=True)

FOLDER: Final = Path("baselines")
_TITLES: Final = {kpi.key: (kpi.title, kpi.unit) for kpi in CATALOGUE}
_COLOURS: Final = {
    Finding.WORSE: "bold red",
    Finding.NOT_WORSE: "green",
    Finding.TOO_FEW: "dim",
    Finding.GONE: "yellow",
}
_LOCAL: Final = EnvName.LOCAL

Name = Annotated[
    str, typer.Argument(help="Name of the baseline, or path of its file; a name is baselines/<name>.json.")
]


def file_of(name: str) -> Path:
    """Where a baseline lies: a path as it is, a name below `baselines/`."""
    return Path(name) if name.endswith(".json") or "/" in name else FOLDER / f"{name}.json"


def load(name: str) -> Baseline:
    """Read a baseline. Raises BaselineError that names the file and the fix."""
    path = file_of(name)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise BaselineError(f"there is no baseline {path}; fix: agentobs baseline record {name}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"the baseline {path} cannot be read: {error}") from None
    return parse(text, str(path))


def operator() -> str:
    """Who runs this command, as far as the computer knows."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


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
    path = file_of(name)
    if path.exists() and not replace:
        raise BaselineError(f"{path} exists, and a baseline is a record; fix: another name, or --replace")
    now = time.time()
    with _asked(stack, prometheus) as source, _progress() as tell:
        made = record(
            source,
            name=path.stem,
            environment=environment or str(stack),
            start=now - since,
            end=now,
            by=by or operator(),
            release=release,
            progress=tell,
        )
    _write(path, made.model_dump_json(indent=2) + "\n")
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
        raise typer.BadParameter(f"name a baseline; there are {', '.join(_names()) or 'none in baselines/'}")
    found = load(name)
    if as_json:
        safe.document(found)
    else:
        safe.Console().print(_shown(found))
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
        raise typer.BadParameter(f"name a baseline; there are {', '.join(_names()) or 'none in baselines/'}")
    found = load(name)
    now = time.time()
    with _asked(stack, prometheus) as source:
        made = compare(found, source, now - since, now)
    if as_json:
        safe.document(made)
    else:
        safe.Console().print(_compared(made))
    if made.of(Finding.WORSE):
        raise typer.Exit(1)
    return None


def _names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BaselineError(f"{path} cannot be written: {error.strerror}; fix: another path as name") from None


def _place(labels: dict[str, str]) -> str:
    return " ".join(value for label, value in labels.items() if label != Label.ENVIRONMENT) or "all"


def _shown(found: Baseline) -> Group:
    kpis = Table(title_justify="left", title_style="bold", header_style="cyan", title=_head(found))
    for heading in ("KPI", "of", "value", "95 % interval", "events"):
        kpis.add_column(heading, justify="left" if heading in {"KPI", "of"} else "right")
    for point in found.points:
        title, unit = _TITLES.get(point.kpi, (point.kpi, ""))
        kpis.add_row(
            title, Text(_place(point.labels)), amount(point.value, unit), _interval(point, unit), f"{point.events:,.0f}"
        )
    ran = Table(title="Versions", title_justify="left", title_style="bold", header_style="cyan")
    for heading in ("dimension", "of", "version", "calls"):
        ran.add_column(heading)
    for each in found.versions:
        entity = " ".join(dict.fromkeys(v for k, v in each.entity.items() if k != Label.ENVIRONMENT))
        ran.add_row(each.dimension, Text(entity), Text(each.version), f"{each.calls:,.0f}")
    few = Text(f"Too few events: {'; '.join(found.too_few)}" if found.too_few else "", style="dim")
    return Group(kpis, ran, few)


def _head(found: Baseline) -> str:
    start, end = (time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) for at in (found.window_start, found.window_end))
    release = f", release {found.release}" if found.release else ""
    return f"Baseline {found.name} of {found.environment}{release}: {start} to {end}, by {found.recorded_by}"


def _interval(point: Point, unit: str) -> str:
    if point.low is None or point.high is None:
        return "not known"
    return f"{amount(point.low, unit)} to {amount(point.high, unit)}"


def _compared(made: Comparison) -> Table:
    table = Table(
        title=f"Against {made.before}", title_justify="left", title_style="bold", header_style="cyan", show_edge=False
    )
    for heading in ("", "KPI", "of", "before", "now", "events", "would be seen from"):
        table.add_column(heading, justify="left" if heading in {"", "KPI", "of"} else "right")
    for change in made.changes:
        table.add_row(*_cells(change))
    means = sum(change.test == Basis.MEANS_ONLY for change in made.changes)
    if means:
        table.caption = (
            f"{means} compared as means, where one event that hangs looks like a change: one side has no buckets;"
            " fix: record the baseline again"
        )
    return table


def _cells(change: Change) -> tuple[str | Text, ...]:
    return (
        Text(change.finding, style=_COLOURS[change.finding]),
        change.title,
        Text(_place(change.labels)),
        amount(change.before, change.unit),
        amount(change.after, change.unit),
        f"{change.before_events:,.0f} / {change.after_events:,.0f}",
        f"{change.detectable * 100:.0f} %" if change.detectable is not None else "-",
    )


@contextmanager
def _asked(stack: EnvName, prometheus: str) -> Iterator[Prometheus]:
    """The metrics of a stack, or of the store that was named."""
    with either(stack, ["prometheus"], {"prometheus": prometheus}) as stores:
        yield stores.metrics


@contextmanager
def _progress() -> Iterator[Any]:
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=error_console(),
        transient=True,
    )
    with bar:
        task = bar.add_task("KPIs", total=None)
        yield lambda title, done, total: bar.update(task, description=title, completed=done, total=total)
