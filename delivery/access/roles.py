"""Three roles, each with all that the one below it may do, and what every operation needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Role(IntEnum):
    """What a person may do."""

    VIEWER = 1
    """Read everything."""
    OPERATOR = 2
    """Take back and stop: rollback, kill and resume, end a canary, freeze, lock."""
    RELEASER = 3
    """Bring new things: promote, canary and its share, thaw, unlock."""

    @property
    def title(self) -> str:
        """As it is written in settings."""
        return self.name.lower()


_OPERATOR: Final = frozenset({"rollback", "rollback-release", "kill", "resume", "end", "freeze", "lock"})


def role_for(kind: str) -> Role:
    """The role that an operation needs: taking back is for more people than bringing."""
    return Role.OPERATOR if kind in _OPERATOR else Role.RELEASER


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who proved a name."""

    name: str
    role: Role

    def may(self, kind: str) -> bool:
        """Whether this person may do an operation of a kind."""
        return self.role >= role_for(kind)


def highest(groups: frozenset[str], roles: Mapping[Role, frozenset[str]]) -> Role | None:
    """The highest role that one of somebody's groups has; `*` is everybody who has a name. None for no role."""
    found = [role for role, members in roles.items() if "*" in members or groups & members]
    return max(found, default=None)
