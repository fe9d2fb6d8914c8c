"""The command that takes a version back, and its preview in the console, where `agentobs release` manages what runs."""

from typing import Final
from urllib.parse import quote, urlencode

from agentobs.contract import ABSENT
from collector import quotes
from runbooks.why.document import Culprit

_VERB: Final = "agentobs release rollback"


def command(culprit: Culprit | None) -> str:
    """The whole command; empty where no version is to blame, or where none of that name ran before."""
    if culprit is None or not _is_known(culprit):
        return ""
    whose = _whose(culprit)
    if whose is None:
        return ""
    versions = f"--to {quotes.shell(culprit.previous)} --expect {quotes.shell(culprit.version)}"
    return f"{_VERB} {whose} {versions} -e {quotes.shell(culprit.environment)}"


def link(culprit: Culprit | None, console: str) -> str:
    """The address of the release console's preview of it; empty where there is no command either, or no console."""
    if culprit is None or not console or not command(culprit):
        return ""
    place = {"tool": {"tool": culprit.tool}, "graph": {}}.get(culprit.dimension, {"agent": culprit.agent})
    asked = {"kind": "rollback", "dimension": culprit.dimension, **place}
    query = urlencode({**asked, "to": culprit.previous, "expect": culprit.version})
    return f"{console}/environments/{quote(culprit.environment, safe='')}/preview?{query}"


def _is_known(culprit: Culprit) -> bool:
    """Whether a version of that name ran before: another one that it replaced is no version of it."""
    return culprit.previous != ABSENT and " " not in culprit.previous


def _whose(culprit: Culprit) -> str | None:
    """The words that name the place; None where a name would be read as an option."""
    if culprit.dimension == "graph":
        return "--dimension graph"
    name = culprit.tool if culprit.dimension == "tool" else culprit.agent
    if not name or name.startswith("-"):
        return None
    # A tool is shared: it goes back for every agent that uses it.
    return (
        f"--tool {quotes.shell(name)}"
        if culprit.dimension == "tool"
        else (f"{quotes.shell(name)} --dimension {culprit.dimension}")
    )
