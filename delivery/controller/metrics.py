"""The controller's own metrics, in Prometheus' text form."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from agentobs.contract import Label
from alerts.release_metrics import ReleaseMetric
from delivery.controller.followers import Follower
from delivery.controller.service import Service
from delivery.environments.effective import effective
from delivery.environments.state import Revision
from delivery.errors import DeliveryError
from delivery.releases import Dim, Release
from delivery.store import Store

TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
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
    lines += _metric(
        ReleaseMetric.STORE_READABLE, "gauge", "1 where the store of releases can be read.", [({}, readable)]
    )
    decided = (({"environment": e, "action": a}, float(n)) for (e, a), n in sorted(service.canaries.decided.items()))
    lines += _metric(ReleaseMetric.DECISIONS, "counter", "Looks at canaries by what was decided.", decided)
    outcomes = (({"outcome": kind}, float(n)) for kind, n in sorted(service.regressions.outcomes.items()))
    lines += _metric(ReleaseMetric.ALERTS, "counter", "Alerts that were dealt with, by outcome.", outcomes)
    left = (({"environment": e, "kind": k}, float(n)) for (e, k), n in sorted(service.outbox.left.items()))
    lines += _metric(ReleaseMetric.OUTBOX_LEFT, "gauge", "Effects of revisions that are not done yet.", left)
    unanswered = (({"environment": e}, w.unanswered_s) for e, w in sorted(service.canaries.watching.items()))
    lines += _metric(
        ReleaseMetric.CANARY_UNANSWERED, "gauge", "So long the active canary could not be judged.", unanswered
    )
    return "\n".join([*lines, ""])


def _of_environments(service: Service, environments: list[str]) -> Iterator[str]:
    heads = {name: service.store.head(name) for name in environments}
    followers = {name: service.followers.of(name) for name in environments}
    everybody = [one for found in followers.values() for one in found]
    yield from _metric(
        ReleaseMetric.REVISION, "gauge", "The newest revision.",
        (({"environment": name}, float(head.revision if head else 0)) for name, head in heads.items()),
    )  # fmt: skip
    held = Counter((one.environment, str(one.revision)) for one in everybody)
    yield from _metric(
        ReleaseMetric.AGENTS, "gauge", "Agent processes by the revision that they hold.",
        (({"environment": name, "revision": number}, float(count)) for (name, number), count in sorted(held.items())),
    )  # fmt: skip
    yield from _metric(
        ReleaseMetric.DEAF_AGENTS, "gauge", "Agent processes that have not asked for two minutes.",
        (({"environment": name}, float(sum(one.deaf for one in found))) for name, found in followers.items()),
    )  # fmt: skip
    release = {(name, number): _release(service, name, int(number)) for name, number in held}
    yield from _metric(
        ReleaseMetric.INSTANCE_INFO, "gauge", "What each agent process holds.",
        (({**_instance(one), "release": release[one.environment, str(one.revision)], "revision": str(one.revision)}, 1)
         for one in everybody),
    )  # fmt: skip
    yield from _metric(
        ReleaseMetric.INSTANCE_SILENT, "gauge", "Seconds since an agent process asked.",
        ((_instance(one), one.silent_s) for one in everybody),
    )  # fmt: skip
    # What cannot be read ends it here, so it is the last.
    pins = {tuple(pin.items()): pin for head in heads.values() if head for pin in _pins(service.store, head)}
    yield from _metric(
        ReleaseMetric.PIN_INFO, "gauge", "What the releases of both tracks pin.", ((pin, 1) for pin in pins.values()),
    )  # fmt: skip


def _pins(store: Store, head: Revision) -> Iterator[dict[str, str]]:
    """Every pin of the stable release, as it is now, and of the one beside it, with the labels of its versions."""
    stable, beside = head.stable, head.canary
    releases = [effective(store.release(stable.release), stable)] if stable else []
    releases += [store.release(beside.release)] if beside else []
    for release in releases:
        for dimension, version, whose in _versions(release):
            yield {"dimension": dimension, Label.ENVIRONMENT: head.environment, **whose, "version": version}


def _versions(release: Release) -> Iterator[tuple[Dim, str, dict[str, str]]]:
    agent, prompt, tool, workflow = map(str, (Label.AGENT, Label.PROMPT, Label.TOOL, Label.WORKFLOW))
    yield Dim.GRAPH, release.graph.version, {workflow: release.graph.workflow}
    for name, pins in release.agents.items():
        yield Dim.PROMPT, pins.prompt.version, {agent: name, prompt: pins.prompt.name}
        yield Dim.MODEL, pins.model.version, {agent: name}
        yield from ((Dim.TOOL, pin.version, {tool: its_name}) for its_name, pin in pins.tools.items())


def _instance(one: Follower) -> dict[str, str]:
    return {"environment": one.environment, "instance": one.instance}


def _release(service: Service, environment: str, number: int) -> str:
    """The stable release of a revision; empty for none, and for one that this store does not have."""
    try:
        revision = service.store.revision(environment, number) if number else None
    except DeliveryError:
        return ""
    return revision.stable.release if revision and revision.stable else ""


def _metric(name: ReleaseMetric, kind: str, about: str, rows: Rows) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}", *(_line(name, *row) for row in rows)]


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    said = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{said}}} {value:g}" if said else f"{name} {value:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
