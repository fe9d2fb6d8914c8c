"""Where baselines of KPIs lie, and how they are read and written."""

import getpass
import socket
from pathlib import Path
from typing import Final

from runbooks.baseline import Baseline, BaselineError, parse
from stacks import atomic

FOLDER: Final = Path("baselines")


def file_of(name: str) -> Path:
    """Where a baseline lies: a path as it is, a name below `baselines/`."""
    return Path(name) if name.endswith(".json") or "/" in name else FOLDER / f"{name}.json"


def load(name: str) -> Baseline:
    """Read a baseline. Raises BaselineError that names the file and the fix."""
    path = file_of(name)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise BaselineError(f"there is no baseline {path}; fix: agentobs baseline record {name}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"the baseline {path} cannot be read: {error}") from None
    return parse(text, str(path))


def save(path: Path, baseline: Baseline) -> None:
    """Write a baseline, whole or not at all. Raises BaselineError."""
    try:
        atomic.write(path, baseline.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise BaselineError(f"{path} cannot be written: {error.strerror}; fix: another path as name") from None


def names() -> list[str]:
    """The baselines of this folder."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def operator() -> str:
    """Who runs this command, as far as the computer knows."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
