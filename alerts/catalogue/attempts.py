"""What is tested: first attempts. A retry of a failed call mostly fails with it, so a call counts once."""

from dataclasses import replace

from agentobs.contract import Label
from alerts.catalogue.model import Kpi, Selector
from alerts.catalogue.wanted import Not, Where


def first_attempts(kpi: Kpi) -> Where:
    """What selects first attempts; nothing where the KPI is about retries, or its events have none."""
    about_retries = Label.IS_RETRY in kpi.numerator.where or kpi.is_rate
    return {} if about_retries or Label.IS_RETRY not in kpi.denominator.labels else {Label.IS_RETRY: Not("true")}


def once(kpi: Kpi, selector: Selector) -> Selector:
    """The selector, of first attempts."""
    return replace(selector, where={**selector.where, **first_attempts(kpi)})
