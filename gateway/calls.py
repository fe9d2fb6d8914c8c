"""One call on its way through the gateway: decided, sent within its limits, measured, told.

Order: what decides (`agentobs.guard.decide`), then what consumes (rate, money), then the call. Whatever ends a call
early (time, a kill, a caller who leaves) cancels it at the tool server.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from mcp import MCPError
from mcp.shared.dispatcher import ProgressFnT

from agentobs.guard.codes import Policy, Refusal, RefusedError
from agentobs.guard.decide import Call, State, decide, killed, unknown
from agentobs.guard.document import Document, ToolRule
from agentobs.guard.ledger import Ledger, LedgerError
from agentobs.guard.models import accounts
from agentobs.guard.switch import POLL_S, Kill, Stopped, Switch
from gateway.breaker import Breakers
from gateway.identity import Caller
from gateway.limits import Limits
from gateway.tape import Recorder, failure
from gateway.telemetry import Teller
from gateway.upstream import Upstream

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Running:
    """A call that runs, and how to end it."""

    call: Call
    limit: asyncio.Timeout
    kill: Kill | None = None

    def end(self, kill: Kill) -> None:
        """Let its time be over now."""
        if self.kill is None and not self.limit.expired():  # else its time is over already
            self.kill = kill
            self.limit.reschedule(0)


@dataclass(slots=True)
class Gate:
    """What all calls go through. `document` gives the policy that holds now, `drift` what is wrong with a tool.

    `closed` refuses what costs money while the ledger cannot be used.
    """

    document: Callable[[], Document]
    upstreams: Mapping[str, Upstream]
    switch: Switch = field(default_factory=Stopped)
    drift: Callable[[str, str], str] = lambda _server, _tool: ""
    teller: Teller = field(default_factory=Teller)
    ledger: Ledger | None = None
    closed: bool = True
    recorder: Recorder | None = None
    limits: Limits = field(default_factory=Limits)
    breakers: Breakers = field(init=False)
    running: set[Running] = field(default_factory=set)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    added_s: float = 0.0

    def __post_init__(self) -> None:
        """The breaker's numbers are the policy's."""
        self.breakers = Breakers(self.document().breaker)

    async def call(
        self, call: Call, caller: Caller, params: Mapping[str, Any], progress: ProgressFnT | None
    ) -> dict[str, Any]:
        """Make a call. Raises RefusedError, or the MCPError that the tool server answered."""
        self.teller.began(call)
        began = time.monotonic()
        try:
            result, elsewhere = await self._made(call, caller, params, progress)
        except RefusedError as error:
            self.teller.refused(call, error.refusal, known=self.document().rule(call.agent, call.server, call.tool))
            raise
        self.added_s += time.monotonic() - began - elsewhere
        return result

    async def _made(
        self, call: Call, caller: Caller, params: Mapping[str, Any], progress: ProgressFnT | None
    ) -> tuple[dict[str, Any], float]:
        """The result, and the seconds of it that are the tool server's."""
        rule = await self._admit(call, caller)
        with self.limits.flying(call):
            self.limits.take(call, rule)
            async with self._paid(call, rule), self.breakers.watch(call.name), self._endable(call, rule):
                self.calls[call.agent, call.name] += 1
                began = time.monotonic()
                result = await self._asked(call, params, progress)
                elsewhere = time.monotonic() - began
                _measure(result, call, rule)
                return result, elsewhere

    async def _asked(self, call: Call, params: Mapping[str, Any], progress: ProgressFnT | None) -> dict[str, Any]:
        """Ask the tool server, and note it where a tape runs."""
        upstream = self.upstreams[call.server]
        if self.recorder is None:
            return await upstream.call(params, progress)
        began = time.monotonic()
        ended: dict[str, Any] = {}
        try:
            ended["result"] = await upstream.call(params, progress)
        except RefusedError as error:
            ended["error"] = failure(int(error.refusal.code), error.refusal.message, error.refusal.data())
            raise
        except MCPError as error:
            ended["error"] = failure(error.error.code, error.error.message, error.error.data)
            raise
        finally:
            if ended:
                took = round((time.monotonic() - began) * 1000, 1)
                self.recorder.called(call.server, call.tool, call.arguments, ms=took, **ended)
        return dict(ended["result"])

    def visible(self, server: str, agent: str, caller: Caller) -> list[Mapping[str, Any]]:
        """The tools of a server that an agent may call, as the server defines them."""
        upstream = self.upstreams[server]
        if agent not in caller.agents:
            return []
        return [
            tool
            for tool in upstream.listing.tools
            if self.document().rule(agent, server, str(tool.get("name")))
            and not self.drift(server, str(tool.get("name")))
        ]

    async def watch_kills(self) -> None:
        """End running calls of what is stopped, four times a second."""
        while True:
            await asyncio.sleep(POLL_S)
            for one in tuple(self.running):
                kill = self.switch.killed(one.call.agent, one.call.server, one.call.tool)
                if kill:
                    one.end(kill)

    async def _admit(self, call: Call, caller: Caller) -> ToolRule:
        document = self.document()
        if call.server not in self.upstreams:
            raise RefusedError(unknown(call.tool))
        known = document.rule(call.agent, call.server, call.tool)
        # Asked first: from here until the call counts as running nothing waits, so that no two take the last place.
        open_s = await self.breakers.open_s(call.name) if known else None
        state = State(
            agents=caller.agents,
            kill=self.switch.killed(call.agent, call.server, call.tool),
            drift=self.drift(call.server, call.tool),
            breaker_open_s=open_s,
            in_flight=self.limits.in_flight(call),
        )
        found = decide(document, call, state)
        if isinstance(found, Refusal):
            raise RefusedError(found)
        return found

    @asynccontextmanager
    async def _paid(self, call: Call, rule: ToolRule) -> AsyncIterator[None]:
        """Hold what a tool costs while it runs. Once it was called it is paid, however it ends."""
        hold = await self._reserve(call, rule, self.ledger) if rule.cost_usd and self.ledger else None
        try:
            yield
        finally:
            if hold and self.ledger:
                with contextlib.suppress(LedgerError):  # it stays held, and its lease settles it
                    self.ledger.settle(hold, rule.cost_usd)

    async def _reserve(self, call: Call, rule: ToolRule, ledger: Ledger) -> str | None:
        held_on = accounts(self.document(), call.agent, None)
        try:
            # Another process may keep us waiting, and nobody else shall wait for that.
            return await asyncio.to_thread(ledger.reserve, held_on, rule.cost_usd)
        except LedgerError as error:
            _log.error("%s", error)
            if self.closed:
                raise RefusedError(Refusal(Policy.COST, "the ledger cannot be used", call.agent)) from error
            return None

    @asynccontextmanager
    async def _endable(self, call: Call, rule: ToolRule) -> AsyncIterator[None]:
        """The hard time limit, which no news of progress moves, and the kill switch's hold on the call."""
        limit = asyncio.timeout(rule.timeout_s)
        one = Running(call, limit)
        try:
            async with limit:
                self.running.add(one)
                yield
                return
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            self.running.discard(one)
        if one.kill:
            raise RefusedError(killed(one.kill))
        raise RefusedError(
            Refusal(
                Policy.TIMEOUT,
                f"{call.name} did not end within {rule.timeout_s:g} s",
                call.name,
                f"{rule.timeout_s:g}s",
            )
        )


def _measure(result: Mapping[str, Any], call: Call, rule: ToolRule) -> None:
    size = len(json.dumps(result, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"))
    if size > rule.result_bytes:
        raise RefusedError(
            Refusal(
                Policy.SIZE, f"{call.name} returned {size} bytes; at most {rule.result_bytes} are passed on",
                call.name, str(rule.result_bytes),
            )
        )  # fmt: skip
