"""Why prompts could not be looked at."""

from agentobs.errors import AgentobsError


class PromptsError(AgentobsError):
    """The file, what was expected, and the fix."""
