"""What an environment does with alerts, and who is told there: a routing that would lose alerts is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.catalogue import Owner
from alerts.routing.receivers import Receiver, RoutingError, Webhook
from alerts.timing import PRODUCTION, Timing


class Profile(StrEnum):
    """What an alert can do at most: be shown, open a ticket (pages too), wake somebody."""

    SHOW = "show"
    TICKETS = "tickets"
    PAGES = "pages"


PROFILES: Final = {
    "local": Profile.SHOW,
    "dev": Profile.TICKETS,
    "staging": Profile.TICKETS,
    "prod": Profile.PAGES,
}
"""Environment -> profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Where pages and tickets of one owner go."""

    pages: tuple[Receiver, ...] = ()
    tickets: tuple[Receiver, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Who is told. The team of the platform gets its own alerts in `platform`; without it everybody gets all.

    `dead_mans_switch` raises an alarm of its own when the Watchdog stops arriving. Pages are used in profile `pages`
    only. Raises RoutingError that names all that is missing.
    """

    profile: Profile
    pages: tuple[Receiver, ...] = ()
    tickets: tuple[Receiver, ...] = ()
    platform: Team | None = None
    dead_mans_switch: Webhook | None = None
    timing: Timing = PRODUCTION

    def __post_init__(self) -> None:
        problems = [*self._missing(), *self._open()]
        if problems:
            raise RoutingError(f"routing with profile {self.profile}: {'; '.join(problems)}")

    def team(self, owner: Owner) -> Team:
        """Where an owner's alerts go."""
        if owner is Owner.PLATFORM and self.platform is not None:
            return self.platform
        return Team(pages=self.pages, tickets=self.tickets)

    @property
    def everybody(self) -> tuple[Receiver, ...]:
        """All receivers once, without the dead man's switch."""
        teams = [self.team(owner) for owner in Owner]
        return tuple(dict.fromkeys(receiver for team in teams for receiver in (*team.pages, *team.tickets)))

    def _missing(self) -> Iterator[str]:
        if self.profile is Profile.SHOW:
            return
        teams = {"": self.team(Owner.AGENTS)} | ({} if self.platform is None else {"platform.": self.platform})
        for prefix, team in teams.items():
            if not team.tickets:
                yield f"no ticket receiver, so tickets reach nobody; fix: any receiver in `{prefix}tickets`"
            if self.profile is Profile.PAGES and not any(receiver.wakes for receiver in team.pages):
                yield (
                    "no pager receiver, so pages wake nobody;"
                    f" fix: a PagerDuty, Opsgenie or Webhook in `{prefix}pages` (Slack and e-mail wake nobody)"
                )
        if self.profile is Profile.PAGES and self.dead_mans_switch is None:
            yield (
                "no dead man's switch, so nobody learns that alerting itself has stopped;"
                " fix: a Webhook in `dead_mans_switch`"
            )

    def _open(self) -> Iterator[str]:
        for receiver in (*self.everybody, self.dead_mans_switch):
            if self.profile is not Profile.SHOW and isinstance(receiver, Webhook) and receiver.url:
                yield "a webhook's address, which is a secret, stands in `url`; fix: put it in a file, give `url_file`"
