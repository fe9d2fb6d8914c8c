"""Moments that every picture over time shows: versions first seen, and pages."""

from collections import defaultdict
from typing import Any, Final

from alerts.recording import versions
from alerts.source import Series
from dashboards.lib import variables
from dashboards.lib.model import Prom
from dashboards.report.evaluate import Evaluation, legend
from dashboards.report.views import safe

_MS: Final = 1000
_VERSION: Final = "{{dimension}} {{agent_name}}{{tool_name}}{{workflow}} {{version}}"
_PAGE: Final = "{{alertname}} {{agent_name}}{{tool_name}}{{workflow}}"
_MOST: Final = 12  # names in one mark


def moments(evaluation: Evaluation) -> list[dict[str, Any]]:
    """`{"kind", "at", "text"}` with `at` in milliseconds; what happened in one step of the picture is one mark."""
    environment = next((each for each in evaluation.board.variables if each is variables.ENVIRONMENT), None)
    where = variables.chosen((environment.label,) if environment else ())
    pages = variables.chosen((environment.label,) if environment else (), alertstate="firing", severity="page")
    try:
        seen = evaluation.range(Prom(expr=f"{versions.FIRST_SEEN}{where}"))
        fired = evaluation.range(Prom(expr=f"ALERTS{pages}"))
    except evaluation.sources.errors:
        return []  # the panels beside them say what is wrong
    found = [("versions", at, legend(_VERSION, each.labels)) for each in seen for at in _first_seen(each)]
    found += [("pages", each.points[0][0], f"{legend(_PAGE, each.labels)} fires") for each in fired if each.points]
    return _grouped(found, evaluation)


def _first_seen(series: Series) -> set[float]:
    return {value for _, value in series.points}


def _grouped(found: list[tuple[str, float, str]], evaluation: Evaluation) -> list[dict[str, Any]]:
    period = evaluation.period
    step = max(1.0, period.seconds / 200)
    groups: dict[tuple[str, int], list[tuple[float, str]]] = defaultdict(list)
    for kind, at, text in sorted(set(found)):
        if period.start < at <= period.end:
            groups[kind, int(at / step)].append((at, text))
    return [
        {"kind": kind, "at": round(members[0][0] * _MS), "text": "<br>".join(_texts([text for _, text in members]))}
        for (kind, _), members in groups.items()
    ]


def _texts(texts: list[str]) -> list[str]:
    more = [f"and {len(texts) - _MOST} more"] if len(texts) > _MOST else []
    return [*(safe(text) for text in texts[:_MOST]), *more]
