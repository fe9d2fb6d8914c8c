"""Where the project and its state are on this computer. Path arithmetic over two environment variables."""

import os
from pathlib import Path
from typing import Final

from stacks.process import private
from stacks.process.layout import StackDir

HOME_VARIABLE: Final = "AGENTOBS_HOME"
"""Folder for all state; default `.agentobs` in a checkout, else `agentobs` in the user's data folder."""


def project_root() -> Path:
    """Folder that holds the packages: the checkout, or where they are installed."""
    return Path(__file__).resolve().parent.parent


def is_checkout() -> bool:
    """Whether this runs from a checkout: what is installed from a wheel has no Pulumi.yaml beside it."""
    return (project_root() / "Pulumi.yaml").is_file()


def home() -> Path:
    """State folder: Pulumi backend, passphrase, and one folder per local stack."""
    if override := os.environ.get(HOME_VARIABLE):
        return Path(override).expanduser().resolve()
    if is_checkout():
        return project_root() / ".agentobs"
    shared = os.environ.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path.home() / ".local" / "share").absolute() / "agentobs"


def is_view() -> bool:
    """Whether Pulumi works on a view of the project: where its state was moved, or nobody may write beside the code."""
    return bool(os.environ.get(HOME_VARIABLE)) or not is_checkout()


def project() -> Path:
    """Folder of Pulumi.yaml: the checkout, or a view of the project that keeps its own settings.

    The view is what lets a second stack of the same name run beside the first one, as the tests do.
    """
    return home() / "project" if is_view() else project_root()


def stack_file(stack: str) -> Path:
    """The stack file: what an operator set."""
    return project() / ("." if is_view() else "stacks") / f"Pulumi.{stack}.yaml"


def stack_dir(stack: str) -> StackDir:
    """Folder of one local stack."""
    return StackDir(home() / "stacks" / stack)


def ready() -> Path:
    """The state folder, which nobody else may enter, whatever command comes first. Raises PrivateError."""
    return private.folder(home())
