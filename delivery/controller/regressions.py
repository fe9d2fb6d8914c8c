"""What is done about an alert at 100 % stable: a rollback where it names what runs, `why` agrees, and limits allow.

An alert is only a reason to look. What happened with each is kept, also where nothing was done.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from agentobs.contract import Label
from agentobs.errors import AgentobsError
from alerts.catalogue import PROBABLE
from alerts.catalogue.model import DAY, HOUR, MINUTE
from alerts.source import MetricsSource
from delivery.controller.canaries import BY, Canaries, stamp
from delivery.controller.journal import Journal
from delivery.environments.commit import commit
from delivery.environments.library import Library, Place
from delivery.environments.operations import Request, RollBack
from delivery.environments.state import Revision
from delivery.errors import DeliveryError
from delivery.releases import Dim
from delivery.store import Store, StoreError
from runbooks.why.diagnosis import Window, diagnose
from runbooks.why.document import Culprit, Diagnosis, Origin, Status

ACTED_UPON: Final = "VersionRegression"
_CANARY: Final = "CanaryWorse"
_WINDOW_S: Final = 3 * HOUR
_OLD_S: Final = DAY
_PATIENCE_S: Final = 30 * MINUTE
_AHEAD_S: Final = 5 * MINUTE
_ANEW_S: Final = 2 * MINUTE
_log = logging.getLogger(__name__)

Ask = Callable[[str], Diagnosis]
"""Asks `why` about an environment."""


def asking(source: MetricsSource, now: Callable[[], float] = time.time) -> Ask:
    """`why` of the last hours."""

    def ask(environment: str) -> Diagnosis:
        at = now()
        return diagnose(source, Window(start=at - _WINDOW_S, end=at, where={Label.ENVIRONMENT: environment}))

    return ask


class _NotYet(Exception):  # noqa: N818 no failure: it is asked again for half an hour
    """Prometheus does not answer, or `why` does not agree (yet)."""


@dataclass(slots=True)
class Regressions:
    """Alerts that were kept and not dealt with yet."""

    store: Store
    journal: Journal
    canaries: Canaries
    ask: Ask | None
    acts: bool = True
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    outcomes: dict[str, int] = field(default_factory=dict)
    _found: dict[str, tuple[float, Diagnosis]] = field(default_factory=dict)

    def work(self) -> None:
        """Deal with each. Raises StoreError; what was dealt with stays so."""
        done = {*self.journal.names("handled")}
        for key in self.journal.names("alerts"):
            if key not in done:
                self._deal(key)

    def _deal(self, key: str) -> None:
        document = self.journal.get(f"alerts/{key}")
        if document is None:
            return
        try:
            outcome, revision = self._outcome(key, document)
        except _NotYet as error:
            if self._age(document["received"]) < _PATIENCE_S:
                return
            outcome, revision = f"ticket only: {error}", None
        except StoreError:
            raise
        except DeliveryError as error:
            outcome, revision = f"refused: {error}", None
        kind = outcome.partition(":")[0]
        self.outcomes[kind] = self.outcomes.get(kind, 0) + 1
        _log.info("alert %s: %s", document["fingerprint"], json.dumps(outcome))
        more = {"revision": revision} if revision else {}
        self.journal.add(f"handled/{key}", {"outcome": outcome, "at": stamp(self.now()), **more})

    def _outcome(self, key: str, alert: Mapping[str, Any]) -> tuple[str, int | None]:
        labels: Mapping[str, str] = alert["labels"]
        name, age = labels.get("alertname", ""), self._age(alert["startsAt"])
        if alert["status"] == "resolved":
            return "nothing done: it is over", None
        if age > _OLD_S or age < -_AHEAD_S:
            return "nothing done: it did not begin within the last day", None
        if name == _CANARY:
            return "looked: the canary decides by its own counts", None
        if name != ACTED_UPON:
            return f"nothing done: {ACTED_UPON} alone is acted upon", None
        head = self._head(labels.get(Label.ENVIRONMENT, ""))
        if head is None:
            return "ticket only: no release is known of this environment", None
        return self._rolled_back(key, alert, labels, head)

    def _rolled_back(
        self, key: str, alert: Mapping[str, Any], labels: Mapping[str, str], head: Revision
    ) -> tuple[str, int | None]:
        environment, version = head.environment, labels.get("version", "")
        place = place_of(labels)
        running = Library(self.store, environment).running(head.state)
        if place is None or version not in {pin.version for pin in place.pins(running).values()}:
            return "ticket only: the version it names is not one that the stable release pins", None
        if head.canary is not None:
            return f"nothing done: {head.canary.id} is active, and its own counts decide", None
        culprit = self._agreed(environment, place, version)
        agents = tuple(agent for agent in place.users(running) if agent)
        refusal = self.canaries.ledger(environment).refusal(agents)
        if refusal:
            return f"limited: {refusal}: a person decides", None
        if not self.acts:
            return "nothing done: automatic actions are turned off", None
        to = labels.get("previous") or culprit.previous
        reason = f"{ACTED_UPON}: {place.title} {version} is worse than {to}, and `agentobs why` agrees"
        request = Request(
            by=BY, at=stamp(self.now()), via="webhook", reason=reason, alert=alert["fingerprint"], automatic=True,
            id=f"alert-{key}",
        )  # fmt: skip
        done = commit(self.store, environment, RollBack(request=request, place=place, to=to, expect=version))
        if done.changed:
            self.canaries.acted(environment, agents)
        return f"rolled back: {place.title} {version} -> {to}", done.revision.revision

    def _head(self, environment: str) -> Revision | None:
        return self.store.head(environment) if environment in self.store.environments() else None

    def _agreed(self, environment: str, place: Place, version: str) -> Culprit:
        """The culprit of the diagnosis, which is this version, more likely than not. Raises _NotYet for any other."""
        for one in self._diagnosis(environment).hypotheses:
            probable = one.origin is Origin.VERSION and one.confidence >= PROBABLE and one.status is Status.OPEN
            if probable and one.culprit is not None and _names(one.culprit, environment, place, version):
                return one.culprit
        raise _NotYet("`agentobs why` does not blame this version")

    def _diagnosis(self, environment: str) -> Diagnosis:
        """What `why` says, asked at most every two minutes for all alerts of an environment. Raises _NotYet."""
        if self.ask is None:
            raise _NotYet("no Prometheus is configured")
        at, known = self._found.get(environment, (-_ANEW_S, None))
        if known is not None and self.clock() - at < _ANEW_S:
            return known
        try:
            found = self.ask(environment)
        except AgentobsError as error:
            raise _NotYet(str(error)) from None
        self._found[environment] = (self.clock(), found)
        return found

    def _age(self, moment: str) -> float:
        try:
            return self.now() - datetime.fromisoformat(moment).timestamp()
        except (ValueError, OverflowError):
            return float("inf")


def place_of(labels: Mapping[str, str]) -> Place | None:
    """Whose version of what an alert is about; None where it does not say."""
    agent, tool = labels.get(Label.AGENT), labels.get(Label.TOOL)
    match labels.get("dimension"):
        case Dim.PROMPT | Dim.MODEL as dimension if agent:
            return Place(Dim(dimension), agent)
        case Dim.TOOL if tool:
            return Place(Dim.TOOL, None, tool)
        case Dim.GRAPH:
            return Place(Dim.GRAPH)
    return None


def _names(culprit: Culprit, environment: str, place: Place, version: str) -> bool:
    same = (culprit.environment, culprit.dimension, culprit.version) == (environment, place.dimension, version)
    whose = place.agent is None or place.agent in {culprit.agent, *culprit.agents}
    return same and whose and (place.tool is None or culprit.tool == place.tool)
