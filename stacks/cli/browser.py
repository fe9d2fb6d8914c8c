"""A picture of a page by a browser of this computer."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_TIMEOUT_S: Final = 120
_SIZE: Final = (1600, 2400)
# Quiet: a page that is read from a file needs nothing from a network.
_OPTIONS: Final = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars", "--no-sandbox",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


class BrowserError(RuntimeError):
    """No browser is there, or it made no picture."""


def picture(page: Path, to: Path, fragment: str = "") -> None:
    """Write what a browser shows of the local file `page` (at `#fragment`) to the PNG `to`. Raises BrowserError."""
    browser = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if browser is None:
        raise BrowserError(
            f"no browser is on PATH (looked for {', '.join(_NAMES)}); fix: install chromium, or"
            f" leave --png out and open {page}"
        )
    address = page.resolve().as_uri() + (f"#{fragment}" if fragment else "")
    with tempfile.TemporaryDirectory(prefix="agentobs-browser-") as profile:
        command = [
            browser, *_OPTIONS, f"--user-data-dir={profile}", f"--window-size={_SIZE[0]},{_SIZE[1]}",
            "--virtual-time-budget=20000", f"--screenshot={to.resolve()}", address,
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise BrowserError(f"{browser} made no picture of {page} within {_TIMEOUT_S} s") from None
    if not to.exists() or done.returncode:
        raise BrowserError(f"{browser} made no picture of {page}: {done.stderr.strip()[-300:]}")
