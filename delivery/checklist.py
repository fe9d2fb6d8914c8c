"""What the history says of a release, as sections of the deployment checklist's evidence: versions, way back."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from delivery.environments.effective import effective
from delivery.environments.operations import Rehearsed
from delivery.environments.state import WHOLE, Revision
from delivery.releases import Release
from delivery.releases.diff import changes
from delivery.store import Store

_COMMANDS: Final = {
    "prompt": "agentobs release rollback {agent} --dimension prompt -e {environment}",
    "model": "agentobs release rollback {agent} --dimension model -e {environment}",
    "tool": "agentobs release rollback --tool {tool} -e {environment}",
    "graph": "agentobs release rollback --dimension graph -e {environment}",
}


def evidence(store: Store, id_: str, environment: str, *, owner: str) -> dict[str, Any]:
    """The sections for a release that is to go to an environment. Raises DeliveryError."""
    release = store.release(id_)
    head = store.head(environment)
    running = effective(store.release(head.stable.release), head.stable) if head and head.stable else None
    rehearsed = _rehearsed(store, id_)
    return {
        "release": release.name,
        "author": release.author,
        "versions": [*_versions(release, running)],
        "rollback": {
            "steps": _steps(release, running, environment),
            "owner": owner,
            **({"rehearsed": rehearsed} if rehearsed else {}),
        },
        **({"canary": canary} if (canary := _canary(store, id_, environment)) else {}),
    }


def _versions(release: Release, running: Release | None) -> Iterator[dict[str, str]]:
    """Every pin once, and what runs of it now."""
    now = dict(_pins(running)) if running else {}
    seen: set[tuple[str, str]] = set()
    for key, version in _pins(release):
        if key not in seen:
            seen.add(key)
            yield {"dimension": key[0], "name": key[1], "version": version, "previous": now.get(key, "")}


def _pins(release: Release) -> Iterator[tuple[tuple[str, str], str]]:
    for name, agent in sorted(release.agents.items()):
        yield ("prompt", agent.prompt.name), agent.prompt.version
        yield ("model", name), agent.model.id
        for tool, pin in sorted(agent.tools.items()):
            yield ("tool", tool), pin.version
    yield ("graph", release.graph.workflow), release.graph.version


def _steps(release: Release, running: Release | None, environment: str) -> dict[str, str]:
    """One command for each dimension that changes: of its first place, the others are alike."""
    found: dict[str, str] = {}
    for change in changes(running, release) if running else []:
        names = {"agent": change.agent, "tool": change.tool, "environment": environment}
        found.setdefault(change.dimension, _COMMANDS[change.dimension].format(**names))
    return found


def _rehearsed(store: Store, id_: str) -> dict[str, Any] | None:
    """The last rehearsal with this release, in whichever environment: when, where, how long the slowest way took."""
    found = [
        {"at": done.at, "environment": environment, "took_s": done.set["took_s"], "by": done.by}
        for environment in store.environments()
        for each in store.history(environment)
        if (done := each.operation).kind == Rehearsed.kind and each.stable is not None and each.stable.release == id_
    ]
    return max(found, key=lambda each: str(each["at"]), default=None)


def _canary(store: Store, id_: str, environment: str) -> dict[str, Any] | None:
    """The canary of this release, and how long it was held."""
    began: Revision | None = None
    until: str | None = None
    for revision in store.history(environment):
        running = revision.canary is not None and revision.canary.release == id_
        if running:
            began, until = revision, until or _now()
        elif began is not None:
            break
        else:
            until = revision.operation.at
    if began is None or began.canary is None or until is None:
        return None
    hours = (_at(until) - _at(began.operation.at)).total_seconds() / 3600
    return {
        "percent": 100 * began.canary.share / WHOLE,
        "hold": f"{hours:.1f}h",
        "aborts_when": ["CanaryWorse", "VersionRegression"],
    }


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()
