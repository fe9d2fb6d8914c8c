"""What a person sees of releases and of what runs, on a terminal."""

import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from delivery.controller.looks import Look
from delivery.environments.library import Library
from delivery.environments.operations.stops import names
from delivery.environments.preview import Preview
from delivery.environments.state import Revision
from delivery.errors import DeliveryError
from delivery.releases import PromptPin, Release, ToolPin
from delivery.releases.diff import Change
from delivery.releases.tools import breaking
from delivery.rollout import words
from delivery.rollout.guardrails import GUARDRAILS
from delivery.store import Store
from stacks.cli import safe

_SHORT: Final = 12


def release(found: Release) -> RenderableType:
    """Head and a row per agent."""
    graph = found.graph
    lines = [
        safe.text(f"{found.name}  {found.id}", "bold"),
        safe.text(f"by {found.author}; graph {graph.workflow} {graph.version}"),
    ]
    return Group(*lines, _agents(found, found))


def _agents(found: Release, base: Release) -> RichTable:
    """A row per agent; what is another than in `base` is marked."""
    table = _table("", "agent", "prompt", "model", "tools")
    for name, pins in sorted(found.agents.items()):
        own = base.agents[name]
        tools = Text(", ").join(
            _marked(f"{tool} {pin.version}", same=pin == own.tools.get(tool))
            for tool, pin in sorted(pins.tools.items())
        )
        table.add_row(
            safe.text(name),
            _marked(f"{pins.prompt.name} {pins.prompt.version}", same=pins.prompt == own.prompt),
            _marked(pins.model.id, same=pins.model == own.model),
            tools,
        )
    return table


def _marked(value: str, *, same: bool) -> Text:
    return safe.text(value) if same else safe.text(f"{value} (rolled back)", "bold yellow")


def listed(found: Iterable[Release], heads: list[Revision]) -> RenderableType:
    """A row per release."""
    table = _table("", "release", "name", "author", "agents", "runs in")
    for each in sorted(found, key=lambda one: one.name):
        stable = [head.environment for head in heads if head.stable and head.stable.release == each.id]
        tried = [
            f"{head.environment} ({head.canary.kind})"
            for head in heads
            if head.canary and head.canary.release == each.id
        ]
        table.add_row(
            each.id,
            safe.text(each.name),
            safe.text(each.author),
            str(len(each.agents)),
            safe.text(", ".join(stable + tried)),
        )
    return table


def status(head: Revision, store: Store, look: Look | None = None) -> RenderableType:
    """What runs in an environment, and what was decided about its canary at the last look."""
    parts: list[RenderableType] = [
        safe.text(f"{head.environment}, revision {head.revision}", "bold"),
        safe.text(f"last: {_did(head)}", "dim"),
    ]
    if head.stable is not None:
        base = store.release(head.stable.release)
        running = Library(store, head.environment).running(head.state)
        graph = _marked(running.graph.version, same=running.graph == base.graph)
        parts += [Text.assemble(f"stable {base.id} ", safe.text(base.name), ", graph ", graph), _agents(running, base)]
    else:
        parts.append(Text("nothing is promoted yet", "yellow"))
    if head.canary is not None:
        split = head.canary
        parts.append(
            safe.text(
                f"{split.kind} {split.id}: {split.share / 100:g} % of the sessions run {split.release}"
                f" {store.release(split.release).name}, since {_when(split.started)}", "bold",
            )
        )  # fmt: skip
        parts += [*_looked(look)]
    parts += [safe.text(f"killed: {name}", "bold red") for name in names(head.killed)]
    parts += [safe.text(f"locked: {lock.title}, by {lock.mark.by}: {lock.mark.reason}") for lock in head.locked]
    if head.frozen:
        parts.append(
            safe.text(f"frozen by {head.frozen.by} since {_when(head.frozen.at)}: {head.frozen.reason}", "bold")
        )
    return Group(*parts)


def _looked(look: Look | None) -> Iterator[RenderableType]:
    """Counts and evidence of each guardrail, and what is missing for a decision."""
    if look is None:
        yield safe.text("no look at it yet: the release controller looks every 15 s", "dim")
        return
    decision = look.decision
    head = f"{_when(look.at)}: {decision.action}; {decision.sessions:,.0f} sessions, next look at"
    yield safe.text(f"{head} {decision.sessions_needed:,.0f}", "bold")
    yield from (safe.text(f"  {reason}") for reason in decision.reasons)
    yield from (safe.text(f"  missing: {each}") for each in decision.missing if each not in decision.reasons)
    table = _table("", "guardrail", "stable", "canary", "evidence", "needed", "is")
    for one in decision.findings:
        table.add_row(
            safe.text(GUARDRAILS[one.key].kpi.title if one.key in GUARDRAILS else one.key),
            *(f"{side.bad:,.0f} of {side.events:,.0f}" for side in (one.stable, one.canary)),
            words.times(one.e_value),
            f"{one.needed:,.0f}",
            str(one.standing),
        )
    yield table


def history(found: Iterable[Revision]) -> RenderableType:
    """A row per revision, newest first."""
    table = _table("", "no", "when", "who", "what", "why")
    for each in found:
        done = each.operation
        who = f"{done.by}{' (automatic)' if done.automatic else ''}"
        why = f"{done.reason}{f' (alert {done.alert})' if done.alert else ''}"
        what = f"{done.kind} {_set(each)}"
        table.add_row(str(each.revision), _when(done.at), safe.text(who), safe.text(what), safe.text(why))
    return table


def _did(revision: Revision) -> str:
    done = revision.operation
    return f"{done.kind} {_set(revision)} by {done.by}, {_when(done.at)}: {done.reason}"


def _set(revision: Revision) -> str:
    said = revision.operation.set
    if {"from", "to"} <= said.keys():
        rest = [str(value) for key, value in said.items() if key not in {"from", "to"}]
        return " ".join([*rest, f"{said['from']} -> {said['to']}"])
    return " ".join(
        f"{value}" if key in {"release", "agent", "dimension"} else f"{key} {value}" for key, value in said.items()
    )


def preview(found: Preview, environment: str, store: Store) -> RenderableType:
    """What an operation changes for whom, and what is unsafe about it."""
    parts: list[RenderableType] = [safe.text(change.title) for change in found.changes]
    if found.agents:
        parts.append(
            safe.text(f"touches {', '.join(found.agents)}: {found.share * 100:g} % of the sessions of {environment}")
        )
    parts += [safe.text(note, "dim") for note in found.notes]
    parts += [safe.text(f"Mind: {warning}", "bold yellow") for warning in found.warnings]
    parts += [line for change in found.changes for line in _broken(change, store)]
    return Group(*parts)


def changes(found: list[Change], store: Store) -> RenderableType:
    """Every change with its texts."""
    if not found:
        return Text("the same: every pin is equal")
    return Group(*(part for change in found for part in _change(change, store)))


def _change(change: Change, store: Store) -> Iterator[Text]:
    yield safe.text(change.title, "bold")
    yield from _broken(change, store)
    if isinstance(change.before, PromptPin) and isinstance(change.after, PromptPin):
        try:
            old, new = store.text(change.before.sha256), store.text(change.after.sha256)
        except DeliveryError as error:
            yield safe.text(f"  {error}", "yellow")
            return
        for line in [*difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)][2:]:
            yield safe.text(f"  {line}", {"+": "green", "-": "red"}.get(line[:1], "dim"))


def _broken(change: Change, store: Store) -> Iterator[Text]:
    if not isinstance(change.before, ToolPin) or not isinstance(change.after, ToolPin):
        return
    try:
        old, new = (json.loads(store.text(pin.schema_sha256)) for pin in (change.before, change.after))
    except (DeliveryError, ValueError):
        return
    for line in breaking(old, new):
        yield safe.text(f"  breaking: {line}", "bold yellow")


def _when(at: str) -> str:
    """To the second."""
    return f"{at[:19].replace('T', ' ')} UTC" if at.endswith("Z") else at


def _table(title: str, *headings: str) -> RichTable:
    table = RichTable(title=title or None, title_justify="left", header_style="cyan")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
