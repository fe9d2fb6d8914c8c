"""`agentobs golden curate` and `review`: cases from production, and the person who lets them in."""

import time
from pathlib import Path
from typing import Annotated

import typer

from agentobs.contract import ROLE_TASK, Attr
from collector.search import Op, SearchError, SpanSearch, Term
from collector.stores import TraceKind
from delivery.golden import choosing, curating, reviewing
from delivery.golden.dataset import CASES, draft
from stacks import baselines
from stacks.cli import safe
from stacks.cli.options import JaegerUrl, Since, Stack, TempoUrl, Where
from stacks.endpoints import resolve
from stacks.environments import EnvName

Folder = Annotated[Path, typer.Argument(help="The folder of the dataset.")]
_SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Add these verbs."""
    for verb in (curate, review):
        app.command()(verb)


def curate(
    folder: Folder,
    stack: Stack = EnvName.LOCAL,
    environment: Where = "",
    since: Since = "24h",  # type: ignore[assignment]  # typer parses the default
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Drafts to make.")] = 20,
    look_at: Annotated[int, typer.Option("--look-at", min=1, max=5000, help="Traces to choose from.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="The same seed chooses the same traces.")] = 1,
    tempo: TempoUrl = "",
    jaeger: JaegerUrl = "",
) -> None:
    """Make drafts of cases from traces: failures, rare paths, new versions, sure successes, some at random."""
    terms = [Term(Attr.SPAN_ROLE, Op.EQUAL, ROLE_TASK)]
    terms += [Term(Attr.ENVIRONMENT, Op.EQUAL, environment)] if environment else []
    drafts, refused, now = [], [], time.time()
    with resolve(stack, TraceKind, {"tempo": tempo, "jaeger": jaeger}) as stores:
        if stores.traces is None:
            raise SearchError(f"the stack {stack} has no store of traces; name one with --tempo or --jaeger URL")
        for found in stores.traces.find(SpanSearch(terms=tuple(terms)), now - since, now, look_at):
            try:
                drafts.append(curating.draft(found.trace_id, stores.traces.trace(found.trace_id)))
            except curating.RefusedTraceError as error:
                refused.append(f"{found.trace_id}: {error}")
    known = [case.example.provenance.versions for case in draft(folder).cases] if (folder / CASES).exists() else []
    new = reviewing.add(folder, choosing.choose(drafts, count, seed, known))
    for line in refused[:_SHOWN]:
        safe.say(f"refused {line}")
    safe.say(
        f"{new} new drafts from {len(drafts)} traces, {len(refused)} refused; next: agentobs golden review {folder}"
    )
    raise typer.Exit(0 if drafts else 1)


def review(
    folder: Folder,
    case: Annotated[str, typer.Argument(help="A draft to take or drop; without: all are shown.")] = "",
    expected: Annotated[str, typer.Option("--expected", help="What should happen; takes the draft in.")] = "",
    drop: Annotated[bool, typer.Option("--drop", help="Forget the draft.")] = False,
    by: Annotated[str, typer.Option("--by", help="Who reviews; default: this user and computer.")] = "",
) -> None:
    """Show drafts, take one into the dataset with what should happen, or forget it."""
    if case and drop:
        reviewing.drop(folder, case)
        safe.say(f"dropped {case}")
    elif case and expected:
        reviewing.take(folder, case, expected=expected, by=by or baselines.operator())
        safe.say(f"took {case} into {folder / CASES}; freeze a new version when you are done")
    else:
        for each in reviewing.waiting(folder):
            if case in {"", each["id"]}:
                path, tags = " > ".join(each["agent_path_expected"]), ", ".join(each.get("tags", ()))
                safe.say(f"{each['id']} ({tags}): {each['input']}")
                safe.say(f"    agents {path}; tools {', '.join(each['tools_allowed']) or 'none'}")
        safe.say(f"Take one: agentobs golden review {folder} ID --expected '...'; forget one: --drop")
