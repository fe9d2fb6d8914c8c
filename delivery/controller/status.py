"""What an environment is doing right now, as one document for programs, the console and `agentobs release status`."""

from collections import Counter
from typing import Any

from delivery.controller.canaries import Watching
from delivery.controller.service import Service
from delivery.environments.state import Revision


def status(service: Service, environment: str) -> dict[str, Any]:
    """The status. Raises DeliveryError where the store cannot be read."""
    head = service.store.head(environment)
    followers = service.followers.of(environment)
    held = Counter(str(one.revision) for one in followers)
    return {
        "environment": environment,
        "revision": head.revision if head else 0,
        "stable": head.stable.content if head and head.stable else None,
        "canary": _canary(head, service.canaries.watching.get(environment)),
        "killed": head.killed.content if head else {},
        "locked": [lock.content for lock in head.locked] if head else [],
        "frozen": head.frozen.content if head and head.frozen else None,
        "agents": {
            "following": len(followers),
            "by_revision": dict(sorted(held.items())),
            "deaf": [_follower(one.instance, one.revision, one.silent_s) for one in followers if one.deaf],
        },
        "effects": {
            "left": {kind: left for (where, kind), left in service.outbox.left.items() if where == environment},
            "errors": dict(service.outbox.errors),
        },
        "errors": [*filter(None, (service.error, service.feed.error))],
    }


def _follower(instance: str, revision: int, silent_s: float) -> dict[str, Any]:
    return {"instance": instance, "revision": revision, "silent_s": round(silent_s)}


def _canary(head: Revision | None, watching: Watching | None) -> dict[str, Any] | None:
    if head is None or head.canary is None:
        return None
    found: dict[str, Any] = {**head.canary.content, "decision": None, "waits": "", "refused": ""}
    if watching is None or watching.split.id != head.canary.id:
        return found
    found.update(waits=watching.waits, refused=watching.refused, unanswered_s=round(watching.unanswered_s))
    if watching.decision is not None:
        found["decision"] = watching.decision.document()
    return found
