"""Operations in words for people, and as commands for those who rather type."""

import shlex

from delivery.environments.library import Place
from delivery.environments.operations import Target
from delivery.environments.state import WHOLE
from delivery.environments.wanted import (
    Wanted,
    WantedEnd,
    WantedKill,
    WantedLock,
    WantedPromote,
    WantedResume,
    WantedRollBack,
    WantedRollBackRelease,
    WantedShare,
    WantedStart,
    WantedUnlock,
)


def heading(asked: Wanted, environment: str) -> str:
    """What it does, as the heading of its preview."""
    return f"{_what(asked)} in {environment}"


def _what(asked: Wanted) -> str:  # noqa: PLR0911 a line per operation
    match asked:
        case WantedRollBack():
            place = Place(asked.dimension, asked.agent, asked.tool).title
            return f"Take {place} back{f' from {asked.expect}' if asked.expect else ''} to {asked.to}"
        case WantedRollBackRelease():
            return f"Go back to release {asked.to}"
        case WantedKill():
            return f"Stop {asked.target.title}"
        case WantedResume():
            return f"Let {asked.target.title} run again"
        case WantedPromote():
            return f"Make release {asked.release} stable"
        case WantedStart():
            return f"Start a {asked.split} of {asked.release} with {asked.share * 100 / WHOLE:g} % of the sessions"
        case WantedShare():
            return f"Give {asked.split} {asked.share * 100 / WHOLE:g} % of the sessions"
        case WantedEnd():
            return f"End {asked.split}{' and lock what it changed' if asked.lock else ''}"
        case WantedLock() | WantedUnlock():
            whose = " of ".join(filter(None, [asked.name, asked.agent]))
            verb = "Lock" if isinstance(asked, WantedLock) else "Allow again"
            return f"{verb} {asked.dimension} {asked.version}{f' of {whose}' if whose else ''}"
    return "Freeze: nothing new starts" if asked.kind == "freeze" else "End the freeze"


def command(asked: Wanted, environment: str) -> str:
    """The same on the command line; empty where there is none that is as short."""
    match asked:
        case WantedRollBack():
            place = [asked.agent] if asked.agent else []
            of = ["--tool", asked.tool] if asked.tool else ["--dimension", asked.dimension]
            words = ["rollback", *place, *of, *_versions(asked.to, asked.expect)]
        case WantedRollBackRelease():
            words = ["rollback", "--dimension", "release", *_versions(asked.to, asked.expect)]
        case WantedKill():
            words = ["kill", *_target(asked.target)]
        case WantedResume():
            words = ["resume", *_target(asked.target)]
        case _:
            return ""
    return shlex.join(["agentobs", "release", *words, "-e", environment])


def _versions(to: str, expect: str | None) -> list[str]:
    return ["--to", to, *(["--expect", expect] if expect else [])]


def _target(target: Target) -> list[str]:
    return [target.agent] if target.agent else ["tool", target.tool] if target.tool else ["all"]
