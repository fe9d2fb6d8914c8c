"""Guards: what an agent may do, decided the same way in its own process and in the gateway.

    guard = Guard(document, Ledger(path), PriceList({"some-model": (0.4, 1.6)}), FileSwitch(switch))
    with emit.task(...), emit.agent("planner"):
        with guard.model_call("some-model", "some-provider", input_bytes=len(body), max_tokens=500) as call:
            call.usage(input_tokens=812, output_tokens=96)

The policy (`document`, `decide`, `codes`) is pure; the kill switch (`switch`) reads a file, the ledger is one.
"""

from agentobs.guard.codes import Code, Policy, Refusal, RefusedError
from agentobs.guard.decide import Call, State, decide
from agentobs.guard.document import Document, PolicyError
from agentobs.guard.ledger import Ledger, LedgerError
from agentobs.guard.models import Guard, PriceList, Prices
from agentobs.guard.release import ReleaseSwitch, Switches
from agentobs.guard.switch import FileSwitch, Kill, Switch

__all__ = [
    "Call",
    "Code",
    "Document",
    "FileSwitch",
    "Guard",
    "Kill",
    "Ledger",
    "LedgerError",
    "Policy",
    "PolicyError",
    "PriceList",
    "Prices",
    "Refusal",
    "RefusedError",
    "ReleaseSwitch",
    "State",
    "Switch",
    "Switches",
    "decide",
]
