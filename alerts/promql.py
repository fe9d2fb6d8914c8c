"""The one place that builds PromQL."""

from collections.abc import Mapping, Sequence

from alerts.catalogue import Selector
from collector.signals import Label


def matchers(where: Mapping[Label, str]) -> str:
    """`{label="value"}`; a value starting with `!` becomes `!=`. Values are escaped."""
    return "{" + ",".join(_matcher(label, value) for label, value in where.items()) + "}"


def _matcher(label: Label, value: str) -> str:
    negated = value.startswith("!")
    text = value.removeprefix("!").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{label}{"!=" if negated else "="}"{text}"'


def _sum_by(by: Sequence[Label], inner: str) -> str:
    return f"sum by ({', '.join(by)}) ({inner})" if by else f"sum({inner})"


def total(selector: Selector, by: Sequence[Label], where: Mapping[Label, str]) -> str:
    """The counter itself, summed by labels: for reading when something was first in use."""
    return _sum_by(by, f"{selector.series}{matchers({**selector.where, **where})}")


def increase(selector: Selector, by: Sequence[Label], where: Mapping[Label, str], window_s: float) -> str:
    """Increase over the window, exact: `anchored` neither extrapolates nor drops the first increment."""
    series = f"{selector.series}{matchers({**selector.where, **where})}"
    return _sum_by(by, f"increase({series}[{max(1, round(window_s * 1000))}ms] anchored)")


def exemplars(selector: Selector, where: Mapping[Label, str]) -> str:
    """Selector for the exemplars of a series."""
    return f"{selector.series}{matchers({**selector.where, **where})}"


def series_per_value(series: Sequence[str], by: Sequence[Label], where: Mapping[Label, str], window_s: float) -> str:
    """How many of the series had each combination of label values at any time of the window."""
    return f"count by ({', '.join(by)}) ({last('|'.join(series), where, window_s)})"


def last(names: str, where: Mapping[Label, str], window_s: float) -> str:
    """Last value in the window of every series whose name matches `names`, a regular expression."""
    rest = "".join(f",{_matcher(label, value)}" for label, value in where.items())
    return f'last_over_time({{__name__=~"{names}"{rest}}}[{max(1, round(window_s * 1000))}ms])'
