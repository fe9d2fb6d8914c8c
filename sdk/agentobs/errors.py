"""The base of every error that a person can mend."""


class AgentobsError(Exception):
    """What went wrong, what was expected, and the fix, in words for a terminal. Nothing is half applied behind it."""
