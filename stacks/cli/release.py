"""`agentobs release`: what each agent runs, by version; build it, promote it, try it, take it back, stop it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from delivery.environments import flagd
from delivery.errors import RefusedError
from delivery.releases import Release, checks, diff, document
from delivery.releases import build as building
from stacks import baselines, releases
from stacks.cli import release_change, release_evidence, release_ops, release_run, release_share, safe, show_release
from stacks.cli.options import AsJson, Schema, Stack, print_schema
from stacks.cli.release_options import Environment, StoreFolder
from stacks.environments import EnvName

app = typer.Typer(
    help="What each agent runs, by version: build, promote, try, take back, stop, and who did it.", no_args_is_help=True
)
release_change.add_to(app)
release_ops.add_to(app)
release_share.add_to(app)
release_evidence.add_to(app)


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(help="Folder with release.yaml, prompts/, tools/, graph.yaml.")] = Path(),
    name: Annotated[str, typer.Option("--name", help="Its name; default: as release.yaml says.")] = "",
    by: Annotated[str, typer.Option("--by", help="Its author; default: as release.yaml says, or this user.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Build it and keep nothing.")] = False,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    as_json: AsJson = False,
    schema: Schema = False,
) -> None:
    """Pin every version by digest and keep the release; the same content has the same id."""
    if schema:
        return print_schema(Release)
    made = building.build(folder, author=by or baselines.operator(), name=name or None)
    if not dry_run:
        with releases.of_stack(stack, store) as place:
            place.store.add_release(made.release, dict(made.texts))
    if as_json:
        safe.document(made.release.spelled.decode())
    else:
        safe.Console().print(show_release.release(made.release))
        safe.say(f"{'built' if dry_run else 'kept'} {made.release.id}")
    for warning in checks.warnings(made.release, made.texts):
        safe.say(f"mind: {warning}")
    return None


@app.command("list")
def list_(
    ids: Annotated[bool, typer.Option("--ids", help="Print ids only, for another program.")] = False,
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
) -> None:
    """Show the releases that are kept, and where each runs."""
    with releases.of_stack(stack, store) as place:
        heads = [head for each in place.store.environments() if (head := place.store.head(each))]
        found = [place.store.release(id_) for id_ in place.store.releases()]
    if ids:
        safe.say("\n".join(each.id for each in sorted(found, key=lambda one: one.name)))
        return
    if not found:
        safe.say("no release is kept yet; start with: agentobs release build FOLDER")
        return
    safe.Console().print(show_release.listed(found, heads))


@app.command()
def show(
    release: Annotated[str, typer.Argument(help="Id of a release.")] = "",
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    as_json: AsJson = False,
    schema: Schema = False,
) -> None:
    """Show a release: four dimensions of every agent."""
    if schema:
        return print_schema(Release)
    with releases.of_stack(stack, store) as place:
        found = place.store.release(release)
    if as_json:
        safe.document(found.spelled.decode())
    else:
        safe.Console().print(show_release.release(found))
    return None


@app.command("diff")
def diff_(
    before: Annotated[str, typer.Argument(help="Id of a release, or an environment for what runs there.")],
    after: Annotated[str, typer.Argument(help="Likewise.")],
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
) -> None:
    """Show what two releases differ in: versions, prompt texts line by line, what breaks in tools' schemas."""
    with releases.of_stack(stack, store) as place:
        old, new = (release_run.named(place.store, each) for each in (before, after))
        found = diff.changes(old, new)
        safe.Console().print(show_release.changes(found, place.store))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A release as JSON, or a folder to build one of.")],
) -> None:
    """Check a release's file, or whether a folder builds; exit 1 with file, key and fix where not."""
    if file.is_dir() or file.suffix in {".yaml", ".yml"}:
        made = building.build(file, author=baselines.operator())
        release, texts = made.release, made.texts
    else:
        release, texts = document.parse(file.read_bytes() if file.is_file() else b"", str(file)), {}
    found = checks.warnings(release, texts)
    for warning in found:
        safe.say(f"mind: {warning}")
    safe.say(f"{release.id} is a release of {len(release.agents)} agents; {len(found)} warnings")


@app.command()
def history(
    environment: Environment = "",
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    last: Annotated[int, typer.Option("--last", min=1, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show who changed what, when, why, and because of which alert; the chain of digests is checked."""
    where = environment or str(stack)
    with releases.of_stack(stack, store) as place:
        found = [*place.store.history(where)]
    if as_json:
        for revision in found[:last]:
            safe.document(revision.spelled.decode().rstrip())
    elif not found:
        safe.say(f"nothing was ever promoted to {where}")
    else:
        safe.Console().print(show_release.history(found[:last]))


@app.command()
def status(
    environment: Environment = "",
    stack: Stack = EnvName.LOCAL,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show what runs: releases, versions per agent, canary, what is killed, locked, frozen."""
    where = environment or str(stack)
    with releases.of_stack(stack, store) as place:
        head = place.store.head(where)
        if as_json:
            safe.document(head.spelled.decode() if head else "null")
        elif head is None:
            safe.say(f"nothing runs in {where} yet; fix: agentobs release promote RELEASE -e {where}")
        else:
            look = place.look(where, head.canary.id) if head.canary else None
            safe.Console().print(show_release.status(head, place.store, look))


@app.command()
def flags(environment: Environment = "", stack: Stack = EnvName.LOCAL, store: StoreFolder = None) -> None:
    """Print what runs as a flagd document, for agents in languages without `agentobs.pins`."""
    where = environment or str(stack)
    with releases.of_stack(stack, store) as place:
        head = place.store.head(where)
        if head is None:
            raise RefusedError(f"nothing runs in {where} yet; fix: agentobs release promote RELEASE -e {where}")
        safe.document(json.dumps(flagd.document(head, place.store), indent=2))
