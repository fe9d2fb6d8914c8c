"""Model calls within their ceilings: `Guard.model_call` in the place of `emit.model_call`.

Before the call its worst price is held on the task, the agent's day and the fleet's day; after it, what it cost is
settled. A model call never passes an MCP gateway, so this is where an agent is stopped by the kill switch too.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from opentelemetry import baggage

from agentobs import emit
from agentobs.contract import Attr, PolicyAction
from agentobs.emit.scopes import current_task_id
from agentobs.guard.codes import Policy, Refusal, RefusedError
from agentobs.guard.decide import Call, State, decide, killed
from agentobs.guard.document import Ceilings, Document, ToolRule
from agentobs.guard.ledger import Account, Ledger, LedgerError
from agentobs.guard.sparse import Sparse
from agentobs.guard.switch import Stopped, Switch

_MICRO: Final = 1_000_000
_log = logging.getLogger(__name__)


class Prices(Protocol):
    """What model calls cost: the platform's `collector.prices.PriceTable` is one."""

    def cost_usd(  # noqa: PLR0913 the kinds of tokens that are priced apart
        self, model: str, input_tokens: int, output_tokens: int, *, cache_read: int = 0, cache_write: int = 0,
        reasoning: int = 0,
    ) -> float | None:  # fmt: skip
        """Price of a call in US dollars; None for a model without a price."""
        ...


@dataclass(frozen=True)
class PriceList:
    """Prices by model: US dollars per million tokens of input and of output, nothing for what is cached."""

    prices: Mapping[str, tuple[float, float]]

    def cost_usd(  # noqa: PLR0913 see `Prices`
        self, model: str, input_tokens: int, output_tokens: int, *, cache_read: int = 0, cache_write: int = 0,
        reasoning: int = 0,
    ) -> float | None:  # fmt: skip
        """See `Prices`."""
        del cache_read, cache_write, reasoning
        found = self.prices.get(model)
        return None if found is None else (input_tokens * found[0] + output_tokens * found[1]) / _MICRO


@dataclass
class GuardedCall:
    """One model call, while it runs: `emit.ModelCall`, and what it costs."""

    inner: emit.ModelCall
    _guard: "Guard"
    _agent: str
    _model: str
    _worst: int
    spent: int | None = None

    def usage(self, *, input_tokens: int, output_tokens: int, cache_read: int = 0, reasoning: int = 0) -> None:
        """Set token counts; they settle the call at their price."""
        self.inner.usage(
            input_tokens=input_tokens, output_tokens=output_tokens, cache_read=cache_read, reasoning=reasoning
        )
        price = self._guard.prices.cost_usd(
            self._model, input_tokens, output_tokens, cache_read=cache_read, reasoning=reasoning
        )
        self.spent = self._worst if price is None else _micro(price)

    def response_model(self, model: str) -> None:
        """Set the model that answered, when it is not the one that was asked for."""
        self.inner.response_model(model)

    def cost(self, usd: float) -> None:
        """Settle the call at what the provider says; 0 for a call that it refused."""
        self.spent = _micro(usd)

    def check(self) -> None:
        """Between the parts of a streamed answer: raises RefusedError once the agent is stopped."""
        self._guard.check(self._agent)


@dataclass
class Guard:
    """What an agent's process asks before each call. `closed` refuses when the ledger cannot be used."""

    document: Document
    ledger: Ledger
    prices: Prices
    switch: Switch = field(default_factory=Stopped)
    closed: bool = True
    output_limits: Mapping[str, int] = field(default_factory=dict)
    _sparse: Sparse = field(default_factory=Sparse)

    def check(self, agent: str) -> None:
        """Raise RefusedError when an agent is stopped."""
        kill = self.switch.killed(agent)
        if kill:
            raise RefusedError(killed(kill))

    def tool(self, server: str, tool: str, arguments: Mapping[str, Any]) -> ToolRule:
        """What the policy says of a tool call that passes no gateway: a server that is a child of this process.

        Raises RefusedError when the agent is stopped, may not call the tool, or not with these arguments. Rates,
        calls in flight and the time limit of the returned rule are the caller's to keep.
        """
        agent = str(baggage.get_baggage(Attr.AGENT_NAME.value) or "")
        state = State(frozenset({agent}), kill=self.switch.killed(agent, server, tool))
        found = decide(self.document, Call(agent, server, tool, arguments), state)
        if isinstance(found, ToolRule):
            return found
        count = self._sparse.due((agent, server, tool, found.policy))
        if count:
            emit.policy_violation(
                policy_id=found.policy.value, action=PolicyAction.BLOCKED, tool_name=tool, count=count
            )
        raise RefusedError(found)

    @contextmanager
    def model_call(  # noqa: PLR0913 as `emit.model_call`, and what bounds the price
        self,
        model: str,
        provider: str,
        *,
        input_bytes: int,
        max_tokens: int | None = None,
        attempt: int = 0,
        fallback_from: str | None = None,
    ) -> Iterator[GuardedCall]:
        """Wrap one model call. `input_bytes` is the length of what is sent: a token is never less than a byte.

        A call without `usage` or `cost`, one that failed too, is settled at its worst price. A retry is a call of its
        own. Raises RefusedError before anything is sent when a ceiling has no room, a price is unknown or the agent is
        stopped.
        """
        agent = str(baggage.get_baggage(Attr.AGENT_NAME.value) or "")
        try:
            self.check(agent)
            worst = self._worst(agent, model, input_bytes, max_tokens)
            hold = self._reserve(agent, worst)
        except RefusedError as error:
            self._tell(agent, model, error.refusal)
            raise
        call: GuardedCall | None = None
        try:
            with emit.model_call(model, provider, attempt=attempt, fallback_from=fallback_from) as inner:
                call = GuardedCall(inner, self, agent, model, worst)
                yield call
        finally:
            self._settle(hold, worst if call is None or call.spent is None else call.spent)

    def _worst(self, agent: str, model: str, input_bytes: int, max_tokens: int | None) -> int:
        output = max_tokens if max_tokens is not None else self.output_limits.get(model)
        prices = self.prices.cost_usd
        # Writing to a provider's cache may cost more than plain input, thinking more than speaking.
        found = [] if output is None else [
            prices(model, input_bytes, output, cache_write=written, reasoning=thought)
            for written in (0, input_bytes) for thought in (0, output)
        ]  # fmt: skip
        known = [price for price in found if price is not None]
        if known:
            return _micro(max(known))
        unknown = self._ceilings(agent).unknown_price
        if unknown is None:
            what = "most of output tokens" if output is None else "price"
            words = f"{model} has no {what}, so that nobody knows what a call may cost; fix: give it one"
            raise RefusedError(Refusal(Policy.COST, f"{words}, or agents.{agent}.cost_usd.unknown_price", agent))
        return unknown

    def _reserve(self, agent: str, worst: int) -> str | None:
        try:
            return self.ledger.reserve(accounts(self.document, agent, current_task_id()), worst)
        except LedgerError as error:
            if self.closed:
                raise RefusedError(Refusal(Policy.COST, str(error), agent)) from error
            if self._sparse.due("ledger"):
                _log.error("a model call passes without its ceiling: %s", error)
            return None

    def _settle(self, hold: str | None, micro: int) -> None:
        if hold is None:
            return
        try:
            self.ledger.settle(hold, micro)
        except LedgerError:
            return  # it stays held, and its lease settles it at worst

    def _tell(self, agent: str, model: str, refusal: Refusal) -> None:
        count = self._sparse.due((agent, model, refusal.policy))
        if count:
            emit.policy_violation(policy_id=refusal.policy.value, action=PolicyAction.BLOCKED, model=model, count=count)

    def _ceilings(self, agent: str) -> Ceilings:
        rule = self.document.agents.get(agent)
        return rule.cost_usd if rule else Ceilings()


def accounts(document: Document, agent: str, task: str | None) -> list[Account]:
    """The accounts of a call: its task's, its agent's day, the fleet's day. An agent without an entry has no money."""
    rule = document.agents.get(agent)
    cost = rule.cost_usd if rule else Ceilings(task=0, day=0)
    found = [Account(f"agent {agent}", cost.day), Account("fleet", document.fleet_day)]
    return found if task is None else [Account(f"task {task} {agent}", cost.task, daily=False), *found]


def _micro(usd: float) -> int:
    """Rounded up: many small calls must not be free."""
    return max(0, -int(-usd * _MICRO // 1))
