"""The same revision as a flagd document, for agents in languages without `agentobs.pins`.

Callers put `bucket` (1 to 10,000, as `agentobs.pins.bucket` counts it) into the evaluation context. flagd's own
`fractional` is not used: its hash changed between versions and differs between languages, which moves every session.
"""

from typing import Any, Final

from delivery.environments.snapshot import snapshot
from delivery.environments.state import Killed, Revision, Split
from delivery.store import Store

SCHEMA: Final = "https://flagd.dev/schema/v0/flags.json"


def document(revision: Revision, store: Store) -> dict[str, Any]:
    """The flags of a revision. Raises as `snapshot` does."""
    made = snapshot(revision, store)
    tracks: dict[str, Any] = made["tracks"]
    agents = {name: pins for track in tracks.values() for name, pins in track["agents"].items()}
    tools = {tool for pins in agents.values() for tool in pins.get("tools", {})}
    flags = {
        "release": _release({name: track["release"] for name, track in tracks.items()}, revision.canary),
        **{f"agent.{name}.enabled": _enabled(_stopped(revision.killed, agent=name)) for name in sorted(agents)},
        **{f"agent.{name}.limits": _limits(pins) for name, pins in sorted(agents.items())},
        **{f"tool.{name}.enabled": _enabled(_stopped(revision.killed, tool=name)) for name in sorted(tools)},
    }
    return {"$schema": SCHEMA, "metadata": {"revision": revision.revision}, "flags": flags}


def _release(variants: dict[str, str], split: Split | None) -> dict[str, Any]:
    flag: dict[str, Any] = {"state": "ENABLED", "variants": variants, "defaultVariant": "stable"}
    if split is None or split.kind == "shadow":
        return flag
    # A comparison with a missing variable is true in JsonLogic: without `and`, everybody would be in the canary.
    inside = {"and": [{"var": "bucket"}, {"<=": [{"var": "bucket"}, split.share]}]}
    return {**flag, "targeting": {"if": [inside, split.kind.value, "stable"]}}


def _enabled(stopped: bool) -> dict[str, Any]:  # noqa: FBT001 a value, not a switch
    return {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off" if stopped else "on"}


def _limits(pins: dict[str, Any]) -> dict[str, Any]:
    return {"state": "ENABLED", "variants": {"now": pins.get("limits", {})}, "defaultVariant": "now"}


def _stopped(killed: Killed, agent: str = "", tool: str = "") -> bool:
    return killed.everything is not None or agent in killed.agents or tool in killed.tools
