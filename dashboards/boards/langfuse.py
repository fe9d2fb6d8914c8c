"""Langfuse: does what people read there keep up?"""

from typing import Final

from agentobs.contract import Label
from alerts.alerting.platform import LANGFUSE
from alerts.promql import sum_by
from collector.self_metrics import SelfMetric
from dashboards.lib import variables
from dashboards.lib.model import Board, Format, Prom, Section, Text, TimeSeries
from dashboards.lib.panels import Reader

_READ: Final = Reader((Label.ENVIRONMENT,))
_OFF: Final = "No Langfuse is set for this environment (langfuseUrl), or the collector does not answer."
_WHERE: Final = f'{{exporter="{LANGFUSE}"}}'
_AT: Final = ("instance",)


def _rate(metric: str) -> str:
    return sum_by(_AT, f"rate({metric}{_WHERE}[$__rate_interval])")


BOARD: Final = Board(
    slug="langfuse",
    title="Langfuse health",
    question="Does Langfuse keep up with what agents do?",
    variables=(variables.ENVIRONMENT,),
    sections=(
        Section(
            title="What is seen from the collector",
            panels=(
                _READ.watching(
                    "LangfuseFallsBehind",
                    title="Queue to Langfuse",
                    description="How full it is. It is on disk and outlives restarts; full, new observations are lost.",
                    no_data=_OFF,
                    format=Format.SHARE,
                    maximum=1.0,
                ),
                TimeSeries(
                    title="Spans sent to Langfuse",
                    description="Spans a second that Langfuse took.",
                    no_data=_OFF,
                    queries=(Prom(expr=_rate(SelfMetric.SENT_SPANS), legend="{{instance}}"),),
                    format=Format.PER_SECOND,
                ),
                TimeSeries(
                    title="Spans that Langfuse will not get",
                    description="Spans a second that it refused for good, or that found its queue full.",
                    no_data=_OFF,
                    queries=tuple(
                        Prom(
                            expr=f"{_rate(metric)} or 0 * {sum_by(_AT, SelfMetric.QUEUE_SIZE + _WHERE)}",
                            legend=f"{why} {{{{instance}}}}",
                        )
                        for metric, why in (
                            (SelfMetric.SEND_FAILED_SPANS, "refused"),
                            (SelfMetric.ENQUEUE_FAILED_SPANS, "queue full"),
                        )
                    ),
                    format=Format.PER_SECOND,
                    alerts=("CollectorLosesData", "StoreRefusesData"),
                ),
                Text(
                    title="What is not seen here",
                    description="Langfuse gives no metrics to Prometheus.",
                    no_data="This text is always here.",
                    markdown=(
                        "Langfuse's own stores (ClickHouse, Postgres, Redis, S3) and its worker's queue do not show"
                        " here: it gives no metrics to Prometheus. A queue that fills here while the others do not is"
                        " its first sign of trouble. Traces are safe meanwhile: their store gets them independently."
                    ),
                    width=24,
                    height=4,
                ),
            ),
        ),
    ),
    next=("fleet", "platform"),
)
