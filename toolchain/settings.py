"""What the environment of the caller decides: the cache folder, the allowed sources, the platform."""

import os
import platform
from enum import StrEnum
from pathlib import Path

from toolchain.errors import ToolchainError

CACHE_VARIABLE = "AGENTOBS_CACHE"
SOURCE_VARIABLE = "AGENTOBS_TOOLCHAIN_SOURCE"

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class Source(StrEnum):
    """Where a binary may come from, in the order in which they are asked."""

    PATH = "path"
    CACHE = "cache"
    RELEASE = "release"
    BUILD = "build"


def cache_root() -> Path:
    """Return the folder shared by all checkouts: $AGENTOBS_CACHE, else agentobs/ in the user's cache folder."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME")
    base = Path(shared) if shared else Path.home() / ".cache"
    return base.absolute() / "agentobs"


def toolchain_root() -> Path:
    """Return the part of the cache that this package owns."""
    return cache_root() / "toolchain"


def allowed_sources() -> frozenset[Source]:
    """Return the sources of $AGENTOBS_TOOLCHAIN_SOURCE (comma separated), all of them when it is not set.

    Raises:
        ToolchainError: the variable holds an unknown word.

    """
    words = [word.strip() for word in os.environ.get(SOURCE_VARIABLE, "").split(",") if word.strip()]
    known = {source.value for source in Source}
    if unknown := [word for word in words if word not in known]:
        raise ToolchainError(
            f"{SOURCE_VARIABLE} holds {', '.join(unknown)}: expected a comma separated subset of "
            f"{','.join(source.value for source in Source)}",
        )
    return frozenset(Source(word) for word in words) or frozenset(Source)


def platform_key() -> str:
    """Return this computer as Go writes it, e.g. linux/amd64."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}/{_ARCHITECTURES.get(machine, machine)}"
