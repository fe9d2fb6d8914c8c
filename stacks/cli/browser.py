"""A picture of a page by a browser of this computer."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from agentobs.errors import AgentobsError

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_TIMEOUT_S: Final = 120
_WIDTH: Final = 1600
_LOWEST: Final = 600  # a browser makes a window that is much wider than high as narrow as a telephone
# Of pages that do not say how high they are, and the highest that a browser draws in one piece.
_HEIGHT: Final = 2400
_HIGHEST: Final = 16_000
_SAID: Final = re.compile(r'<body[^>]*\sdata-height="(\d+)"')
# Quiet: a page that is read from a file needs nothing from a network.
_OPTIONS: Final = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars", "--no-sandbox",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


class BrowserError(AgentobsError):
    """No browser is there, or it made no picture."""


def picture(page: Path, to: Path, fragment: str = "") -> None:
    """Write what a browser shows of the local file `page` (at `#fragment`) to the PNG `to`, from top to bottom.

    A page says how high it is in `data-height` of its body. Raises BrowserError.
    """
    browser = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if browser is None:
        raise BrowserError(
            f"no browser is on PATH (looked for {', '.join(_NAMES)}); fix: install chromium, or"
            f" leave --png out and open {page}"
        )
    address = page.resolve().as_uri() + (f"#{fragment}" if fragment else "")
    # A picture is as high as the window, so the window has to be as high as the page.
    said = _SAID.search(_run(browser, page, address, _LOWEST, "--dump-dom"))
    height = min(int(said[1]), _HIGHEST) if said else _HEIGHT
    to.unlink(missing_ok=True)
    complaint = _run(browser, page, address, height, f"--screenshot={to.resolve()}")
    if not to.exists():
        raise BrowserError(f"{browser} made no picture of {page}: {complaint.strip()[-300:]}")


def _run(browser: str, page: Path, address: str, height: int, task: str) -> str:
    """What the browser prints. Raises BrowserError."""
    with tempfile.TemporaryDirectory(prefix="agentobs-browser-", ignore_cleanup_errors=True) as profile:
        command = [
            browser, *_OPTIONS, f"--user-data-dir={profile}", f"--window-size={_WIDTH},{height}",
            "--virtual-time-budget=20000", task, address,
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise BrowserError(f"{browser} made no picture of {page} within {_TIMEOUT_S} s") from None
    if done.returncode:
        raise BrowserError(f"{browser} made no picture of {page}: {done.stderr.strip()[-300:]}")
    return done.stdout or done.stderr
