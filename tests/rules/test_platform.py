"""Every alert of the platform fires, waits, recovers and stays quiet as it should."""

import pytest
from rules.cases_platform import RAW
from support.golden import filled
from support.promtool import title, verdicts

from alerts import alerting, rules
from alerts.catalogue import Group
from alerts.timing import PRODUCTION

CASES = filled(RAW, "platform")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return verdicts(rules.alert_groups(), CASES, tmp_path_factory.mktemp("platform"))


@pytest.mark.parametrize("case", CASES, ids=title)
def test_a_case(said, case):
    assert said[title(case)] == ""


def test_every_alert_has_cases():
    mine = {
        alert.name
        for alert in alerting.alerts(PRODUCTION)
        if alert.group is Group.PLATFORM and alert.name != "Watchdog"  # which never stays quiet
    }
    for name in mine:
        cases = [case for case in CASES if case.alert == name]
        assert len(cases) >= 4
        assert any(case.expect for case in cases)
        assert any(not case.expect for case in cases)
