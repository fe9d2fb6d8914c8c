"""Rates and calls in flight per agent and tool.

GCRA (`throttled-py`): a fixed window would let twice the rate pass at its edge. Not here: what the limits are.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from throttled import MemoryStore, RateLimiterType, Throttled
from throttled.rate_limiter import per_duration

from agentobs.guard.codes import Policy, Refusal, RefusedError
from agentobs.guard.decide import Call
from agentobs.guard.document import ToolRule

_KEYS: Final = 100_000  # the store forgets the oldest beyond it; each is an agent and a tool of the policy


@dataclass(slots=True)
class Limits:
    """What is consumed: taken after everything else has agreed."""

    _store: MemoryStore = field(default_factory=lambda: MemoryStore(options={"MAX_SIZE": _KEYS}))
    _throttles: dict[str, Throttled] = field(default_factory=dict)
    _running: Counter[str] = field(default_factory=Counter)

    def in_flight(self, call: Call) -> int:
        """Calls of this agent and tool that run now."""
        return self._running[_key(call)]

    @contextmanager
    def flying(self, call: Call) -> Iterator[None]:
        """Count one call while it runs."""
        key = _key(call)
        self._running[key] += 1
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]

    def take(self, call: Call, rule: ToolRule) -> None:
        """Take one call from the rate. Raises RefusedError that says when again."""
        if rule.rate is None:
            return
        key = _key(call)
        result = self._throttle(key, rule).limit()
        if result.limited:
            raise RefusedError(
                Refusal(
                    Policy.RATE, f"{call.agent} calls {call.name} more often than {rule.rate}", key, str(rule.rate),
                    max(result.state.retry_after, 0.001),
                )
            )  # fmt: skip

    def _throttle(self, key: str, rule: ToolRule) -> Throttled:
        # By its numbers too: a policy that changes a rate begins anew, one that does not keeps what was taken.
        name = f"{key} {rule.rate} {rule.burst}"
        found = self._throttles.get(name)
        if found is None:
            assert rule.rate is not None  # noqa: S101 asked by `take`
            quota = per_duration(timedelta(seconds=rule.rate.per_s), rule.rate.calls, rule.burst)
            found = Throttled(key=name, using=RateLimiterType.GCRA.value, quota=quota, store=self._store)
            self._throttles[name] = found
        return found


def _key(call: Call) -> str:
    return f"{call.agent} {call.name}"
