"""The policy's file: read as YAML, strictly; read again when it changes, and the last good one kept.

Not here: what is in a policy (`agentobs.guard.document`).
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from agentobs.guard import document
from agentobs.guard.document import Document, PolicyError


class _Loader(yaml.SafeLoader):
    """YAML in which a key stands once: of two rules of one tool, plain YAML takes the later without a word."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Hashable] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, Hashable) and key in seen:
            line = key_node.start_mark.line + 1
            raise yaml.constructor.ConstructorError(None, None, f"line {line}: {key} stands twice; fix: keep one")
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(path: Path) -> Document:
    """Read a policy. Raises PolicyError with every fault: file, key, what was expected, the fix."""
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: cannot be read: {error}; expected a policy, see docs/gateway.md") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise PolicyError(f"{path}: is no YAML: {error}") from None
    return document.read(raw, str(path))


class PolicyFile:
    """The policy that holds now. `reload` takes a changed file, or keeps the last good one and says why."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fault = ""
        self._stamp = self._stamped()
        self.document = load(path)

    def reload(self) -> bool:
        """Take the file if it has changed; return whether another policy holds now. A fault is in `fault`."""
        try:
            stamp = self._stamped()
            if stamp == self._stamp:
                return False
            found = load(self.path)
        except (OSError, PolicyError) as error:
            self.fault = str(error)
            return False
        self._stamp, self.fault = stamp, ""
        changed = found != self.document
        self.document = found
        return changed

    def _stamped(self) -> tuple[int, int, int]:
        try:
            found = self.path.stat()
        except OSError as error:
            raise PolicyError(f"{self.path}: cannot be read: {error}; expected a policy, see docs/gateway.md") from None
        return found.st_mtime_ns, found.st_ino, found.st_size
