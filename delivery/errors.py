"""What can go wrong with a release or with what runs; each names the thing, what was expected, and the fix."""

from agentobs.errors import AgentobsError


class DeliveryError(AgentobsError):
    """A document, a store or an operation that cannot be used. Nothing was changed."""


class RefusedError(DeliveryError):
    """An operation that is not allowed now: its target is unknown, locked or unverified, or the environment frozen."""


class ConflictError(DeliveryError):
    """What the operation was to replace is not there any more: somebody else was first. Look, then try again."""
