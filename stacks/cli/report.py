"""`agentobs report`: the boards, evaluated against the running backends, as one page to read, send or print."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from dashboards.boards import BOARDS
from dashboards.lib.model import Board
from dashboards.report import Period, Report
from stacks import reporting
from stacks.cli import browser, safe
from stacks.cli.options import JaegerUrl, LokiUrl, Since, Stack, Store, TempoUrl, VictoriaLogsUrl, Where
from stacks.cli.progress import progress
from stacks.cli.show import error_console
from stacks.endpoints import STORES, Endpoints, resolve
from stacks.environments import EnvName

_MEGABYTE: Final = 1_000_000


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
    stores: Endpoints,
    period: Period,
    chosen: Mapping[str, str],
    runbooks_url: str = "",
) -> Report:
    """Write a report of that part of a period of which there is data, and say what is in it.

    Raises ReportError where the file cannot be written.
    """
    began = time.monotonic()
    with progress("boards") as tell:
        document = reporting.document(boards, stores, period, chosen, progress=tell, runbooks_url=runbooks_url)
    reporting.save(path, document)
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
def _stores(stack: EnvName, prometheus: str, named: Mapping[str, str]) -> Iterator[Endpoints]:
    """Those that were named; where none was, the stack's. Another Prometheus has no logs and traces in our stores."""
    given = {name: url for name, url in named.items() if url}
    wanted = [*given] if prometheus else STORES
    with resolve(stack, wanted, {**given, "prometheus": prometheus}) as stores:
        yield stores


def _busiest(stores: Endpoints, period: Period) -> str:
    """The environment with most tasks; others are named, so that nobody takes one for all."""
    first, *others = reporting.busiest(stores, period)
    if others:
        error_console().print(safe.text(f"environment {first}, the busiest; -e for {', '.join(others)}"))
    return first
