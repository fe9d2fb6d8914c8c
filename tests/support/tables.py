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
