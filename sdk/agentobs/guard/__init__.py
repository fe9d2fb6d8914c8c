"""Guards: what an agent may do, decided the same way in its own process and in the gateway.

The policy (`document`, `decide`, `codes`) is pure; the kill switch (`switch`) reads one file.
"""

from agentobs.guard.codes import Code, Policy, Refusal, RefusedError
from agentobs.guard.decide import Call, State, decide
from agentobs.guard.document import Document, PolicyError
from agentobs.guard.switch import FileSwitch, Kill, Switch

__all__ = [
    "Call",
    "Code",
    "Document",
    "FileSwitch",
    "Kill",
    "Policy",
    "PolicyError",
    "Refusal",
    "RefusedError",
    "State",
    "Switch",
    "decide",
]
