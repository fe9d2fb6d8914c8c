"""How an alert about the platform itself is written down: one row, with what all of them share."""

from dataclasses import dataclass, replace
from typing import Final

from alerts.alerting.condition import Comparison, Condition
from alerts.alerting.model import Alert
from alerts.catalogue import Group, Owner, Severity
from alerts.catalogue.model import MINUTE
from alerts.timing import Timing

AT: Final = ("job", "instance")
WHERE: Final = "{{ $labels.job }} ({{ $labels.instance }})"
PERCENT: Final = "{{ $value | humanizePercentage }}"


@dataclass(frozen=True, slots=True)
class Maker:
    """Writes down alerts; `timing` is for the windows inside expressions, `job` whose metrics they read."""

    timing: Timing
    job: str = ""

    def of(self, job: str) -> "Maker":
        """The same for the metrics of one job."""
        return replace(self, job=job)

    def grew(self, metric: str, window_s: float, by: tuple[str, ...] = AT) -> Condition:
        """A counter that increased over a window, by labels."""
        return Comparison(f"sum by ({', '.join(by)}) (increase({metric}[{self.timing.of(window_s)}]))", ">", 0)

    def alert(  # noqa: PLR0913 one row of a table
        self,
        name: str,
        condition: Condition,
        severity: Severity,
        summary: str,
        description: str,
        *,
        hold_s: float = 5 * MINUTE,
        keep_s: float = 0,
        by: tuple[str, ...] = AT,
        value: str = "{{ $value | humanize }}",
    ) -> Alert:
        """An alert of the platform's team, on the platform's board."""
        return Alert(
            name=name,
            group=Group.PLATFORM,
            condition=condition,
            job=self.job,
            hold_s=hold_s,
            severity=severity,
            owner=Owner.PLATFORM,
            by=by,
            board="platform",
            summary=summary,
            description=description,
            value=value,
            keep_firing_s=keep_s,
        )
