"""The command that takes a version back, where `agentobs release` manages what runs."""

from typing import Final

from agentobs.contract import ABSENT
from collector import quotes
from runbooks.why.document import Culprit

_VERB: Final = "agentobs release rollback"


def command(culprit: Culprit | None) -> str:
    """The whole command; empty where no version is to blame, or where none of that name ran before."""
    if culprit is None or culprit.previous == ABSENT or " " in culprit.previous:
        return ""
    whose = _whose(culprit)
    if whose is None:
        return ""
    versions = f"--to {quotes.shell(culprit.previous)} --expect {quotes.shell(culprit.version)}"
    return f"{_VERB} {whose} {versions} -e {quotes.shell(culprit.environment)}"


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
