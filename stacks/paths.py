"""Where the project and its state are on this computer. Path arithmetic over two environment variables."""

import os
from pathlib import Path
from typing import Final

from stacks.process import private
from stacks.process.layout import StackDir

HOME_VARIABLE: Final = "AGENTOBS_HOME"
"""Folder for all state of this checkout; default `.agentobs` in the project."""


def project_root() -> Path:
    """Folder that holds Pulumi.yaml."""
    return Path(__file__).resolve().parent.parent


def home() -> Path:
    """State folder: Pulumi backend, passphrase, and one folder per local stack."""
    override = os.environ.get(HOME_VARIABLE)
    return Path(override).expanduser().resolve() if override else project_root() / ".agentobs"


def stack_dir(stack: str) -> StackDir:
    """Folder of one local stack."""
    return StackDir(home() / "stacks" / stack)


def ready() -> Path:
    """The state folder, which nobody else may enter, whatever command comes first. Raises PrivateError."""
    return private.folder(home())
