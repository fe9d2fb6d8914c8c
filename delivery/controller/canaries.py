"""Every 15 s for each active canary: read the counters of both tracks, decide, keep the decision, then act on it."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from agentobs.errors import AgentobsError
from alerts.source import MetricsSource
from delivery.controller.journal import Journal
from delivery.controller.looks import Look, Looks
from delivery.environments.commit import commit
from delivery.environments.library import Library
from delivery.environments.operations import End, Operation, Promote, Request, Share
from delivery.environments.state import Revision, Split, SplitKind
from delivery.errors import ConflictError, DeliveryError, RefusedError
from delivery.releases.diff import changes
from delivery.rollout import (
    Action,
    Decision,
    Ledger,
    Plan,
    Reading,
    State,
    Tick,
    decide,
    resumed,
)
from delivery.rollout.query import CanaryReader, prove
from delivery.store import Store, StoreError

BY: Final = "release controller"
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Watching:
    """One canary under watch; `waits` says why it cannot be judged yet."""

    split: Split
    plan: Plan | None = None
    reader: CanaryReader | None = None
    state: State | None = None
    decision: Decision | None = None
    began: float = 0.0
    looked: float | None = None
    waits: str = ""
    refused: str = ""
    unanswered_s: float = 0.0


@dataclass(slots=True)
class Canaries:
    """The canaries of all environments. `clock` is monotonic, `now` is wall time for queries and for people."""

    store: Store
    journal: Journal
    source: MetricsSource | None
    promotes: frozenset[str] = frozenset()
    tasks_per_session: float = 6.0
    acts: bool = True
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    watching: dict[str, Watching] = field(default_factory=dict)
    decided: dict[tuple[str, str], int] = field(default_factory=dict)
    _looks: dict[str, Looks] = field(default_factory=dict)
    _ledgers: dict[str, tuple[Ledger, float]] = field(default_factory=dict)

    def look(self, environment: str) -> None:
        """Look at the canary of an environment once, where there is one. Raises DeliveryError."""
        head = self.store.head(environment)
        split = head.canary if head else None
        if head is None or split is None or split.kind is SplitKind.SHADOW:
            self.watching.pop(environment, None)
            return
        watching = self.watching.get(environment)
        if watching is None or watching.split.id != split.id:
            watching = self._begin(head, split)
        watching.split = split
        try:
            self._plan(watching, head)
        except AgentobsError as error:
            watching.waits = str(error)
            self._elapsed(watching)
            return
        watching.waits = ""
        self._decide(watching, head)

    def looks(self, environment: str) -> Looks:
        """What was kept of an environment."""
        return self._looks.setdefault(environment, Looks(self.journal, environment))

    def ledger(self, environment: str) -> Ledger:
        """The automatic actions of an environment, as old as they are by now. Raises StoreError."""
        now = self.clock()
        if environment not in self._ledgers:
            last = self._last(environment)
            known = last.ledger if last else Ledger()
            self._ledgers[environment] = (self._with_later(environment, known, last.revision if last else 0), now)
        ledger, at = self._ledgers[environment]
        aged = ledger.after(max(0.0, now - at))
        self._ledgers[environment] = (aged, now)
        return aged

    def _last(self, environment: str) -> Look | None:
        """The newest look that was kept. One of another version counts as none: what was done limits as if just now."""
        try:
            return self.looks(environment).last()
        except StoreError:
            raise
        except DeliveryError as error:
            _log.warning("%s: %s", environment, json.dumps(str(error)))
            return None

    def acted(self, environment: str, agents: tuple[str, ...]) -> None:
        """Write an automatic action down, for the limits."""
        self._ledgers[environment] = (self.ledger(environment).and_now(agents), self.clock())

    def _with_later(self, environment: str, ledger: Ledger, revision: int) -> Ledger:
        """With what was done after the last look that was kept: as if it were just now, which limits longer."""
        numbers = self.store.numbers(environment)
        for number in numbers[max(revision, len(numbers) - 50) :]:
            operation = self.store.revision(environment, number).operation
            if operation.automatic and operation.kind in {"end", "rollback"}:
                ledger = ledger.and_now(tuple(filter(None, [operation.set.get("agent")])))
        return ledger

    def _begin(self, head: Revision, split: Split) -> Watching:
        known = self.looks(head.environment).last_of(split.id)
        age = known.age_s if known else 0.0
        found = Watching(split=split, state=known.state if known else None, began=self.clock() - age)
        self.watching[head.environment] = found
        return found

    def _plan(self, watching: Watching, head: Revision) -> None:
        """The plan as it was kept, or a new one of what has series now. Raises RefusedError, or as the source does."""
        if watching.plan is not None:
            return
        if self.source is None:
            raise RefusedError("no Prometheus is configured, so nothing is known of this canary")
        looks = self.looks(head.environment)
        plan = looks.plan(watching.split.id) or looks.keep_plan(self._new_plan(watching.split, head, self.source))
        watching.plan = plan
        watching.reader = CanaryReader(self.source, plan)
        watching.state = resumed(plan, watching.split.share, watching.state)

    def _new_plan(self, split: Split, head: Revision, source: MetricsSource) -> Plan:
        library = Library(self.store, head.environment)
        found = changes(library.running(head.state), library.release(split.release))
        return Plan(
            id=split.id,
            environment=head.environment,
            candidate=split.release,
            stable=head.stable.release if head.stable else "",
            began=_unix(split.started, self.now()),
            changes=tuple(found),
            watched=prove(source, head.environment, self.now()).watched,
            tasks_per_session=self.tasks_per_session,
            kind=split.kind,
        )

    def _elapsed(self, watching: Watching) -> float:
        """Seconds since the look before; while there is no plan they count as unanswered."""
        now = self.clock()
        elapsed = now - watching.looked if watching.looked is not None else 0.0
        watching.looked = now
        watching.unanswered_s += elapsed
        return elapsed

    def _decide(self, watching: Watching, head: Revision) -> None:
        plan, state = watching.plan, watching.state
        if plan is None or state is None:
            return
        elapsed = self._elapsed(watching)
        ledger = self.ledger(head.environment)
        tick = Tick(elapsed_s=elapsed, share=watching.split.share, reading=self._reading(watching))
        looked = decide(plan, state, tick, ledger)
        decision = looked.decision
        look = Look(
            split=watching.split.id,
            revision=head.revision,
            age_s=round(self.clock() - watching.began, 3),
            at=stamp(self.now()),
            state=looked.state,
            decision=decision,
            ledger=ledger,
        )
        if not self.looks(head.environment).keep(look):
            _log.warning("another controller looks at %s of %s, too", watching.split.id, head.environment)
            return
        watching.state, watching.decision = looked.state, decision
        watching.unanswered_s = looked.state.unanswered_s
        key = (head.environment, decision.action.value)
        self.decided[key] = self.decided.get(key, 0) + 1
        if self.acts:
            self._act(watching, head, decision, plan)

    def _reading(self, watching: Watching) -> Reading | None:
        if watching.reader is None:
            return None
        try:
            return watching.reader.read(self.now())
        except AgentobsError as error:
            _log.warning("%s cannot be judged now: %s", watching.split.id, json.dumps(str(error)))
            return None

    def _act(self, watching: Watching, head: Revision, decision: Decision, plan: Plan) -> None:
        watching.refused, environment = "", head.environment
        try:
            for operation in self._operations(watching.split, head, decision, plan):
                done = commit(self.store, environment, operation)
                if done.changed and operation.kind == "end" and decision.action is not Action.END:
                    self.acted(environment, plan.agents)
        except ConflictError:
            return  # a person was first
        except StoreError:
            raise
        except (RefusedError, DeliveryError) as error:
            watching.refused = str(error)
            _log.warning("%s: %s", environment, json.dumps(str(error)))

    def _operations(self, split: Split, head: Revision, decision: Decision, plan: Plan) -> list[Operation]:
        """What a decision does. Its id is the same after a restart, so it is done once."""
        environment = head.environment

        def request(step: str) -> Request:
            reason = f"{split.id}: {'; '.join(decision.reasons) or decision.action}"[:2000]
            id_ = f"auto-{environment}-{split.id}-{step}"
            return Request(by=BY, at=stamp(self.now()), via="controller", reason=reason, automatic=True, id=id_)

        match decision.action:
            case Action.ADVANCE:
                share = decision.share
                return [Share(request=request(f"share-{share}-{head.revision}"), split_id=split.id, share=share)]
            case Action.PROMOTABLE if environment in self.promotes:
                return [Promote(request=request("promote"), release=split.release, expect=plan.stable)]
            case Action.END:
                return [End(request=request("end"), split_id=split.id)]
            case Action.ROLL_BACK:
                return [End(request=request("end"), split_id=split.id, lock=True)]
        return []


def stamp(at: float) -> str:
    """A moment as it is written into the history."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _unix(moment: str, otherwise: float) -> float:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return otherwise
