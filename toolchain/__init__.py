"""Finds or makes the pinned native binaries, and the two launchers a self-built Pulumi lacks for Python.

Not here: how the binaries are configured and run. This package imports nothing else of the project.
"""

from toolchain.errors import MissingBinaryError, ToolchainError
from toolchain.make import ensure, require, unobtainable
from toolchain.progress import Reporter

__all__ = ["MissingBinaryError", "Reporter", "ToolchainError", "ensure", "require", "unobtainable"]
