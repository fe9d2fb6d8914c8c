"""`agentobs why`: what broke."""

import time
from typing import Annotated

import typer

from collector.stores import TraceKind
from runbooks.why import rollback, text
from runbooks.why.diagnosis import Window, diagnose
from runbooks.why.document import Diagnosis, TraceLink
from stacks.cli import patience, safe, show_why
from stacks.cli.options import AsJson, Schema, Since, Stack, Store, Where, narrowed, print_schema
from stacks.endpoints import resolve_for_metrics
from stacks.environments import EnvName


def why(
    stack: Stack = EnvName.LOCAL,
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
        return print_schema(Diagnosis)
    now = time.time()
    window = Window(start=now - since, end=now, where=narrowed(environment))
    with resolve_for_metrics(stack, ["prometheus", "releases", *TraceKind], {"prometheus": prometheus}) as stores:
        with patience.waiting() as say:
            found = diagnose(
                stores.metrics, window, lambda done, total: say(f"{done} of {total} environments done ...")
            )
        console = stores.urls.get("releases", "") if stores.lasting else ""
        document = with_previews(with_links(found, stores.trace_link), console)
    if as_json:
        safe.document(document)
    elif as_text:
        safe.say(text.plain(document))
    else:
        safe.Console().print(show_why.diagnosis(document))
    return None


def with_links(document: Diagnosis, link: str) -> Diagnosis:
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


def with_previews(document: Diagnosis, console: str) -> Diagnosis:
    """Add where the release console shows what taking a version back would do."""
    made = [
        one.model_copy(update={"preview": rollback.link(one.culprit, console) if one.rollback else ""})
        for one in document.hypotheses
    ]
    return document.model_copy(update={"hypotheses": made})
