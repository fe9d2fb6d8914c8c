"""Takes the pictures of the guides from the stack that `make up` started: `.venv/bin/python docs/pictures/take.py`.

Needs Chromium for the report. The picture of the architecture is made by `agentobs render`.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

HERE: Final = Path(__file__).parent
_COLUMNS: Final = 82
_FONTS: Final = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_AGENTOBS: Final = Path(sys.executable).with_name("agentobs")


def _said(*arguments: str) -> str:
    colours = {"FORCE_COLOR": "1", "COLUMNS": str(_COLUMNS), "TERM": "xterm-256color"}
    command = [str(_AGENTOBS), *arguments]
    return subprocess.run(command, env=os.environ | colours, capture_output=True, text=True, check=True).stdout


def why() -> None:
    """The box of the answer, as a terminal shows it; fonts of the reader's computer, none from elsewhere."""
    arguments = ("why", "--environment", "demo")
    lines = _said(*arguments).splitlines()
    (end,) = (number for number, line in enumerate(lines) if "╰" in line)
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi("\n".join(lines[: end + 1])))
    drawn = console.export_svg(title=" ".join(("agentobs", *arguments)), unique_id="why")
    lean = "\n".join(line.rstrip() for line in _FONTS.sub("", drawn).splitlines())
    (HERE / "why.svg").write_text(f"{lean}\n", encoding="utf-8")


def report() -> None:
    """The first screen of the report."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "report.html"
        _said("report", "--since", "1h", "-e", "demo", "--output", str(page))
        opened = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        screen = opened.new_page(viewport={"width": 1200, "height": 760})
        screen.goto(page.as_uri())
        screen.screenshot(path=HERE / "report.png")
        opened.close()


if __name__ == "__main__":
    why()
    report()
