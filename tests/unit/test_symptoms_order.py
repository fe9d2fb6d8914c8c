"""Which symptoms are shown where no version is to blame."""

from alerts.catalogue import DIAGNOSED
from collector.signals import Label
from runbooks.comparison import Comparison, Reading
from runbooks.diagnosis import _varied
from runbooks.symptoms import Symptom


def _symptom(number: int, kpi: int, z: float) -> Symptom:
    reading = Reading(1.0, 10.0)
    comparison = Comparison(kpi=DIAGNOSED[kpi], before=reading, after=reading, z=z)
    return Symptom(subject={Label.AGENT: f"agent-{number}"}, comparison=comparison, since=0.0)


def test_a_kpi_of_many_agents_does_not_hide_another():
    slow = [_symptom(number, 0, 20.0 - number) for number in range(10)]
    timeouts = _symptom(99, 1, 4.0)
    shown = _varied([*slow, timeouts])
    assert shown[:2] == [slow[0], timeouts]
    assert shown[2:] == slow[1:]
