"""What an alert is about: the KPI that its expression reads, and what it promises."""

from typing import Final

from alerts.alerting import Alert
from alerts.catalogue import CATALOGUE, Kpi, Objective
from alerts.promql import tree

_BY_KEY: Final = {kpi.key: kpi for kpi in CATALOGUE}


def kpi_of(alert: Alert) -> Kpi | None:
    """The first KPI of the catalogue that the expression reads; None where it reads none."""
    for selector in tree.selectors(tree.parse(alert.expr)):
        family, _, rest = (selector.name or "").partition(":")
        key = rest.partition(":")[0]
        if family == "kpi" and key in _BY_KEY:
            return _BY_KEY[key]
    return None


def objective_of(alert: Alert) -> Objective | None:
    """What the KPI promises and the alert watches; None where it watches something else."""
    kpi = kpi_of(alert)
    return next((each for each in kpi.objectives if each.alert == alert.name), None) if kpi else None
