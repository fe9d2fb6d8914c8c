"""The instances of an alert: by which labels they differ, and which every one of them has."""

from functools import cache

from alerts import alerting, rules
from alerts.alerting import Alert
from alerts.promql import ruleset
from alerts.promql.ruleset import RuleSet
from alerts.promql.tree import parse
from alerts.timing import PRODUCTION


@cache
def every_rule() -> RuleSet:
    """Every rule there is, at production times."""
    return RuleSet(tuple(ruleset.rules([*rules.recording_groups(), *rules.alert_groups()])))


@cache
def identity_of(alert: str) -> tuple[str, ...]:
    """Labels that tell the instances of an alert apart, over all rules of its name: those it is grouped by first.

    Where nobody knows the labels of a series (programs that are not ours), the expression adds none. Raises KeyError.
    """
    found: dict[str, None] = {}
    for each in _of(alert):
        found |= dict.fromkeys(map(str, each.by))
        for variant in every_rule().shape(parse(each.expr)) or ():
            found |= dict.fromkeys(variant.by_name)
    return tuple(found)


@cache
def required_of(alert: str) -> tuple[str, ...]:
    """Of those labels the ones that every instance of the alert has. Raises KeyError."""
    each_has = [
        set(variant.by_name) for each in _of(alert) for variant in every_rule().shape(parse(each.expr)) or ()
    ]  # of series that are not ours nobody knows it: they have what the expression groups by
    return tuple(label for label in identity_of(alert) if all(label in labels for labels in each_has))


@cache
def labels_of(alert: str) -> tuple[str, ...]:
    """All labels that an alert has: those of its instances, then those that are the same for all. Raises KeyError."""
    own = dict.fromkeys(label for each in _of(alert) for label in each.labels)
    return tuple({**dict.fromkeys(identity_of(alert)), **dict.fromkeys(("severity", "owner", "family")), **own})


@cache
def _of(name: str) -> list[Alert]:
    found = [each for each in alerting.alerts(PRODUCTION) if each.name == name]
    if not found:
        raise KeyError(f"no alert is called {name}")
    return found
