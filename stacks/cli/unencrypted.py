"""Secrets that would stand in a stack file in plain text, where they are committed: refused before they are written."""

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic.alias_generators import to_camel

from stacks.cluster.secrets import SECRETS
from stacks.settings import NAMESPACE, Settings
from stacks.workspace import WorkspaceError

_PLAIN: Final = "--plaintext"
_LOCAL: Final = frozenset(map(to_camel, Settings.model_fields))
"""What the stack of this computer takes: its addresses of receivers are no secrets of anybody else."""


def require_secret(words: Sequence[str], *, local: bool) -> None:
    """Refuse `config set` of a secret setting without --secret. Raises WorkspaceError with the fix."""
    for key in _keys(words):
        name = key.strip("[]\"'").removeprefix(f"{NAMESPACE}:").strip("[]\"'").partition(".")[0].partition("[")[0]
        if name in SECRETS and not (local and name in _LOCAL):
            raise WorkspaceError(
                f"{NAMESPACE}:{name} is a secret, {SECRETS[name]}; in plain text everybody reads it who reads the stack"
                f" file. Fix: agentobs pulumi config set --secret {NAMESPACE}:{name}, which asks for the value"
            )


def _keys(words: Sequence[str]) -> Iterator[str]:
    """Keys that a command of Pulumi sets in plain text. Its options may stand anywhere."""
    verbs = [word for word in words if not word.startswith("-")]
    match verbs:
        case ["config", "set", key, *_] if not {"--secret", "--secret=true"} & set(words):
            yield key
        case ["config", "set-all", *_]:
            for place, word in enumerate(words):
                if word == _PLAIN and place + 1 < len(words):
                    yield words[place + 1].partition("=")[0]
                elif word.startswith(f"{_PLAIN}="):
                    yield word.removeprefix(f"{_PLAIN}=").partition("=")[0]
