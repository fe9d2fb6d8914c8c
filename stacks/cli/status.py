"""`agentobs status`: what is going on."""

import time

from runbooks.status import Status, collect
from stacks.cli import safe, show
from stacks.cli.options import AsJson, Schema, Since, Stack, Store, Where, narrowed, print_schema
from stacks.endpoints import resolve_for_metrics
from stacks.environments import EnvName


def status(
    stack: Stack = EnvName.LOCAL,
    since: Since = "15m",  # type: ignore[assignment]  # typer parses the default
    environment: Where = "",
    prometheus: Store = "",
    as_json: AsJson = False,
    schema: Schema = False,
) -> None:
    """Show KPIs per task graph, agent, model and tool, with their versions."""
    if schema:
        return print_schema(Status)
    now = time.time()
    with resolve_for_metrics(stack, ["prometheus"], {"prometheus": prometheus}) as stores:
        document = collect(stores.metrics, now - since, now, narrowed(environment))
    if as_json:
        safe.document(document)
    elif document.is_empty:
        show.error_console().print("Nothing measured in this window. Send OTLP, or look further back with --since.")
    else:
        safe.Console().print(show.status(document))
    return None
