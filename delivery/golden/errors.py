"""Why a golden dataset could not be run. "Not run" is never green."""

from agentobs.errors import AgentobsError


class GoldenError(AgentobsError):
    """The file and line, what is wrong there, and the fix. A gate that meets it exits 3: not run."""
