"""The image of the demo agents and their MCP servers: this interpreter, what the demo needs, and the demo itself.

Everything keeps its path, so that what was compiled and linked here is found there.
"""

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from support.installed import closure
from support.node.images import Image

DEMO: Final = "agentobs.test/demo:1"
APP: Final = "app"
_NEEDS: Final = (
    "agentobs-sdk",
    "mcp",
    "pydantic-ai-slim[mcp]",
    "typer",
    "rich",
    "pyyaml",
)
"""What `demo` and `collector` import."""
_UNUSED: Final = {"site-packages", "test", "idlelib", "lib2to3", "ensurepip", "tkinter", "turtledemo", "pydoc_data"}
_ROOT: Final = Path(__file__).resolve().parents[3]


def python_image() -> Image:
    """The image, whose entry point is the interpreter."""
    interpreter = Path(sys.executable).resolve()
    found = [interpreter, *_standard_library(), *_packages()]
    libraries = {*_linked([interpreter, *(path for path in found if path.suffix == ".so")])}
    files = {str(path).lstrip("/"): path for path in [*found, *libraries]}
    for package in (_ROOT / "demo", _ROOT / "collector", _ROOT / "sdk" / "agentobs"):
        files |= {f"{APP}/{path.relative_to(package.parent)}": path for path in _files(package)}
    site = sysconfig.get_path("purelib")
    variables = {"PYTHONPATH": f"/{APP}:{site}", "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"}  # noqa: S108 of the image
    return Image(name=DEMO, entrypoint=(str(interpreter),), files=files, variables=variables)


def _standard_library() -> Iterator[Path]:
    for path in Path(sysconfig.get_path("stdlib")).iterdir():
        if path.name not in _UNUSED:
            yield from _files(path)


def _packages() -> Iterator[Path]:
    """Files of the distributions that the demo needs, and of those that they need."""
    for distribution in closure(_NEEDS):
        located = [Path(str(file.locate())) for file in distribution.files or []]
        yield from (path.resolve() for path in located if path.is_file())


def _files(path: Path) -> Iterator[Path]:
    yield from (each for each in ([path] if path.is_file() else path.rglob("*")) if each.is_file())


def _linked(binaries: list[Path]) -> Iterator[Path]:
    """Shared libraries of these binaries; packages bring some of their own, which are files of the package."""
    for start in range(0, len(binaries), 200):
        batch = [str(path) for path in binaries[start : start + 200]]
        said = subprocess.run(["ldd", *batch], capture_output=True, text=True, check=False).stdout
        yield from (Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", said, re.MULTILINE))
