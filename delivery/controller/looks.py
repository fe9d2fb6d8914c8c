"""What was seen and decided at each look at a canary, as it is kept: evidence, decision, and what was done of itself.

A record is kept before anything is done, so that a controller that is killed meanwhile does it after its next start.
Old canaries are looked at more often than kept: a record each twentieth of their age, and one for every new decision.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from delivery.controller.journal import Journal
from delivery.errors import DeliveryError
from delivery.rollout import Decision, Ledger, Plan, State, from_json, to_json
from delivery.store import StoreError

SCHEMA: Final = "agentobs/look/1"
_DIGITS: Final = 8
_THINNED: Final = 20
_MOST_SHOWN: Final = 400
_PLAN: Final = TypeAdapter(Plan)
_LEDGER: Final = TypeAdapter(Ledger)
_DECISION: Final = TypeAdapter(Decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look. `age_s` is the canary's by the controller's clock, `at` is wall time, for people."""

    split: str
    revision: int
    age_s: float
    at: str
    state: State
    decision: Decision
    ledger: Ledger = field(default_factory=Ledger)

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "schema": SCHEMA,
            "split": self.split,
            "revision": self.revision,
            "age_s": self.age_s,
            "at": self.at,
            "state": to_json(self.state),
            "decision": self.decision.document(),
            "ledger": _LEDGER.dump_python(self.ledger, mode="json"),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Look":
        """Read one back. Raises DeliveryError for what is none, as another version may have kept."""
        try:
            return cls(
                split=document["split"],
                revision=document["revision"],
                age_s=document["age_s"],
                at=document["at"],
                state=from_json(document["state"]),
                decision=_DECISION.validate_python(document["decision"]),
                ledger=_LEDGER.validate_python(document["ledger"]),
            )
        except (KeyError, TypeError, ValidationError) as error:
            raise DeliveryError(f"a look at a canary in the store cannot be read: {type(error).__name__}") from None


class Looks:
    """The looks of one environment, in their order."""

    def __init__(self, journal: Journal, environment: str) -> None:
        self._journal = journal
        self._environment = environment
        self._number = 0
        self._kept: Look | None = None

    def keep(self, look: Look) -> bool:
        """Keep a look where it says something new; False where another controller keeps looks of its own.

        Two controllers never act on the same number: who comes second has no record, and does nothing.
        """
        if self._kept is not None and not _is_news(self._kept, look):
            return True
        number = (self._number or self._newest()) + 1
        if not self._journal.add(f"{self._folder}/{number:0{_DIGITS}d}", look.document()):
            self._number = 0
            return False
        self._number, self._kept = number, look
        return True

    def last(self) -> Look | None:
        """The newest, of whatever canary. Raises DeliveryError for one that this version cannot read."""
        return next((Look.of(document) for document in self._journal.newest(self._folder, 1)), None)

    def last_of(self, split: str) -> Look | None:
        """The newest where it is of this canary: what was kept of another one, by whichever version, is no matter."""
        documents = self._journal.newest(self._folder, 1)
        return next((Look.of(document) for document in documents if document.get("split") == split), None)

    def of(self, split: str) -> list[Look]:
        """The looks at one canary, oldest first."""
        return [*reversed([*self._back(split)])]

    def _back(self, split: str) -> Iterator[Look]:
        seen = False
        for document in self._journal.newest(self._folder, _MOST_SHOWN):
            if document.get("split") == split:
                seen = True
                yield Look.of(document)
            elif seen:
                return

    def plan(self, split: str) -> Plan | None:
        """The plan of a canary, None before its first look. Raises StoreError."""
        document = self._journal.get(f"plans/{self._environment}/{split}")
        try:
            return _PLAN.validate_python(document) if document else None
        except ValidationError:
            raise StoreError(f"the plan of {split} in the store cannot be read; fix: end it and start anew") from None

    def keep_plan(self, plan: Plan) -> Plan:
        """Keep a plan for good; the one that was first stays."""
        self._journal.add(f"plans/{self._environment}/{plan.id}", _PLAN.dump_python(plan, mode="json"))
        return self.plan(plan.id) or plan

    @property
    def _folder(self) -> str:
        return f"looks/{self._environment}"

    def _newest(self) -> int:
        names = self._journal.names(self._folder)
        return int(names[-1]) if names else 0


def _is_news(before: Look, now: Look) -> bool:
    """Whether something else is decided or done, or the canary is a twentieth older."""
    said = [(each.split, each.decision.action, each.state.share, len(each.ledger.acted)) for each in (before, now)]
    return said[0] != said[1] or now.age_s - before.age_s >= now.age_s / _THINNED
