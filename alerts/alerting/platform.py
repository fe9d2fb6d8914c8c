"""Alerts about the platform itself: collector, Prometheus, Alertmanager, Loki, Tempo, Langfuse."""

from collections.abc import Iterator

from alerts.alerting.model import Alert
from alerts.timing import Timing


def alerts(timing: Timing) -> Iterator[Alert]:
    """All of them."""
    del timing
    yield from ()
