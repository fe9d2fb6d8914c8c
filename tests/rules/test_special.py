"""Every alert that no objective expresses fires, waits, recovers and stays quiet as it should."""

import pytest
from rules.cases_special import RAW
from support.golden import filled
from support.promtool import title, verdicts

from alerts import alerting, rules
from alerts.catalogue import Group
from alerts.timing import PRODUCTION

CASES = filled(RAW, "special")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return verdicts(rules.alert_groups(), CASES, tmp_path_factory.mktemp("special"))


@pytest.mark.parametrize("case", CASES, ids=title)
def test_a_case(said, case):
    assert said[title(case)] == ""


def test_every_alert_has_cases():
    mine = {
        alert.name
        for alert in alerting.alerts(PRODUCTION)
        if not alert.labels.get("kpi") and alert.group is not Group.PLATFORM
    }
    for name in mine:
        cases = [case for case in CASES if case.alert == name]
        assert len(cases) >= 4
        assert any(case.expect for case in cases)
        assert any(not case.expect for case in cases)
