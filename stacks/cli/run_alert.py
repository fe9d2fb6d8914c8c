"""`agentobs runbooks run`: what is typed when an alert fires, as its message says."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from alerts.source import MetricsSource
from collector.stores import LogKind, TraceKind
from runbooks import run as quick
from runbooks.run import Asked, Named, Run, Sources
from stacks.cli import safe, show, show_run
from stacks.cli.errors import is_expected
from stacks.cli.options import (
    AsJson,
    JaegerUrl,
    LokiUrl,
    Schema,
    Since,
    Stack,
    Store,
    TempoUrl,
    VictoriaLogsUrl,
    Where,
    narrowed,
    print_schema,
)
from stacks.clients import STORE_ERRORS
from stacks.endpoints import Endpoints, resolve_for_metrics
from stacks.environments import ENVIRONMENTS, EnvName

_WANTED = ["prometheus", *TraceKind, *LogKind]


def run(
    alert: Annotated[str, typer.Argument(metavar="[ALERT]", help="Which alert, as its message names it.")] = "",
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[LABEL=VALUE]...", help="Its labels, as tool_name=order_lookup.")
    ] = None,
    stack: Stack = EnvName.LOCAL,
    environment: Where = "",
    since: Since = "1h",  # type: ignore[assignment]  # typer parses the default
    prometheus: Store = "",
    tempo: TempoUrl = "",
    jaeger: JaegerUrl = "",
    loki: LokiUrl = "",
    victorialogs: VictoriaLogsUrl = "",
    as_json: AsJson = False,
    schema: Schema = False,
) -> None:
    """Run the quick checks of an alert's page with its labels filled in, ask for the diagnosis, say what to type next.

    Exit code: 0 it ran and nothing is wrong, 1 the alert's condition holds or the diagnosis found something that got
    worse, 2 it could not be asked: an unknown alert or label, or a store that does not answer while nothing wrong was
    found.
    """
    if schema:
        print_schema(Run)
        return
    urls = {"prometheus": prometheus, "tempo": tempo, "jaeger": jaeger, "loki": loki, "victorialogs": victorialogs}
    with _refusals(), show_run.progress() as tell:
        named = quick.named(alert, environment, words or ())
        with resolve_for_metrics(stack, _WANTED, urls) as stores:
            found = _found(named, stores, since, environment, tell)
    found = quick.onward(found, "" if ENVIRONMENTS[stack].cluster is None else str(stack))
    if as_json:
        safe.document(found)
    else:
        safe.Console().print(show_run.run(found))
    raise typer.Exit(1 if found.is_wrong else 0 if found.is_whole else 2)


@contextmanager
def _refusals() -> Iterator[None]:
    """What cannot be asked at all ends with 2, for 1 says that something is wrong with the system."""
    try:
        yield
    except Exception as error:
        if not is_expected(error):
            raise
        show.error_console().print(show.failure(error), soft_wrap=True)
        raise typer.Exit(2) from None


def _found(named: Named, stores: Endpoints, since: float, environment: str, tell: show_run.Tell) -> Run:
    now = time.time()
    sources = Sources(metrics=stores.metrics, traces=stores.traces, logs=stores.logs, errors=STORE_ERRORS)
    steps = quick.ask(named, sources, Asked(at=now, since=now - since), tell)
    tell("the diagnosis", len(steps), len(steps))
    found = Run(alert=named.alert, labels=named.given, at=now, steps=steps, diagnosis=None)
    where = environment or named.labels.get("environment", "")
    return found.model_copy(update=_diagnosed(stores.metrics, stores.trace_link, now - since, now, where))


def _diagnosed(metrics: MetricsSource, link: str, start: float, end: float, environment: str) -> dict[str, object]:
    """The diagnosis as `agentobs why` makes it, or why there is none."""
    # Not at the top: statistics take longer to import than all that the other verbs of runbooks need.
    from runbooks.why.diagnosis import Window, diagnose  # noqa: PLC0415
    from stacks.cli.why import with_links  # noqa: PLC0415

    window = Window(start=start, end=end, where=narrowed(environment))
    try:
        return {"diagnosis": with_links(diagnose(metrics, window), link)}
    except STORE_ERRORS as error:
        return {"undiagnosed": " ".join(str(error).split())}
