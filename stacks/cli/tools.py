"""`agentobs tools`: MCP servers looked at from outside."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from delivery.golden import dataset, files, taping
from delivery.tools import testing
from delivery.tools.verifying import examples
from stacks.cli import safe

app = typer.Typer(help="MCP servers looked at from outside.", no_args_is_help=True)


@app.callback()
def _tools() -> None:
    """Without a callback typer makes the one verb the whole command."""


@app.command("test")
def examine(
    servers: Annotated[Path, typer.Argument(help='The servers: a file {"mcpServers": {...}}.')],
    server: Annotated[list[str] | None, typer.Option("--server", help="Only this one; may be repeated.")] = None,
    dataset_: Annotated[Path | None, typer.Option("--examples", help="A golden dataset: its recorded calls.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Examples of a tool.")] = 5,
    limit: Annotated[float, typer.Option("--limit", min=0.1, help="Seconds that a call may take.")] = 10.0,
    out: Annotated[Path | None, typer.Option("--junit", help="Write JUnit for CI.")] = None,
) -> None:
    """Test what every MCP server owes its callers: schemas, errors, time limits, both eras; exit 1 where one fails."""
    named = taping.servers_of(servers)
    found = dataset.load(dataset_) if dataset_ else None
    failed = 0
    for name in server or named:
        if name not in named:
            raise typer.BadParameter(f"there is no server {name!r}; expected one of {', '.join(named)}")
        calls = [*examples(found, name, most)] if found else []
        plan = testing.Plan(name=name, server=named[name], examples=calls, limit_s=limit)
        outcomes = asyncio.run(testing.examine(plan))
        for each in outcomes:
            if each.problem or each.skipped:
                word = "failed" if each.problem else "skipped"
                safe.say(f"{word} {name}: {each.name}: {each.problem or each.skipped}")
        bad = sum(bool(each.problem) for each in outcomes)
        failed += bad
        safe.say(f"{name}: {len(outcomes)} tests, {bad} failed")
        if out is not None:
            path = out if len(server or named) == 1 else out.with_stem(f"{out.stem}-{name}")
            files.write(path, testing.junit(name, outcomes))
    raise typer.Exit(1 if failed else 0)
