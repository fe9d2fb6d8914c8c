"""Which alert mutes which, read from the inhibition rules: for people who wonder why one is silent."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from alerts import alerting
from alerts.alerting import Alert
from alerts.routing.inhibition import INHIBITIONS
from alerts.timing import PRODUCTION

_MATCHER: Final = re.compile(r'(\w+)(=~|!~|!=|=)"(.*)"')


def mutes(name: str) -> tuple[str, ...]:
    """Names of alerts that stay silent while this one fires, if their labels agree."""
    return tuple(dict.fromkeys(target for source, target in _pairs() if source == name and target != name))


def muted_by(name: str) -> tuple[str, ...]:
    """Names of alerts that keep this one silent, if their labels agree."""
    return tuple(dict.fromkeys(source for source, target in _pairs() if target == name and source != name))


@cache
def _pairs() -> tuple[tuple[str, str], ...]:
    return tuple(_found())


def _found() -> Iterator[tuple[str, str]]:
    every = alerting.alerts(PRODUCTION)
    for inhibition in INHIBITIONS:
        targets = [alert for alert in every if _may_match(inhibition.target, alert)]
        for source in every:
            if _may_match(inhibition.source, source):
                for target in targets:
                    if all(_may_agree(label, source, target) for label in inhibition.equal):
                        yield source.name, target.name


def _may_match(matchers: tuple[str, ...], alert: Alert) -> bool:
    return all(_holds(matcher, alert) for matcher in matchers)


def _holds(matcher: str, alert: Alert) -> bool:
    found = _MATCHER.fullmatch(matcher)
    if found is None:
        raise ValueError(f"{matcher!r} is no matcher of Alertmanager")
    label, operator, pattern = found.groups()
    value = _value(label, alert)
    if value is None:
        return True
    same = re.fullmatch(pattern, value) is not None if "~" in operator else value == pattern
    return same is not operator.startswith("!")


def _value(label: str, alert: Alert) -> str | None:
    """What an alert's label is; None where it can be anything, empty where it has none."""
    fixed = {
        "alertname": alert.name, "severity": str(alert.severity), "owner": str(alert.owner),
        "family": str(alert.group), **alert.labels,
    }  # fmt: skip
    if label in fixed:
        return fixed[label]
    if label not in map(str, alert.by):
        return ""
    return alert.job or None if label == "job" else None


def _may_agree(label: str, source: Alert, target: Alert) -> bool:
    """A label that can be anything is not empty, so it agrees with none that is."""
    one, other = _value(label, source), _value(label, target)
    return one == other or (one is None and other != "") or (other is None and one != "")
