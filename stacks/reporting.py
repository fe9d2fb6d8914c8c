"""The boards of a stack as one page: which stores are asked, about which environment, and where it is written.

Not here: the page itself (`dashboards.report`), the command (`stacks.cli.report`).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agentobs.contract import Label
from agentobs.errors import AgentobsError
from alerts.alerting import Links
from alerts.catalogue import TASK_SUCCESS
from alerts.promql import duration, increase
from dashboards import documents
from dashboards.lib.model import Board
from dashboards.lib.stores import adapted
from dashboards.report import Period, Report, Sources, fitted, render
from stacks import atomic
from stacks.clients import STORE_ERRORS
from stacks.endpoints import Endpoints


class ReportError(AgentobsError):
    """There is nothing to report on, or it could not be written."""


def sources(stores: Endpoints) -> Sources:
    """What a report asks; without a store of logs or traces their panels say so."""
    return Sources(metrics=stores.metrics, logs=stores.logs, traces=stores.traces, errors=STORE_ERRORS)


def document(  # noqa: PLR0913 what is asked, and how it is shown
    boards: Sequence[Board],
    stores: Endpoints,
    period: Period,
    chosen: Mapping[str, str],
    *,
    progress: Callable[[str, int, int], None],
    runbooks_url: str = "",
) -> Report:
    """A report of that part of a period of which there is data; `chosen` names the environment."""
    asked = sources(stores)
    pages = documents.runbooks(Links(runbook=f"{runbooks_url.rstrip('/')}/{{name}}", board="")) if runbooks_url else {}
    return render(
        [adapted(board, stores.kinds) for board in boards],
        asked,
        fitted(asked, period, chosen["environment"]),
        chosen,
        runbooks=pages,
        progress=progress,
        traces_url=stores.trace_link,
        made=period.end,
    )


def save(path: Path, report: Report) -> None:
    """Write the page, whole or not at all: a reader may have the old one open. Raises ReportError."""
    try:
        atomic.write(path, report.html)
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror}; fix: --output") from None


def busiest(stores: Endpoints, period: Period) -> list[str]:
    """The environments with tasks in a period, the one with most of them first. Raises ReportError where there is none.

    From the counter itself: what rules record of the first minute comes a minute late.
    """
    counted = increase(TASK_SUCCESS.denominator, (Label.ENVIRONMENT,), {}, period.seconds)
    samples = stores.metrics.instant(f"{counted} > 0", period.end)
    if not samples:
        raise ReportError(
            f"no task was counted in the last {duration(round(period.seconds))}; look further back with --since, or"
            " name an environment with -e for its platform's panels"
        )
    return [sample.labels["environment"] for sample in sorted(samples, key=lambda sample: -sample.value)]
