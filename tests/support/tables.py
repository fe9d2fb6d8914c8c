"""A short way to write cases of an alert down: what is fed, when to look, and whether the alert must be there."""

from collections.abc import Mapping
from dataclasses import replace

from support.promtool import AlertCase, Fired

JOB = 'job="collector",instance="collector-0"'
TICKET, PAGE = "ticket", "page"


def _labels(text: str) -> dict[str, str]:
    return {key: value.strip('"') for key, _, value in (pair.partition("=") for pair in text.split(",") if pair)}


class Table:
    """Cases of one alert: `fires` and `quiet` share the labels an instance of it has."""

    def __init__(self, alert: str, severity: str, family: str, labels: str, owner: str = "agents") -> None:
        self.alert, self.cases = alert, list[AlertCase]()
        self.labels = {**_labels(labels), "severity": severity, "owner": owner, "family": family}

    def fires(self, name: str, at: str, series: Mapping[str, str], **more: str) -> "Table":
        fired = (Fired(labels={**self.labels, **more}, annotations={}),)
        self.cases.append(AlertCase(alert=self.alert, name=name, series=series, at=at, expect=fired))
        return self

    def quiet(self, name: str, at: str, series: Mapping[str, str]) -> "Table":
        self.cases.append(AlertCase(alert=self.alert, name=name, series=series, at=at))
        return self

    def rename(self, what: str) -> None:
        """Tell the cases apart from those of another metric of the same alert."""
        self.cases = [replace(case, name=f"{case.name}, {what}") for case in self.cases]


def platform(alert: str, severity: str, labels: str) -> Table:
    """Cases of an alert of the platform's team."""
    return Table(alert, severity, "platform", labels, owner="platform")


def grows(
    alert: str, severity: str, metric: str, labels: str, *, hold: int = 0, window: int = 10, more: str = ""
) -> Table:
    """An alert on a counter that grew within `window` minutes; without a hold it is kept for ten minutes more."""
    series = f"{metric}{{{labels}{more}}}"
    table = (
        platform(alert, severity, labels).quiet("no data", "30m", {}).quiet("nothing happens", "30m", {series: "7x60"})
    )
    if hold:
        growing = {series: "0x10 0+1x60"}
        table.fires("fires", f"{12 + hold}m", growing)
        table.quiet("not yet", f"{10 + hold}m30s", growing)
        table.quiet("one error is not for long", "25m", {series: "0x10 5x60"})
        return table.quiet("recovers", "50m", {series: "0x10 0+1x20 20x60"})
    once = {series: "0x10 5x300"}
    kept = 10 if window == 10 else 0
    table.fires("fires", "12m", once)
    table.fires("is remembered", f"{9 + window + kept}m", once)
    return table.quiet("is over", f"{12 + window + kept}m", once)


def restarting(alert: str, labels: str, metric: str) -> Table:
    """An alert on a process whose uptime falls again and again."""
    uptime = f"{metric}{{{labels}}}"
    return (
        platform(alert, TICKET, labels)
        .fires("fires", "20m", {uptime: "0+60x3 0+60x3 0+60x3 0+60x60"})
        .quiet("two restarts may be a deployment", "20m", {uptime: "0+60x3 0+60x3 0+60x60"})
        .quiet("is over", "60m", {uptime: "0+60x3 0+60x3 0+60x3 0+60x60"})
        .quiet("no data", "20m", {})
    )


def renamed(table: Table, what: str) -> Table:
    """The table, its cases told apart from those of another metric."""
    table.rename(what)
    return table
