"""What may go wrong in a way that a person can mend: one message and exit code 1, without a traceback."""

from agentobs.errors import AgentobsError


def is_expected(error: Exception) -> bool:
    """Whether an error names its own fix; any other is a defect of ours, and its traceback is shown."""
    from toolchain import ToolchainError  # noqa: PLC0415 most commands end well and build nothing

    return isinstance(error, AgentobsError | ToolchainError)
