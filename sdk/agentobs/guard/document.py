"""The policy: who may call which tool with which arguments, how often, how long, how large, for how much money.

Typed values and their reader. What is not listed is denied. Not here: where a policy lies and who reads it again
(`gateway.policy`), what becomes of a call (`decide`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agentobs.errors import AgentobsError
from agentobs.guard import arguments
from agentobs.guard.arguments import Demand
from agentobs.guard.quantities import Rate, micro_usd, rate, seconds, size, whole
from agentobs.guard.reading import Reader, nearest, text, texts

VERSION: Final = 1
_SERVER: Final = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")


class PolicyError(AgentobsError):
    """A policy that cannot be used: every fault with its key, what was expected and the fix."""


@dataclass(frozen=True)
class ToolRule:
    """What one agent may do with one tool."""

    rate: Rate | None = None
    burst: int | None = None
    in_flight: int = 16
    timeout_s: float = 30.0
    result_bytes: int = 1_000_000
    cost_usd: int = 0
    arguments: Mapping[str, Demand] = field(default_factory=dict)


@dataclass(frozen=True)
class Ceilings:
    """Micro-dollars that an agent may spend per task and per day, and what a call of unknown price holds."""

    task: int | None = None
    day: int | None = None
    unknown_price: int | None = None


@dataclass(frozen=True)
class AgentRule:
    """What one agent may do."""

    tools: Mapping[tuple[str, str], ToolRule] = field(default_factory=dict)
    cost_usd: Ceilings = field(default_factory=Ceilings)


@dataclass(frozen=True)
class Server:
    """A tool server: an address or a command, the version that it should say, and where its credential lies."""

    url: str | None = None
    command: tuple[str, ...] = ()
    version: str | None = None
    credential: str | None = None


@dataclass(frozen=True)
class Issuer:
    """Who signs tokens: the `iss` claim, the audience that a token must be for, and the keys (address or file)."""

    issuer: str
    jwks: str
    audience: str = "agentobs-gateway"


@dataclass(frozen=True)
class Identity:
    """A subject of an issuer, and the agents that it may speak for."""

    issuer: str
    subject: str
    agents: frozenset[str]


@dataclass(frozen=True)
class Breaker:
    """After so many failures in a row a tool is left alone for a while; then one call tries."""

    failures: int = 3
    open_s: float = 30.0


@dataclass(frozen=True)
class Document:
    """A whole policy."""

    servers: Mapping[str, Server] = field(default_factory=dict)
    agents: Mapping[str, AgentRule] = field(default_factory=dict)
    issuers: Mapping[str, Issuer] = field(default_factory=dict)
    identities: tuple[Identity, ...] = ()
    fleet_day: int | None = None
    breaker: Breaker = field(default_factory=Breaker)
    pins: str | None = None

    def rule(self, agent: str, server: str, tool: str) -> ToolRule | None:
        """What an agent may do with a tool; None when it may not call it."""
        granted = self.agents.get(agent)
        return granted.tools.get((server, tool)) if granted else None


def read(raw: object, name: str) -> Document:
    """Read a policy from a parsed document. Raises PolicyError with every fault; `name` is the file's."""
    faults: list[str] = []
    reader = Reader(raw, "", faults)
    if reader.take("version", _version) is None and not faults:
        faults.append(f"version: expected {VERSION}")
    servers = {key: _server(key, each) for key, each in reader.inner("servers").each("a server")}
    issuers = {key: _issuer(each) for key, each in reader.inner("issuers").each("an issuer")}
    agents = {key: _agent(each, servers) for key, each in reader.inner("agents").each("an agent")}
    identities = tuple(_identity(each, issuers, agents) for each in reader.listed("identities"))
    document = Document(
        servers=servers,
        agents=agents,
        issuers=issuers,
        identities=identities,
        fleet_day=_fleet(reader.inner("fleet")),
        breaker=_breaker(reader.inner("breaker")),
        pins=reader.take("pins", text, default=None),
    )
    reader.close()
    if faults:
        raise PolicyError("\n".join(f"{name}: {fault}" for fault in faults))
    return document


def _version(value: object) -> int:
    if value != VERSION or isinstance(value, bool):
        raise ValueError(f"expected {VERSION}, the only version there is")
    return VERSION


def _server(name: str, reader: Reader) -> Server:
    if not _SERVER.fullmatch(name):
        reader.wrong("", "no name of a server; expected small letters, digits, dots and dashes, as it becomes a path")
    server = Server(
        url=reader.take("url", _url, default=None),
        command=reader.take("command", texts, default=()),
        version=reader.take("version", text, default=None),
        credential=reader.take("credential", _variable, default=None),
    )
    if bool(server.url) == bool(server.command):
        reader.wrong("url", "expected either url or command; fix: keep one of them")
    if server.command and server.credential:
        reader.wrong("credential", "is sent as a header, and a command has none; fix: give the command a variable")
    reader.close()
    return server


def _url(value: object) -> str:
    address = text(value)
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", address):
        raise ValueError(
            "expected http:// or https:// with a host and without a user, for example http://orders:8000/mcp"
        )
    return address


def _variable(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
        raise ValueError("expected the name of an environment variable that holds the token, for example ORDERS_TOKEN")
    return value


def _issuer(reader: Reader) -> Issuer:
    issuer = Issuer(
        issuer=reader.take("issuer", text),
        jwks=reader.take("jwks", text),
        audience=reader.take("audience", text, default="agentobs-gateway"),
    )
    reader.close()
    return issuer


def _agent(reader: Reader, servers: Mapping[str, Server]) -> AgentRule:
    tools: dict[tuple[str, str], ToolRule] = {}
    for key, each in reader.inner("tools").each("a tool"):
        server, slash, tool = key.partition("/")
        if not slash or not tool or "*" in key:
            each.wrong("", "no tool; expected server/tool, each tool by its own name")
        elif server not in servers:
            each.wrong("", f"no server is called {server}; {nearest(server, servers)}")
        tools[server, tool] = _tool(each)
    money = reader.inner("cost_usd")
    cost = Ceilings(*(money.take(name, micro_usd, default=None) for name in ("task", "day", "unknown_price")))
    money.close()
    reader.close()
    return AgentRule(tools, cost)


def _tool(reader: Reader) -> ToolRule:
    plain = ToolRule()
    rule = ToolRule(
        rate=reader.take("rate", rate, default=None),
        burst=reader.take("burst", whole, default=None),
        in_flight=reader.take("in_flight", whole, default=plain.in_flight),
        timeout_s=reader.take("timeout", seconds, default=plain.timeout_s),
        result_bytes=reader.take("result", size, default=plain.result_bytes),
        cost_usd=reader.take("cost_usd", micro_usd, default=0),
        arguments={name: arguments.read(each) for name, each in reader.inner("arguments").each("an argument")},
    )
    if rule.burst is not None and not reader.has("rate"):
        reader.wrong("burst", "needs a rate beside it; fix: add rate, for example 20/s")
    reader.close()
    return rule


def _identity(reader: Reader, issuers: Mapping[str, Issuer], agents: Mapping[str, AgentRule]) -> Identity:
    issuer = reader.take("issuer", text)
    if issuer is not None and issuer not in issuers:
        reader.wrong("issuer", f"no issuer is called {issuer}; {nearest(issuer, issuers)}")
    spoken_for = reader.take("agents", texts, default=())
    for name in spoken_for:
        if name not in agents:
            reader.wrong("agents", f"no agent is called {name}; {nearest(name, agents)}")
    identity = Identity(issuer, reader.take("subject", text), frozenset(spoken_for))
    reader.close()
    return identity


def _fleet(reader: Reader) -> int | None:
    money = reader.inner("cost_usd")
    day: int | None = money.take("day", micro_usd, default=None)
    money.close()
    reader.close()
    return day


def _breaker(reader: Reader) -> Breaker:
    plain = Breaker()
    breaker = Breaker(
        failures=reader.take("failures", whole, default=plain.failures),
        open_s=reader.take("open", seconds, default=plain.open_s),
    )
    reader.close()
    return breaker
