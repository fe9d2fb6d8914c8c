"""Series in memory that answer what `why` asks: replays of recordings and simulations, without a server.

Only for the forms of PromQL that `alerts.promql` builds for a diagnosis; anything else is an error. A test asks a real
Prometheus the same and compares.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
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
_BASE_S: Final = 1_700_000_000.0
_APART_S: Final = 1e6
Times = NDArray[np.float64]
_Summed = tuple[tuple[str, ...], Times, NDArray[np.bool_]]
"""A key, its values, and where there are any."""


@dataclass(slots=True)
class _Stored:
    """One counter: times (unix seconds, sorted), values, and values as if it had never been reset."""

    labels: Mapping[str, str]
    at: Times
    values: Times
    grown: Times


@dataclass(frozen=True, slots=True)
class _Merged:
    """What a query selects, summed by labels: for each `key` the samples of all its series, one key after the other.

    `at` grows over all of them, as each key's times are `_APART_S` after those of the one before; `grown` are running
    sums of increments, `borders` where each key begins and the last one ends.
    """

    keys: list[tuple[str, ...]]
    at: Times
    grown: Times
    borders: NDArray[np.int_]


@dataclass(slots=True)
class MemorySource:
    """A `MetricsSource` over counters in memory; `asked` counts its queries. What is selected once is kept."""

    stored: dict[str, list[_Stored]] = field(default_factory=dict)
    asked: int = 0
    merged: dict[tuple[str, ...], _Merged] = field(default_factory=dict)

    def add(self, name: str, labels: Mapping[str, str], points: Iterable[tuple[float, float]]) -> None:
        """Keep one series, oldest point first."""
        self.add_arrays(name, labels, *np.array([*points], dtype=np.float64).reshape(-1, 2).T)

    def add_arrays(self, name: str, labels: Mapping[str, str], at: Times, values: Times) -> None:
        """The same from sorted times and their values."""
        steps = np.diff(values, prepend=values[:1] if len(values) else 0.0)
        resets = np.where(steps < 0, values, steps)
        grown = values[:1] + np.cumsum(resets) if len(values) else values
        self.stored.setdefault(name, []).append(_Stored(labels, at, values, grown))
        self.merged.clear()

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
        by = tuple(label.strip() for label in (form["by"] or "").split(",") if label.strip())
        if window is None:
            sums = self._totals(form["name"], form["where"] or "", by, times)
        else:
            sums = self._increases(form["name"], form["where"] or "", by, times, window)
        return [
            Series(
                {label: value for label, value in zip(by, key, strict=True) if value},
                [*zip(times[there].tolist(), value[there].tolist(), strict=True)],
            )
            for key, value, there in sums
            if there.any()
        ]

    def _totals(self, name: str, where: str, by: tuple[str, ...], times: Times) -> Iterator[_Summed]:
        sums: dict[tuple[str, ...], tuple[Times, NDArray[np.bool_]]] = {}
        for series in self.stored.get(name, []):
            if _selected(series.labels, where):
                value, there = _values(series, times)
                key = tuple(series.labels.get(label, "") for label in by)
                known = sums.get(key, (np.zeros(len(times)), np.zeros(len(times), bool)))
                sums[key] = (known[0] + value, known[1] | there)
        yield from ((key, value, there) for key, (value, there) in sums.items())

    def _increases(self, name: str, where: str, by: tuple[str, ...], times: Times, window: float) -> Iterator[_Summed]:
        merged = self.merged.get((name, where, *by))
        if merged is None:
            merged = self.merged[name, where, *by] = self._merge(name, where, by)
        if not merged.keys:
            return
        apart = _APART_S * np.arange(len(merged.keys))[:, None]
        after, before = (
            np.clip(
                np.searchsorted(merged.at, apart + (at - _BASE_S), side="right"),
                merged.borders[:-1, None],
                merged.borders[1:, None],
            )
            for at in (times, times - window)
        )
        values = merged.grown[after] - merged.grown[before]
        yield from zip(merged.keys, values, after > before, strict=True)

    def _merge(self, name: str, where: str, by: tuple[str, ...]) -> _Merged:
        groups: dict[tuple[str, ...], list[_Stored]] = {}
        for series in self.stored.get(name, []):
            if len(series.at) and _selected(series.labels, where):
                groups.setdefault(tuple(series.labels.get(label, "") for label in by), []).append(series)
        times, steps, borders = [np.zeros(0)], [np.zeros(0)], [0]
        for number, group in enumerate(groups.values()):
            at = np.concatenate([series.at for series in group])
            order = np.argsort(at, kind="stable")
            times.append(at[order] - _BASE_S + number * _APART_S)
            # The first value of a series is what it begins with, not an increase.
            steps.append(np.concatenate([np.diff(series.grown, prepend=series.grown[0]) for series in group])[order])
            borders.append(borders[-1] + len(at))
        grown = np.concatenate([[0.0], np.cumsum(np.concatenate(steps))])
        return _Merged([*groups], np.concatenate(times), grown, np.array(borders))

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
