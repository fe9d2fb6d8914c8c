"""What engineers decide per environment: typed, reviewed, tested. Operators' settings are in `settings.py`."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

_DURATION: Final = re.compile(r"^(?P<count>[1-9][0-9]{0,4})(?P<unit>[hd])$")
_HOURS: Final = {"h": 1, "d": 24}


class EnvName(StrEnum):
    """The stacks of the project."""

    LOCAL = "local"


@dataclass(frozen=True, slots=True, order=True)
class Retention:
    """How long a backend keeps data, in whole hours, because that is the finest unit all backends share."""

    hours: int

    @classmethod
    def parse(cls, text: str) -> "Retention":
        """Read `36h` or `15d`. Raises ValueError that says what was expected."""
        match = _DURATION.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not a duration; write whole hours or days, such as 36h or 15d")
        return cls(int(match["count"]) * _HOURS[match["unit"]])

    def __str__(self) -> str:
        return f"{self.hours}h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The decisions for one environment. Times in seconds unless the type says otherwise.

    Those with a default are the operator's: an external Langfuse with the file that holds its keys, own prices, who is
    told of alerts, where pages and boards are, a daily budget in US dollars. `alert_speed` is how many times faster
    than in production the windows of alerts pass, for rehearsals.
    """

    name: EnvName
    metrics_retention: Retention
    traces_retention: Retention
    logs_retention: Retention
    scrape_interval_s: int
    langfuse_url: str | None = None
    langfuse_keys_file: Path | None = None
    prices_file: Path | None = None
    alert_webhook: str | None = None
    dead_mans_switch_url: str | None = None
    runbooks_url: str | None = None
    dashboards_url: str | None = None
    daily_budget_usd: float | None = None
    alert_speed: float = 1


LOCAL: Final = Environment(
    name=EnvName.LOCAL,
    metrics_retention=Retention.parse("15d"),
    traces_retention=Retention.parse("7d"),
    logs_retention=Retention.parse("7d"),
    scrape_interval_s=5,
)

ENVIRONMENTS: Final = {environment.name: environment for environment in (LOCAL,)}
