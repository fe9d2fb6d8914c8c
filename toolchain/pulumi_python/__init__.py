"""Python support for a Pulumi without it: official installs ship a language host, a build from source does not.

Two small executables fill the gap: `pulumi-language-python` (`language_host.py`, which runs each program and policy
pack with `program.py`) and `pulumi-resource-pulumi-python`, which runs dynamic providers. An official Pulumi is used
untouched.
"""

import os
import shlex
import shutil
from pathlib import Path

__all__ = ["launchers", "needs_launchers"]

LANGUAGE_HOST = "pulumi-language-python"
DYNAMIC_PROVIDER = "pulumi-resource-pulumi-python"


def needs_launchers(pulumi: Path) -> bool:
    """Return whether this Pulumi finds no Python language host, neither beside itself nor on PATH."""
    beside = pulumi.resolve().parent / LANGUAGE_HOST
    return not beside.exists() and shutil.which(LANGUAGE_HOST) is None


def launchers(directory: Path, python: Path, pulumi: Path | None = None) -> Path:
    """Write the two executables into `directory`, which the caller puts first on PATH, and return it.

    `python` runs the host, the programs and the dynamic providers: it must be able to import `pulumi`.
    With `pulumi` given, that binary is placed there too (as a hard link where possible): Pulumi takes a language host
    beside itself as its own, and warns on every command about one that is only on PATH.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # The path as given, not resolved: the python of a virtual environment is a link, and its place is what matters.
    interpreter = shlex.quote(str(python.absolute()))
    host = shlex.quote(str(Path(__file__).parent.absolute() / "language_host.py"))
    # -P keeps this folder out of the import path; -u because Pulumi reads the port from the first line at once.
    _write(directory / LANGUAGE_HOST, f'exec {interpreter} -u -P {host} "$@"')
    _write(directory / DYNAMIC_PROVIDER, f'exec {interpreter} -u -m pulumi.dynamic "$@"')
    if pulumi is not None:
        _place(pulumi.resolve(), directory / "pulumi")
    return directory


def _write(path: Path, command: str) -> None:
    """Replace the script in one step: another pulumi command may be starting it right now."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    staged.chmod(0o755)
    staged.replace(path)


def _place(binary: Path, target: Path) -> None:
    """Link the binary to `target`, or copy it when they lie on different file systems."""
    if target.exists() and target.samefile(binary):
        return
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    staged.unlink(missing_ok=True)
    try:
        staged.hardlink_to(binary)
    except OSError:
        shutil.copy2(binary, staged)
    staged.replace(target)
