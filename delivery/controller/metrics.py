"""The controller's own metrics, in Prometheus' text form."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from delivery.controller.followers import Follower
from delivery.controller.service import Service
from delivery.errors import DeliveryError

TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_NAME: Final = "agentobs_release"
Rows = Iterable[tuple[Mapping[str, str], float]]


def text(service: Service) -> str:
    """Everything, for one scrape; what needs the store is left out while it cannot be read."""
    lines: list[str] = []
    try:
        environments = sorted({*service.store.environments(), *service.followers.environments()})
        lines += _of_environments(service, environments)
        readable = 1.0
    except DeliveryError:
        readable = 0.0
    lines += _metric("store_readable", "gauge", "1 where the store of releases can be read.", [({}, readable)])
    decided = (({"environment": e, "action": a}, float(n)) for (e, a), n in sorted(service.canaries.decided.items()))
    lines += _metric("decisions_total", "counter", "Looks at canaries by what was decided.", decided)
    outcomes = (({"outcome": kind}, float(n)) for kind, n in sorted(service.regressions.outcomes.items()))
    lines += _metric("alerts_total", "counter", "Alerts that were dealt with, by outcome.", outcomes)
    left = (({"environment": e, "kind": k}, float(n)) for (e, k), n in sorted(service.outbox.left.items()))
    lines += _metric("outbox_left", "gauge", "Effects of revisions that are not done yet.", left)
    unanswered = (({"environment": e}, w.unanswered_s) for e, w in sorted(service.canaries.watching.items()))
    lines += _metric("canary_unanswered_seconds", "gauge", "So long the active canary could not be judged.", unanswered)
    return "\n".join([*lines, ""])


def _of_environments(service: Service, environments: list[str]) -> Iterator[str]:
    heads = {name: service.store.head(name) for name in environments}
    followers = {name: service.followers.of(name) for name in environments}
    everybody = [one for found in followers.values() for one in found]
    yield from _metric(
        "revision", "gauge", "The newest revision.",
        (({"environment": name}, float(head.revision if head else 0)) for name, head in heads.items()),
    )  # fmt: skip
    held = Counter((one.environment, str(one.revision)) for one in everybody)
    yield from _metric(
        "agents", "gauge", "Agent processes by the revision that they hold.",
        (({"environment": name, "revision": number}, float(count)) for (name, number), count in sorted(held.items())),
    )  # fmt: skip
    yield from _metric(
        "deaf_agents", "gauge", "Agent processes that have not asked for two minutes.",
        (({"environment": name}, float(sum(one.deaf for one in found))) for name, found in followers.items()),
    )  # fmt: skip
    release = {(name, number): _release(service, name, int(number)) for name, number in held}
    yield from _metric(
        "instance_info", "gauge", "What each agent process holds.",
        (({**_instance(one), "release": release[one.environment, str(one.revision)], "revision": str(one.revision)}, 1)
         for one in everybody),
    )  # fmt: skip
    yield from _metric(
        "instance_silent_seconds", "gauge", "Seconds since an agent process asked.",
        ((_instance(one), one.silent_s) for one in everybody),
    )  # fmt: skip


def _instance(one: Follower) -> dict[str, str]:
    return {"environment": one.environment, "instance": one.instance}


def _release(service: Service, environment: str, number: int) -> str:
    """The stable release of a revision; empty for none, and for one that this store does not have."""
    try:
        revision = service.store.revision(environment, number) if number else None
    except DeliveryError:
        return ""
    return revision.stable.release if revision and revision.stable else ""


def _metric(name: str, kind: str, about: str, rows: Rows) -> list[str]:
    full = f"{_NAME}_{name}"
    return [f"# HELP {full} {about}", f"# TYPE {full} {kind}", *(_line(full, *row) for row in rows)]


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    said = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{said}}} {value:g}" if said else f"{name} {value:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
