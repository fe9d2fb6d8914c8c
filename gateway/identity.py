"""Who calls: the agents that a caller may speak for. On loopback a header says it, elsewhere a signed token.

Which of them makes a call is in the call's own baggage. Headers of a caller never go further than here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from opentelemetry import baggage
from opentelemetry.context import Context

from agentobs.contract import Attr
from agentobs.errors import AgentobsError

HEADER: Final = "x-agentobs-agent"


class IdentityError(AgentobsError):
    """A caller that proves nobody; the message says what was expected, never what was sent."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The agents that a caller may speak for, the one it means when a call does not say, and who it is in a log."""

    agents: frozenset[str]
    subject: str
    meant: str = ""


class Identify(Protocol):
    """How callers are told apart."""

    async def __call__(self, headers: Mapping[str, str], host: str) -> Caller:
        """Who calls. Raises IdentityError."""
        ...


class HeaderIdentity:
    """Whom the header names, for callers of this computer only: no proof of anything."""

    async def __call__(self, headers: Mapping[str, str], host: str) -> Caller:
        """See `Identify`."""
        named = headers.get(HEADER, "").strip()
        asked = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        # A page in a browser may reach this address by a name of its own that it points here.
        if not is_loopback(host) or not (asked == "localhost" or is_loopback(asked)):
            raise IdentityError(f"the header {HEADER} counts on this computer only; expected a token")
        agents = frozenset(filter(None, (each.strip() for each in named.split(","))))
        if not agents:
            raise IdentityError(f"no caller; expected the header {HEADER} with the agent's name")
        return Caller(agents, named, meant(agents, ""))


def is_loopback(host: str) -> bool:
    """Whether an address is this computer's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def meant(agents: frozenset[str], header: str) -> str:
    """The agent of a call that does not name one: the header's choice, or the only one there is."""
    return header or (next(iter(agents)) if len(agents) == 1 else "")


def agent_of(caller: Caller, carried: Context) -> str:
    """The agent that makes a call: the one in its baggage, or the one that its caller means."""
    named: Any = baggage.get_baggage(Attr.AGENT_NAME.value, carried)
    return str(named) if named else caller.meant
