"""The files that a release is built from: prompt texts and tool lists."""

import hashlib
import json
from pathlib import Path
from typing import Final

from delivery.errors import DeliveryError
from delivery.releases.tools import ToolList

_LARGEST: Final = 4 * 1024 * 1024


def sha256(text: str) -> str:
    """Digest of a text's UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def read(file: Path, what: str) -> str:
    """A text, the same on every computer: no byte order mark, line ends of one character. Raises DeliveryError."""
    try:
        if file.stat().st_size > _LARGEST:
            raise DeliveryError(f"{file} is larger than {_LARGEST >> 20} MiB; expected {what}")
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DeliveryError(f"there is no {file}; expected {what} there") from None
    except UnicodeDecodeError:
        raise DeliveryError(f"{file} is not UTF-8; expected {what} as text") from None
    except OSError as error:
        raise DeliveryError(f"{file} cannot be read: {error.strerror}") from None
    return text.replace("\r\n", "\n")


def prompt(root: Path, name: str, version: str) -> str:
    """The text of a prompt's version: `NAME/VERSION.*`, also with a v. Raises DeliveryError naming what there is."""
    there = sorted(path for path in (root / name).glob("*") if path.is_file() and not path.name.startswith("."))
    found = [path for path in there if path.stem in {version, f"v{version}"} or path.name in {version, f"v{version}"}]
    if not found:
        known = ", ".join(path.name for path in there) or "nothing"
        raise DeliveryError(
            f"there is no text of version {version} of the prompt {name}; in {root / name} is {known}; fix: write"
            f" {root / name / f'{version}.md'}"
        )
    if len(found) > 1:
        raise DeliveryError(f"version {version} of the prompt {name} has several files: {', '.join(map(str, found))}")
    text = read(found[0], "a prompt's text")
    if not text.strip():
        raise DeliveryError(f"{found[0]} is empty; expected a prompt's text")
    return text


def tool_lists(root: Path) -> list[ToolList]:
    """The tool lists of a folder. Raises DeliveryError."""
    return [tool_list(path) for path in sorted(root.glob("*.json"))]


def tool_list(path: Path) -> ToolList:
    """One tool list. Raises DeliveryError."""
    try:
        document = json.loads(read(path, "a server's tool list"))
    except (ValueError, RecursionError) as error:
        raise DeliveryError(f"{path} is no JSON: {error}") from None
    return ToolList.parse_document(document, str(path))
