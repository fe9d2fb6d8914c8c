"""What a refused call is told: one code and one policy name per reason.

The codes lie where JSON-RPC leaves room to servers; -32020 and below are the protocol's own. A tool that is not allowed
is answered like one that does not exist.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from agentobs.contract.enums import StrEnum
from agentobs.errors import AgentobsError


class Code(IntEnum):
    """JSON-RPC error codes of refusals."""

    UNKNOWN_TOOL = -32602
    IDENTITY = -32010
    RATE = -32011
    TIMEOUT = -32012
    UPSTREAM = -32013
    TOO_LARGE = -32014
    CEILING = -32015
    KILLED = -32016
    BREAKER = -32017
    DRIFT = -32018


class Policy(StrEnum):
    """Values of `agentic.policy.id` that the gateway and the guard write."""

    IDENTITY = "identity"
    KILL = "kill"
    PIN = "pin"
    PERMISSION = "permission"
    ARGUMENTS = "arguments"
    BREAKER = "breaker"
    IN_FLIGHT = "in_flight"
    RATE = "rate"
    COST = "cost"
    TIMEOUT = "timeout"
    UPSTREAM = "upstream"
    SIZE = "size"


CODE_OF: Final[dict[Policy, Code]] = {
    Policy.IDENTITY: Code.IDENTITY,
    Policy.KILL: Code.KILLED,
    Policy.PIN: Code.DRIFT,
    Policy.PERMISSION: Code.UNKNOWN_TOOL,
    Policy.ARGUMENTS: Code.UNKNOWN_TOOL,  # JSON-RPC's own for wrong parameters
    Policy.BREAKER: Code.BREAKER,
    Policy.IN_FLIGHT: Code.RATE,
    Policy.RATE: Code.RATE,
    Policy.COST: Code.CEILING,
    Policy.TIMEOUT: Code.TIMEOUT,
    Policy.UPSTREAM: Code.UPSTREAM,
    Policy.SIZE: Code.TOO_LARGE,
}
FAILURES: Final = frozenset({Policy.TIMEOUT, Policy.UPSTREAM, Policy.SIZE})
"""The tool's own failures; every other policy is a refusal, which says nothing about the tool."""


@dataclass(frozen=True)
class Refusal:
    """Why a call is not made, in words for the caller: which rule (`scope`, `limit`), and when again."""

    policy: Policy
    message: str
    scope: str = ""
    limit: str = ""
    retry_after_s: float | None = None

    @property
    def code(self) -> Code:
        """The JSON-RPC error code."""
        return CODE_OF[self.policy]

    def data(self) -> dict[str, Any]:
        """The `data` of the JSON-RPC error. Of a tool that must not be known it says nothing."""
        if self.policy is Policy.PERMISSION:
            return {}
        data: dict[str, Any] = {"policy": self.policy.value}
        if self.scope:
            data["scope"] = self.scope
        if self.limit:
            data["limit"] = self.limit
        if self.retry_after_s is not None:
            data["retryAfterMs"] = max(1, int(self.retry_after_s * 1000 + 0.999))
        return data


class RefusedError(AgentobsError):
    """A call that a policy refused; `refusal` says which."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
