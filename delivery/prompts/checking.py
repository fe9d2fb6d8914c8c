"""All prompts of a folder, and the file that remembers which text each version had."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from delivery.prompts.errors import PromptsError
from delivery.prompts.reading import Finding, Level, read
from delivery.prompts.rules import Known, look

LOCK: Final = "prompts.lock.json"
_SUFFIXES: Final = frozenset({".md", ".prompt", ".txt", ".j2", ".mustache"})


@dataclass(frozen=True, slots=True)
class Checked:
    """The findings of every file, and the digest of every version (name, version) that can be read."""

    findings: Mapping[Path, list[Finding]]
    digests: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(found.level is Level.ERROR for each in self.findings.values() for found in each)


def check(paths: Iterable[Path], known: Known, lock: Path) -> Checked:
    """Look at all files. Raises PromptsError where there are none, or one cannot be read."""
    before = _locked(lock)
    findings: dict[Path, list[Finding]] = {}
    digests: dict[tuple[str, str], str] = {}
    for path in _files(paths):
        content = _text(path)
        findings[path] = look(content, known)
        prompt, _ = read(content)
        if prompt is None:
            continue
        key, digest = (prompt.head.name, prompt.head.version), hashlib.sha256(prompt.text.encode()).hexdigest()
        known_as = digests.get(key) or before.get(key[0], {}).get(key[1])
        if known_as not in {None, digest}:
            text = f"the text of {key[0]} changed and its version is still {key[1]}; fix: give it another version"
            findings[path].append(Finding(rule="changed-version", level=Level.ERROR, line=1, text=text))
        digests[key] = digest
    return Checked(findings, digests)


def remember(lock: Path, checked: Checked) -> None:
    """Write the texts of new versions down; those that are known stay as they are."""
    made = _locked(lock)
    for (name, version), digest in sorted(checked.digests.items()):
        made.setdefault(name, {}).setdefault(version, digest)
    lock.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def known_of(tools: Path | None, policies: Path | None) -> Known:
    """What two files say: a list of tools (or an MCP `tools/list`), and lines by agent. Raises PromptsError."""
    listed = _document(tools, 'a list of names, or the answer of tools/list {"tools": [...]}') if tools else None
    if isinstance(listed, dict):
        listed = [tool.get("name") for tool in listed.get("tools", ()) if isinstance(tool, dict)]
    lines = _document(policies, "lines by agent: {'*': [...], planner: [...]}") if policies else {}
    if not isinstance(lines, dict) or not all(isinstance(each, list) for each in lines.values()):
        raise PromptsError(f"{policies}: expected lines by agent; fix: write {{'*': ['Never ...']}}")
    if listed is not None and not isinstance(listed, list):
        raise PromptsError(f"{tools}: expected a list of tools; fix: write their names as a list")
    return Known(tools=listed, policies={str(agent): [*map(str, each)] for agent, each in lines.items()})


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(each for each in path.rglob("*") if each.suffix in _SUFFIXES and each.name != "README.md")
        else:
            found.append(path)
    if not found:
        raise PromptsError("there is no prompt to look at; fix: name a file, or a folder with .md or .prompt files")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError:
        raise PromptsError(f"{path}: there is no such file; fix: name a prompt file or a folder") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PromptsError(f"{path}: cannot be read: {error}; fix: save it as UTF-8") from None


def _document(path: Path, expected: str) -> Any:  # noqa: ANN401 any YAML
    try:
        return yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        raise PromptsError(f"{path}: is no YAML: {error}; fix: write {expected}") from None


def _locked(path: Path) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    try:
        made: dict[str, dict[str, str]] = json.loads(_text(path))
        return {str(name): dict(versions) for name, versions in made.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise PromptsError(
            f"{path}: is no such file of versions: {error}; fix: take it back from version control"
        ) from None
