"""At the moment at which an alert fires, its quick checks, filled in with its labels, show what they promise.

The moments are those of the rule tests: recorded series in, promtool's Prometheus, the very labels of the alert.
"""

from dataclasses import replace

from rules import kills
from support.asking import filled
from support.promtool import AlertCase, Question, unanswered

from alerts import alerting, rules
from alerts.evidence import quick_checks
from alerts.promql import tree
from alerts.timing import PRODUCTION

# Alerts that hold on after their condition are asked while the condition holds.
_LATER = ("goes on", "keeps", "stays", "still", "holds on")


def moments():
    """For every alert a moment at which it fires, and for every rule of its name one of its own."""
    found = {}
    for case in kills.cases():
        if isinstance(case, AlertCase) and case.expect and not any(word in case.name for word in _LATER):
            for fired in case.expect:
                found.setdefault((case.alert, fired.labels.get("severity"), fired.labels.get("long")), (case, fired))
    return found


MOMENTS = moments()


def asked(case, severity, long):
    """The quick checks that promise something at this moment: of the rule that fired, of what the moment has."""
    there = {name.partition("{")[0] for name in case.series} | {"ALERTS"}
    checks = [check for check in quick_checks(case.alert) if isinstance(check.query, str)]
    several = sum(check.title.startswith("What fired") for check in checks) > 1
    for check in checks:
        if check.title.startswith("What fired"):
            mine = check.title.endswith(f"({severity})") or (long is not None and f"over {long} and" in check.title)
            if mine or not several:
                yield check
        elif check.answers and {each.name for each in tree.selectors(tree.parse(check.query))} <= there:
            yield check


def questions(only=""):
    for (alert, severity, long), (case, fired) in MOMENTS.items():
        labels = {**fired.labels, "alertname": alert}
        queries = [filled(check.query, labels) for check in asked(case, severity, long) if check.title.startswith(only)]
        name = f"{alert} {severity} {long}"
        yield Question(alert=alert, name=name, series=case.series, at=case.at, queries=queries)


def test_every_quick_check_shows_what_it_promises(tmp_path):
    every = [*questions()]
    assert sum(len(question.queries) for question in every) > 200
    assert unanswered(rules.alert_groups(), every, tmp_path) == {}


def test_every_rule_of_every_alert_is_asked_for_what_fired():
    fired = {(each.alert, query) for each in questions("What fired") for query in each.queries}
    assert {alert for alert, _ in fired} == {alert.name for alert in alerting.alerts(PRODUCTION)}
    assert len(fired) == len(alerting.alerts(PRODUCTION))


def test_a_quick_check_about_another_instance_shows_nothing(tmp_path):
    """Else the narrowing would do nothing."""
    others = [
        replace(each, queries=[query.replace('"prod"', '"other"') for query in each.queries])
        for each in questions("What fired")
        if all('"prod"' in query for query in each.queries)
    ]
    assert len(others) > 30
    assert unanswered(rules.alert_groups(), others, tmp_path).keys() == {each.name for each in others}
