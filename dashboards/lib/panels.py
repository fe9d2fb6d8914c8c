"""Panels of the catalogue: a KPI over time, as a number, in a table; what an alert watches. Boards combine them.

Panels read recorded series, as alerts do, so that both say the same. A table shows the last value inside the time
range, so that what has stopped is still listed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentobs.contract import Label
from alerts.alerting import Alert
from alerts.alerting.condition import Comparison
from alerts.alerting.model import VARIABLES
from alerts.alerting.text import number
from alerts.catalogue import Direction, Kpi, Unit
from alerts.catalogue.counts import Count
from alerts.catalogue.model import HOUR, MINUTE
from alerts.evidence import Mark, narrowed
from alerts.promql import duration, labelled, sum_by, tree
from alerts.recording import rule
from alerts.watching import alert, watched
from dashboards.lib import thresholds, variables
from dashboards.lib.model import Colour, Column, Link, Prom, Stat, Step, Table, TimeSeries

_SHORT_S: Final = 5 * MINUTE
_EVENT: Final = dict.fromkeys(Unit, "event") | {Unit.TOKENS: "model call", Unit.SCORE: "score"}
_NONE_YET: Final = "none yet"
_TINY: Final = 1e-9  # thresholds colour from a value on; "more than 0" starts just beyond it


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads KPIs as the variables of one board narrow them; `labels` are those variables' labels."""

    labels: tuple[Label, ...]

    def narrowed(self, series: str, by: Iterable[str], **constant: str) -> str:
        """A recorded series, narrowed by the variables that both the board and the series have."""
        by = tuple(by)
        return series + variables.chosen(tuple(label for label in self.labels if label in by), **constant)

    def kpi(self, kpi: Kpi, window_s: int = _SHORT_S, quantile: float | None = None) -> str:
        """A KPI's value, or one of its quantiles."""
        name = rule.value(kpi, window_s) if quantile is None else rule.quantile(kpi, quantile, window_s)
        return self.narrowed(name, kpi.by)

    def events(self, kpi: Kpi, window_s: int = _SHORT_S) -> str:
        """How many events the KPI rests on."""
        return self.narrowed(rule.events(kpi, window_s), kpi.by)

    def count(self, count: Count, window_s: int) -> str:
        """A count over a window."""
        return self.narrowed(rule.increase(count, window_s), count.by)

    def firing(self, by: Iterable[str], **constant: str) -> str:
        """Alerts that fire, counted by labels of theirs."""
        by = tuple(by)
        return sum_by(by, self.narrowed("ALERTS", (*by, *VARIABLES), alertstate="firing", **constant))

    def line(self, kpi: Kpi, **rest: Any) -> TimeSeries:  # noqa: ANN401 fields of Panel
        """A KPI over time, one line per identity, with the thresholds of what is promised."""
        query = Prom(expr=self.kpi(kpi), legend=legend(kpi.by) or kpi.title)
        maximum = 1.0 if kpi.is_share else None
        return TimeSeries(**{**_common(kpi), "queries": (query,), "maximum": maximum, **rest})

    def quantiles(self, kpi: Kpi, **rest: Any) -> TimeSeries:  # noqa: ANN401 fields of Panel
        """The recorded quantiles of a KPI over time; slow traces show as exemplars."""
        queries = tuple(
            Prom(expr=self.kpi(kpi, quantile=q), legend=f"{legend(kpi.by)} p{q * 100:g}".strip()) for q in kpi.quantiles
        )
        made = {"title": f"{kpi.title}, quantiles", "steps": thresholds.steps(kpi, max(kpi.quantiles))}
        return TimeSeries(**{**_common(kpi), **made, "queries": queries, **rest})

    def worst(self, kpi: Kpi, **rest: Any) -> Stat:  # noqa: ANN401 fields of Panel
        """A KPI as one number: the worst of all identities."""
        query = Prom(expr=f"{_worst(kpi)}({self.kpi(kpi)})")
        made = {"title": f"{kpi.title}, worst", "queries": (query,), "width": 4, "height": 4}
        return Stat(**{**_common(kpi), **made, **rest})

    def traffic(self, kpi: Kpi, title: str, **rest: Any) -> TimeSeries:  # noqa: ANN401 fields of Panel
        """How many events a KPI rests on: what makes its value trustworthy."""
        made = {
            "title": title,
            "description": "Counted over the five minutes before. Few events make every share and every mean jump.",
            "no_data": "Nothing came in this time range: there is no traffic, or its telemetry does not arrive.",
            "queries": (Prom(expr=self.events(kpi), legend=legend(kpi.by)),),
            "stacked": True,
        }
        return TimeSeries(**{**made, **rest})

    def last(self, kpi: Kpi, by: Iterable[str], window_s: int = HOUR) -> Prom:
        """The last value in the time range by labels: the worst, where a KPI has more labels than those."""
        return latest(self.kpi(kpi, window_s), by, _worst(kpi))

    def table(
        self,
        by: tuple[Label, ...],
        kpis: Mapping[str, Kpi],
        events: Kpi,
        *,
        link: Link,
        **rest: Any,  # noqa: ANN401
    ) -> Table:
        """One row per identity: how many events of the last hour, how many alerts, and KPIs under short headings."""
        queries = (
            latest(self.events(events, HOUR), by, "sum"),
            Prom(expr=self.firing(by), instant=True),
            *(self.last(kpi, by) for kpi in kpis.values()),
        )
        columns = (
            *(Column(title=_HEADINGS.get(label, label), label=label, link=link) for label in by),
            Column(title="Events", query=0, format=thresholds.FORMATS[Unit.PER_CALL]),
            Column(title="Alerts", query=1, format=thresholds.FORMATS[Unit.PER_CALL], steps=thresholds.NONE_WANTED),
            *(_column(title, kpi, number) for number, (title, kpi) in enumerate(kpis.items(), start=2)),
        )
        return Table(**{"queries": queries, "columns": columns, "sort_by": "Alerts", "descending": True, **rest})

    def watching(
        self,
        *names: str,
        zero: str = "",
        by: tuple[str, ...] = (),
        **rest: Any,  # noqa: ANN401 fields of Panel
    ) -> TimeSeries:
        """What alerts watch, with their thresholds. Where `zero` has a sample and nothing is counted, 0 is shown."""
        every = [(alert(name), each) for name in names for each in watched(name)]
        first = every[0][1]
        labels = by or tuple(dict.fromkeys(label for found, _ in every for label in found.by))
        # On the label that the legend shows, or the line would have no name.
        named = next((label for label in labels if f"{{{{{label}}}}}" in legend(labels)), labels[0])
        none = labelled(f"0 * {zero}", named, _NONE_YET) if zero else ""
        otherwise = f" or on () {none}" if none else ""
        queries = (
            Prom(expr=self._here(found, each) + otherwise, legend=what + legend(labels))
            for what, found, each in _told_apart(every)
        )
        low, high = (Colour.GOOD, Colour.BAD) if first.is_above else (Colour.BAD, Colour.GOOD)
        made = {
            "queries": tuple(queries),
            "steps": (Step(None, low), Step(first.number + _TINY, high)),
            "alerts": names,
        }
        return TimeSeries(**{**made, **rest})

    def _here(self, found: Alert, each: Comparison) -> str:
        """What an alert compares, for what is chosen; the rule itself is about everything everywhere."""
        mine = tuple(label for label in self.labels if label in found.by)
        return narrowed(each.value, mine, Mark.PATTERN, VARIABLES)


_HEADINGS: Final = {
    Label.AGENT: "Agent", Label.TOOL: "Tool", Label.WORKFLOW: "Workflow", Label.MODEL: "Model",
    Label.SERVICE: "Service", Label.EVALUATION: "Evaluation",
}  # fmt: skip


def latest(series: str, by: Iterable[str], pick: str) -> Prom:
    """The last value in the time range, brought together by labels."""
    return Prom(expr=f"{pick} by ({', '.join(by)}) (last_over_time({series}[$__range]))", instant=True)


def _told_apart(every: Iterable[tuple[Alert, Comparison]]) -> Iterator[tuple[str, Alert, Comparison]]:
    """Each comparison once, after what names its lines beside the others: its alert, its series, or nothing."""
    once = {each.value: (found, each) for found, each in reversed([*every])}
    kept = [*reversed(once.values())]
    of_alert = Counter(found.name for found, _ in kept)
    for found, each in kept:
        alone = found.name if len(of_alert) > 1 else ""
        what = _subject(each.value) if of_alert[found.name] > 1 else alone
        yield f"{what}: " if what else "", found, each


def _subject(expr: str) -> str:
    """What a comparison is about in words, from its first series without the program that has it."""
    series = next(tree.selectors(tree.parse(expr))).name or ""
    # A counter that was not there before: its first increment shows in no increase.
    first = ("new",) if "unless" in expr.split() else ()
    return " ".join((*re.split("[_:]", series.removesuffix("_total"))[1:], *first))


def legend(by: Iterable[str]) -> str:
    """Name of a line: the values of its labels except the environment, of which a board shows one."""
    return " ".join(f"{{{{{label}}}}}" for label in by if label != Label.ENVIRONMENT)


def _column(title: str, kpi: Kpi, query: int) -> Column:
    return Column(title=title, query=query, format=thresholds.FORMATS[kpi.unit], steps=thresholds.steps(kpi))


def _worst(kpi: Kpi) -> str:
    return "min" if kpi.direction is Direction.HIGHER_IS_BETTER else "max"


def _common(kpi: Kpi) -> dict[str, Any]:
    """What the catalogue knows about any panel of a KPI."""
    return {
        "title": kpi.title,
        "description": _described(kpi),
        "no_data": f"No {_EVENT[kpi.unit]} that this KPI rests on was counted in this time range.",
        "format": thresholds.FORMATS[kpi.unit],
        "steps": thresholds.steps(kpi),
        "alerts": tuple(objective.alert for objective in kpi.objectives),
    }


def _described(kpi: Kpi) -> str:
    up = kpi.direction is Direction.HIGHER_IS_BETTER
    promises = "".join(
        f" Promised: {'at least' if up else 'at most'} {number(kpi, objective.target)}"
        f"{'' if objective.quantile is None else f' at the {objective.quantile * 100:g}th percentile'}"
        f" over {duration(objective.window_s)} ({objective.alert})."
        for objective in kpi.objectives
    )
    return f"{kpi.meaning} {'Higher' if up else 'Lower'} is better.{promises}"
