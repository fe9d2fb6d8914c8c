"""Every alert that follows from an objective or an error budget fires, waits, recovers and stays quiet as it should."""

import pytest
from rules.cases_objectives import RAW
from support.golden import filled
from support.promtool import title, verdicts

from alerts import alerting, rules
from alerts.timing import PRODUCTION

CASES = filled(RAW, "objectives")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return verdicts(rules.alert_groups(), CASES, tmp_path_factory.mktemp("objectives"))


@pytest.mark.parametrize("case", CASES, ids=title)
def test_a_case(said, case):
    assert said[title(case)] == ""


def test_every_alert_of_the_catalogue_has_cases():
    made = {alert.name for alert in alerting.alerts(PRODUCTION) if alert.labels.get("kpi")}
    for name in made:
        mine = [case for case in CASES if case.alert == name]
        assert len(mine) >= 4
        assert any(case.expect for case in mine)
        assert any(not case.expect for case in mine)
