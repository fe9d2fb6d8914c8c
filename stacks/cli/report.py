"""`agentobs report`: the boards, evaluated against the running backends, as one page to read, send or print."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from agentobs.contract import Label
from alerts.alerting import Links
from alerts.catalogue import TASK_SUCCESS
from alerts.promql import duration, increase
from collector.search import SearchError
from dashboards import documents
from dashboards.boards import BOARDS
from dashboards.lib.model import Board
from dashboards.lib.stores import adapted
from dashboards.report import Period, Report, Sources, fitted, render
from stacks.cli import browser, safe
from stacks.cli.options import JaegerUrl, LokiUrl, Since, Stack, Store, TempoUrl, VictoriaLogsUrl, Where
from stacks.cli.prometheus import PrometheusError
from stacks.cli.reach import STORES, Reached, either
from stacks.cli.show import error_console
from stacks.clients import StoreError
from stacks.environments import EnvName

_ERRORS: Final = (PrometheusError, StoreError, SearchError)
_MEGABYTE: Final = 1_000_000


class ReportError(RuntimeError):
    """There is nothing to report on, or it could not be written."""


def sources(stores: Reached) -> Sources:
    """What a report asks; without a store of logs or traces their panels say so."""
    return Sources(metrics=stores.metrics, logs=stores.logs, traces=stores.traces, errors=_ERRORS)


def report(
    stack: Stack = EnvName.LOCAL,
    since: Since = "24h",  # type: ignore[assignment]  # typer parses the default
    environment: Where = "",
    board: Annotated[list[str] | None, typer.Option(help="Only this board; repeatable.")] = None,
    choose: Annotated[
        list[str] | None, typer.Option("--set", metavar="VARIABLE=VALUE", help="Choose as on a board: agent=planner.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
    png: Annotated[bool, typer.Option("--png", help="Also make a picture of each board, with a browser.")] = False,
    runbooks_url: Annotated[str, typer.Option(help="Address below which runbooks lie, one page per alert.")] = "",
    prometheus: Store = "",
    loki: LokiUrl = "",
    victorialogs: VictoriaLogsUrl = "",
    tempo: TempoUrl = "",
    jaeger: JaegerUrl = "",
) -> None:
    """Write all boards with the data of the last hours as one HTML page that needs no network."""
    boards, chosen = wanted(board or []), _chosen(choose or [])
    end = time.time()
    period = Period(start=end - since, end=end)
    named = {"loki": loki, "victorialogs": victorialogs, "tempo": tempo, "jaeger": jaeger}
    with _stores(stack, prometheus, named) as stores:
        chosen["environment"] = environment or _busiest(stores, period)
        made = datetime.fromtimestamp(end, UTC)
        path = output or Path(f"agentobs-report-{_file_name(chosen['environment'])}-{made:%Y%m%dT%H%M%SZ}.html")
        document = write(path, boards, stores, period, chosen, runbooks_url)
    if png:
        for each in boards:
            picture = path.with_name(f"{path.stem}-{each.slug}.png")
            browser.picture(path, picture, each.slug)
            safe.say(f"wrote {picture}")
    if document.failed:
        error_console().print(Text(f"{document.failed} panels show an error instead of data.", "bold yellow"))


def write(
    path: Path,
    boards: Sequence[Board],
    stores: Reached,
    period: Period,
    chosen: Mapping[str, str],
    runbooks_url: str = "",
) -> Report:
    """Write a report of that part of a period of which there is data, and say what is in it.

    Raises ReportError where the file cannot be written.
    """
    began = time.monotonic()
    asked = sources(stores)
    pages = documents.runbooks(Links(runbook=f"{runbooks_url.rstrip('/')}/{{name}}", board="")) if runbooks_url else {}
    with _progress() as tell:
        document = render(
            [adapted(board, stores.kinds) for board in boards],
            asked,
            fitted(asked, period, chosen["environment"]),
            chosen,
            runbooks=pages,
            progress=tell,
            traces_url=stores.trace_link,
            made=period.end,
        )
    _save(path, document.html)
    safe.Console().print(
        f"wrote {path}: {document.with_data} of {document.panels} panels with data, environment"
        f" {chosen['environment']}, {len(document.html.encode()) / _MEGABYTE:.1f} MB, {time.monotonic() - began:.0f} s",
        highlight=False,
        soft_wrap=True,
    )
    return document


def _file_name(environment: str) -> str:
    """The name of an environment as a part of a file's name: no folder, nothing for a shell."""
    return re.sub(r"[^\w.-]+", "-", environment).strip("-.") or "environment"


def _save(path: Path, html: str) -> None:
    """Whole or not at all: a reader may have the old one open."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(html, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ReportError(f"{path} cannot be written: {error.strerror}; fix: --output") from None


def wanted(slugs: Sequence[str]) -> tuple[Board, ...]:
    """The boards of those slugs, all without any. Raises typer.BadParameter."""
    known = {board.slug: board for board in BOARDS}
    unknown = [slug for slug in slugs if slug not in known]
    if unknown:
        raise typer.BadParameter(f"no board is called {', '.join(unknown)}; the boards are {', '.join(known)}")
    return tuple(board for board in BOARDS if not slugs or board.slug in slugs)


def _chosen(pairs: Sequence[str]) -> dict[str, str]:
    known = {variable.name for board in BOARDS for variable in board.variables}
    chosen = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if name not in known or not equals:
            raise typer.BadParameter(f"--set {pair!r}: expected VARIABLE=VALUE with one of {', '.join(sorted(known))}")
        chosen[name] = value
    return chosen


@contextmanager
def _stores(stack: EnvName, prometheus: str, named: Mapping[str, str]) -> Iterator[Reached]:
    """Those that were named; where none was, the stack's. Another Prometheus has no logs and traces in our stores."""
    given = {name: url for name, url in named.items() if url}
    wanted = [*given] if prometheus else STORES
    with either(stack, wanted, {**given, "prometheus": prometheus}) as stores:
        yield stores


def _busiest(stores: Reached, period: Period) -> str:
    """The environment with most tasks; others are named, so that nobody takes one for all.

    From the counter itself: what rules record of the first minute comes a minute late.
    """
    counted = increase(TASK_SUCCESS.denominator, (Label.ENVIRONMENT,), {}, period.seconds)
    samples = stores.metrics.instant(f"{counted} > 0", period.end)
    found = sorted(samples, key=lambda sample: -sample.value)
    if not found:
        raise ReportError(
            f"no task was counted in the last {duration(round(period.seconds))}; look further back with --since, or"
            " name an environment with -e for its platform's panels"
        )
    names = [sample.labels["environment"] for sample in found]
    if names[1:]:
        others = ", ".join(names[1:])
        error_console().print(safe.text(f"environment {names[0]}, the busiest; -e for {others}"))
    return names[0]


@contextmanager
def _progress() -> Iterator[Any]:
    """A bar on standard error."""
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=error_console(),
        transient=True,
    )
    with bar:
        task = bar.add_task("boards", total=None)

        def tell(title: str, done: int, total: int) -> None:
            bar.update(task, description=title, completed=done, total=total)

        yield tell
