"""Which boards show what they should for one environment: all are evaluated, panels of KPIs with traffic demanded."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from agentobs.contract import Label
from alerts import promql
from alerts.catalogue import CATALOGUE, MIN_EVENTS
from alerts.promql import tree
from alerts.source import MetricsSource
from dashboards.lib.model import Board, Panel, Prom
from dashboards.report import Period, Sources
from dashboards.report.evaluate import Evaluation
from dashboards.report.results import Failed, Nothing, Result
from runbooks.checklist.platform import BoardState

_VALUE: Final = re.compile(r"kpi:(\w+):(?:ratio|mean|events)5m")


def boards(shown: Iterable[Board], sources: Sources, period: Period, environment: str) -> list[BoardState]:
    """Every board for the environment; a store's error is an error of the panel."""
    chosen = {"environment": environment}
    busy = frozenset(_busy(sources.metrics, period, environment))
    found = []
    for board in shown:
        evaluation = Evaluation(board=board, sources=sources, period=period, chosen=chosen)
        found.append(_state(board, list(evaluation.panels()), busy))
    return found


def _busy(metrics: MetricsSource, period: Period, environment: str) -> Iterator[str]:
    """KPIs with enough events to be shown."""
    where = {Label.ENVIRONMENT: environment}
    for kpi in CATALOGUE:
        samples = metrics.instant(promql.increase(kpi.denominator, (), where, period.seconds), period.end)
        if any(sample.value >= MIN_EVENTS for sample in samples):
            yield kpi.key


def _state(board: Board, results: list[tuple[Panel, Result]], busy: frozenset[str]) -> BoardState:
    empty = [panel for panel, result in results if isinstance(result, Nothing)]
    errors = [(panel.title, result.error) for panel, result in results if isinstance(result, Failed)]
    return BoardState(
        slug=board.slug,
        title=board.title,
        panels=len(results),
        with_data=len(results) - len(empty) - len(errors),
        due=sum(_is_due(panel, busy) for panel, _ in results),
        without_data=[panel.title for panel in empty if _is_due(panel, busy)],
        errors=errors,
    )


def _is_due(panel: Panel, busy: frozenset[str]) -> bool:
    """Whether a panel shows a KPI that has traffic, as it is and not against another time."""
    return any(isinstance(query, Prom) and _shows(query.expr, busy) for query in panel.queries)


def _shows(expr: str, busy: frozenset[str]) -> bool:
    if "offset" in expr or "$kpi" in expr:
        return False
    plain = re.sub(r"\$\{?\w+\}?", ".*", re.sub(r"\$__\w+", "5m", expr))
    names = [_VALUE.fullmatch(selector.name or "") for selector in tree.selectors(tree.parse(plain))]
    return any(found is not None and found[1] in busy for found in names)
