"""Series in memory that answer what `why` asks: replays of recordings and simulations, without a server.

Only for the forms of PromQL that `alerts.promql` builds for a diagnosis; anything else is an error. A test asks a real
Prometheus the same and compares.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.source import Exemplar, Sample, Series

_LOOKBACK_S: Final = 300.0
_UNITS: Final = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_FORM: Final = re.compile(
    r"sum(?: by \((?P<by>[^)]*)\) )?\((?P<increase>increase\()?(?P<name>\w+)(?P<where>\{.*?\})?"
    r"(?:\[(?P<window>\d+)(?P<unit>ms|[dhms])\] anchored\))?\)"
)
_MATCHER: Final = re.compile(r'(\w+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"')
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
Times = NDArray[np.float64]


@dataclass(slots=True)
class _Stored:
    """One counter: times (unix seconds, sorted), values, and values as if it had never been reset."""

    labels: Mapping[str, str]
    at: Times
    values: Times
    grown: Times


@dataclass(slots=True)
class MemorySource:
    """A `MetricsSource` over counters in memory; `asked` counts its queries."""

    stored: dict[str, list[_Stored]] = field(default_factory=dict)
    asked: int = 0

    def add(self, name: str, labels: Mapping[str, str], points: Iterable[tuple[float, float]]) -> None:
        """Keep one series, oldest point first."""
        self.add_arrays(name, labels, *np.array([*points], dtype=np.float64).reshape(-1, 2).T)

    def add_arrays(self, name: str, labels: Mapping[str, str], at: Times, values: Times) -> None:
        """The same from sorted times and their values."""
        steps = np.diff(values, prepend=values[:1] if len(values) else 0.0)
        resets = np.where(steps < 0, values, steps)
        grown = values[:1] + np.cumsum(resets) if len(values) else values
        self.stored.setdefault(name, []).append(_Stored(labels, at, values, grown))

    def instant(self, query: str, at: float) -> list[Sample]:
        """Recorded series are not kept here, so what asks for them finds nothing."""
        del at
        self.asked += 1
        if not query.startswith("last_over_time("):
            raise ValueError(f"not one of the queries that are answered here: {query}")
        return []

    def range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """Answer `sum by (...) (increase(x[w] anchored))` and `sum by (...) (x)`."""
        self.asked += 1
        form = _FORM.fullmatch(query)
        if form is None:
            raise ValueError(f"not one of the queries that are answered here: {query}")
        times = start + step * np.arange(int((end - start) / step + 1e-9) + 1)
        window = float(form["window"]) * _UNITS[form["unit"]] if form["window"] else None
        by = [label.strip() for label in (form["by"] or "").split(",") if label.strip()]
        sums: dict[tuple[str, ...], tuple[Times, NDArray[np.bool_]]] = {}
        for series in self.stored.get(form["name"], []):
            if not _selected(series.labels, form["where"] or ""):
                continue
            value, there = _increases(series, times, window) if window else _values(series, times)
            if not there.any():
                continue
            key = tuple(series.labels.get(label, "") for label in by)
            if key in sums:
                sums[key] = (sums[key][0] + value, sums[key][1] | there)
            else:
                sums[key] = (value, there)
        return [
            Series(
                {label: value for label, value in zip(by, key, strict=True) if value},
                [(float(t), float(v)) for t, v, ok in zip(times, value, there, strict=True) if ok],
            )
            for key, (value, there) in sums.items()
        ]

    def exemplars(self, query: str, start: float, end: float) -> list[Exemplar]:
        """None are kept."""
        del query, start, end
        self.asked += 1
        return []


def _selected(labels: Mapping[str, str], where: str) -> bool:
    for label, mark, text in _MATCHER.findall(where):
        wanted, value = text.replace('\\"', '"').replace("\\\\", "\\"), labels.get(label, "")
        fits = re.fullmatch(wanted, value) is not None if mark in {"=~", "!~"} else wanted == value
        if fits != (mark in {"=", "=~"}):
            return False
    return True


def _values(series: _Stored, times: Times) -> tuple[Times, NDArray[np.bool_]]:
    index = np.searchsorted(series.at, times, side="right") - 1
    there = (index >= 0) & (times - series.at[np.maximum(index, 0)] < _LOOKBACK_S)
    return np.where(there, series.values[np.maximum(index, 0)], 0.0), there


def _increases(series: _Stored, times: Times, window: float) -> tuple[Times, NDArray[np.bool_]]:
    after = np.searchsorted(series.at, times, side="right") - 1
    before = np.searchsorted(series.at, times - window, side="right") - 1
    there = (after >= 0) & (after > before)
    grown = series.grown[np.maximum(after, 0)] - series.grown[np.maximum(before, 0)]
    return np.where(there, grown, 0.0), there


def openmetrics(text: Iterable[str], start: float = 0.0) -> MemorySource:
    """Read OpenMetrics text whose times are seconds since `start` (unix seconds)."""
    points: dict[str, list[tuple[float, float]]] = {}
    for line in text:
        if not line.startswith("#"):
            series, value, at = line.rsplit(" ", 2)
            points.setdefault(series, []).append((float(at) + start, float(value)))
    source = MemorySource()
    for series, found in points.items():
        name, _, labels = series.partition("{")
        source.add(name, {key: _unescaped(value) for key, value in _LABEL.findall(labels)}, sorted(found))
    return source


def _unescaped(value: str) -> str:
    return value.replace('\\"', '"').replace("\\\\", "\\")
