"""What the gateway says of a call: on the span of the request, and as an event when a policy stepped in.

A refusal is told once a second per agent, tool and policy, with how many there were: an agent that loops would
otherwise fill the log store. Not here: the spans themselves, which the MCP SDK makes on both sides.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry import trace

from agentobs import emit
from agentobs.contract import Attr, PolicyAction
from agentobs.guard.codes import FAILURES, Policy, Refusal
from agentobs.guard.decide import Call
from agentobs.guard.document import ToolRule
from agentobs.guard.sparse import Sparse
from gateway.pins import Drift


@dataclass(slots=True)
class Teller:
    """Tells of calls and refusals. `version_of` gives a tool's version: its pin's, so that a change shows."""

    version_of: Callable[[str, str], str] = lambda _server, _tool: ""
    sparse: Sparse = field(default_factory=Sparse)
    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def began(self, call: Call) -> None:
        """Put who calls what on the span of the request."""
        span = trace.get_current_span()
        span.set_attribute(Attr.MCP_SERVER_NAME.value, call.server)
        if call.agent:
            span.set_attribute(Attr.AGENT_NAME.value, call.agent)
        if version := self.version_of(call.server, call.tool):
            span.set_attribute(Attr.TOOL_VERSION.value, version)

    def refused(self, call: Call, refusal: Refusal, *, known: ToolRule | None) -> None:
        """Put the policy on the span; tell of it as an event, unless one was told within the second.

        Of what is not `known` the names are the caller's own: they stay on the span and become no label.
        """
        policy = refusal.policy.value
        span = trace.get_current_span()
        span.set_attribute(Attr.POLICY_ID.value, policy)
        if refusal.policy in FAILURES:
            return
        span.set_attribute(Attr.POLICY_ACTION.value, PolicyAction.BLOCKED.value)
        if known is None:
            self._told_now(("", "", policy), "", "")
        else:
            self._told_now((call.agent, call.name, policy), call.tool, self.version_of(call.server, call.tool))

    def stranger(self) -> None:
        """Tell of a caller who proved nobody; who it said to be is not repeated."""
        self._told_now(("", "", Policy.IDENTITY.value), "", "")

    def _told_now(self, key: tuple[str, str, str], tool: str, version: str) -> None:
        self.counts[key] = self.counts.get(key, 0) + 1
        count = self.sparse.due(key)
        if not count:
            return
        emit.policy_violation(
            policy_id=key[2],
            action=PolicyAction.BLOCKED,
            tool_name=tool or None,
            tool_version=version or None,
            count=count,
        )

    def drifted(self, drift: Drift) -> None:
        """Tell that a tool is not what was reviewed."""
        emit.policy_violation(
            policy_id=Policy.PIN.value,
            action=PolicyAction.BLOCKED if drift.blocks else PolicyAction.FLAGGED,
            severity="high" if drift.rug_pull else "medium",
            tool_name=drift.tool or None,
            tool_version=self.version_of(drift.server, drift.tool) or None,
        )
