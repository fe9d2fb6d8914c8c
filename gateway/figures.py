"""`/metrics`: how the gateway stands, in Prometheus' text form.

Names follow Prometheus; labels are names out of the policy, so that no caller can make series.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from agentobs.guard.ledger import Balance, LedgerError
from gateway.calls import Gate
from gateway.pins import Pins
from gateway.policy import PolicyFile

_PREFIX: Final = "agentobs_gateway_"
_MICRO: Final = 1_000_000
_Key = TypeVar("_Key", bound=tuple[str, ...])
_Sample = tuple[Mapping[str, str], float]


@dataclass(slots=True)
class Figures:
    """What there is to say; read when it is asked for."""

    gate: Gate
    policy: PolicyFile | None = None
    pins: Pins = field(default_factory=Pins)

    def text(self) -> str:
        """All series."""
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        gate = self.gate
        yield from _family(
            "refusals_total",
            "counter",
            "calls that a policy refused",
            _named(gate.teller.counts, "agent", "tool", "policy"),
        )
        yield from _family("calls_total", "counter", "calls that were passed on", _named(gate.calls, "agent", "tool"))
        yield from _family("added_seconds_sum", "counter", "time that the gateway added to calls", [({}, gate.added_s)])
        yield from _family(
            "in_flight", "gauge", "calls that run now",
            _named(Counter((one.call.agent, one.call.name) for one in gate.running), "agent", "tool"),
        )  # fmt: skip
        yield from _family(
            "breaker_open", "gauge", "1 while a tool is left alone after failures",
            [({"tool": tool}, float(is_open)) for tool, is_open in gate.breakers.states().items()],
        )  # fmt: skip
        yield from _family(
            "server_connected", "gauge", "1 while a tool server is connected and answers",
            [({"server": name}, float(one.connected and not one.fault)) for name, one in gate.upstreams.items()],
        )  # fmt: skip
        yield from _family(
            "server_starts_total", "counter", "connections made to a tool server, a child's starts too",
            [({"server": name}, one.starts) for name, one in gate.upstreams.items()],
        )  # fmt: skip
        yield from _family("drift", "gauge", "1 for a tool that is not what was reviewed", self._drift())
        yield from _family("killed", "gauge", "1 for an agent that is stopped", self._killed())
        yield from self._policy()
        yield from self._money()

    def _drift(self) -> Iterator[_Sample]:
        for drifts in self.pins.found.values():
            for server, tool, blocks in sorted({(one.server, one.tool, one.blocks) for one in drifts}):
                yield {"server": server, "tool": tool or "all", "blocks": str(blocks).lower()}, 1

    def _killed(self) -> Iterator[_Sample]:
        for agent in self.gate.document().agents:
            yield {"agent": agent}, float(self.gate.switch.killed(agent) is not None)

    def _policy(self) -> Iterator[str]:
        fault = float(bool(self.policy and self.policy.fault))
        yield from _family(
            "policy_stale", "gauge", "1 while the policy's file is bad and the last good one holds", [({}, fault)]
        )
        digest = hashlib.sha256(repr(self.gate.document()).encode()).hexdigest()[:12]
        yield from _family("policy_info", "gauge", "the policy that holds", [({"sha": digest}, 1)])

    def _money(self) -> Iterator[str]:
        ledger = self.gate.ledger
        if ledger is None:
            return
        try:
            balances, down = ledger.balances(), 0.0
        except LedgerError:
            balances, down = [], 1.0
        yield from _family("ledger_down", "gauge", "1 while the ledger cannot be used", [({}, down)])
        # A task is no label: there is no end of them.
        days = sorted({one.name.rsplit(" ", 1)[-1] for one in balances if one.name.startswith("fleet ")})[-1:]
        today = [one for one in balances if days and one.name.endswith(f" {days[0]}")]
        kinds: tuple[tuple[str, str, Callable[[Balance], int]], ...] = (
            ("spent_usd", "spent today", lambda one: one.spent),
            ("held_usd", "held by calls that run", lambda one: one.held),
        )
        for name, words, amount in kinds:
            samples = [({"account": one.name.rsplit(" ", 1)[0]}, amount(one) / _MICRO) for one in today]
            yield from _family(name, "gauge", f"US dollars {words}", samples)
        document = self.gate.document()
        limits = {f"agent {name}": rule.cost_usd.day for name, rule in document.agents.items()} | {
            "fleet": document.fleet_day
        }
        samples = [({"account": name}, limit / _MICRO) for name, limit in limits.items() if limit is not None]
        yield from _family("ceiling_usd", "gauge", "US dollars that may be spent a day", samples)


def _named(counts: Mapping[_Key, int], *names: str) -> list[_Sample]:
    return [(dict(zip(names, key, strict=True)), count) for key, count in sorted(counts.items())]


def _family(name: str, kind: str, help_text: str, samples: Iterable[_Sample]) -> Iterator[str]:
    lines = [f"{_PREFIX}{name}{_labels(labels)} {value:g}\n" for labels, value in samples]
    if lines:
        yield f"# HELP {_PREFIX}{name} {help_text}\n# TYPE {_PREFIX}{name} {kind}\n"
        yield from lines


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
