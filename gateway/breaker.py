"""A breaker per tool: after failures in a row it is left alone for a while, then one call tries.

`purgatory` counts and opens; half open it would let every waiting call through, so the one that tries is ours.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import CLOSED, Context, OpenedState

from agentobs.guard.codes import FAILURES, Policy, Refusal, RefusedError
from agentobs.guard.document import Breaker


@dataclass(slots=True)
class Breakers:
    """The breakers of all tools."""

    settings: Breaker
    _factory: AsyncCircuitBreakerFactory = field(init=False)
    _probing: set[str] = field(default_factory=set)
    _contexts: dict[str, Context] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """One factory with the policy's numbers."""
        self._factory = AsyncCircuitBreakerFactory(self.settings.failures, self.settings.open_s)

    async def open_s(self, tool: str) -> float | None:
        """Seconds until a call of the tool may be tried; None when it may now."""
        context = (await self._factory.get_breaker(tool)).context
        if context.state == CLOSED:
            return None
        left = (context.opened_at or 0.0) + self.settings.open_s - time.time()
        if left > 0:
            return min(left, self.settings.open_s)  # a clock that was set back opens nothing for longer
        return 1.0 if tool in self._probing else None

    def states(self) -> dict[str, bool]:
        """Whether each tool that was called is left alone."""
        return {tool: context.state != CLOSED for tool, context in self._contexts.items()}

    @asynccontextmanager
    async def watch(self, tool: str) -> AsyncIterator[None]:
        """Count how one call ends: the tool's failures count, a caller who leaves and a refusal do not."""
        breaker = await self._factory.get_breaker(tool)
        self._contexts[tool] = breaker.context
        probes = breaker.context.state != CLOSED
        if probes:
            if tool in self._probing:
                raise RefusedError(Refusal(Policy.BREAKER, f"{tool} is tried by another call", tool, "", 1.0))
            self._probing.add(tool)
        failure: RefusedError | None = None
        ended = False
        try:
            try:
                yield
                ended = True
            except RefusedError as error:
                if error.refusal.policy not in FAILURES:
                    raise
                failure = error
                raise
            finally:
                if ended or failure:
                    await self._count(tool, failure)
        finally:
            if probes:
                self._probing.discard(tool)

    async def _count(self, tool: str, failure: RefusedError | None) -> None:
        breaker = await self._factory.get_breaker(tool)
        try:
            async with breaker:
                if failure:
                    raise failure
        except (RefusedError, OpenedState):
            return  # it is on its way to the caller already
