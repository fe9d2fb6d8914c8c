"""Expressions of PromQL from selectors and labels: nothing else in the product puts PromQL together."""

from collections.abc import Mapping, Sequence
from typing import Final

from agentobs.contract import Label
from alerts.catalogue.model import Selector
from alerts.catalogue.wanted import Like, Not, Unlike, Wanted, Where
from collector.quotes import quoted

_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))

_ANCHORED: Final = " anchored"


def duration(seconds: float) -> str:
    """`5m`: the largest unit that is exact, at least one millisecond."""
    milliseconds = max(1, round(seconds * 1000))
    unit, size = next((unit, size) for unit, size in _UNITS if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"


def matchers(where: Where | Mapping[str, Wanted]) -> str:
    """`{label="value"}`, or as `Not`, `Like` and `Unlike` say. Values are escaped."""
    return "{" + ",".join(_matcher(label, value) for label, value in where.items()) + "}" if where else ""


def _matcher(label: str, wanted: Wanted) -> str:
    match wanted:
        case Not(value):
            return f"{label}!={quoted(value)}"
        case Like(pattern):
            return f"{label}=~{quoted(pattern)}"
        case Unlike(pattern):
            return f"{label}!~{quoted(pattern)}"
        case _:
            return f"{label}={quoted(wanted)}"


def plain(text: str) -> str:
    """The expression without `anchored`, which stores other than Prometheus 3.16 may not know.

    `increase` then sees only samples inside the window and extrapolates to its edges. A count is up to
    `step / (window - step)` too high, 0.3 % of five minutes with a sample each second and 5 % with one each 15 s; what
    happened in the step at the edge of the window is left out. Shares hardly change, for both their sides are off
    alike; counts are whole numbers no more, and the first increment of a series counts only after a zero point.
    """
    return text.replace(f"]{_ANCHORED}", "]")


def sum_by(by: Sequence[str], inner: str) -> str:
    """`sum by (...) (inner)`."""
    return f"sum by ({', '.join(by)}) ({inner})" if by else f"sum({inner})"


def total(selector: Selector, by: Sequence[Label], where: Where) -> str:
    """The counter itself, summed by labels: for reading when something was first in use."""
    return sum_by(by, f"{selector.series}{matchers({**selector.where, **where})}")


def increase(selector: Selector, by: Sequence[str], where: Where, window_s: float) -> str:
    """Increase over the window, exact: `anchored` neither extrapolates nor drops the first increment."""
    return sum_by(by, f"increase({exemplars(selector, where)}[{duration(window_s)}]{_ANCHORED})")


def buckets(series: str, by: Sequence[str], where: Where, window_s: float) -> str:
    """Increase of a histogram's buckets over the window."""
    return sum_by((*by, "le"), f"increase({series}{matchers(where)}[{duration(window_s)}]{_ANCHORED})")


def exemplars(selector: Selector, where: Where) -> str:
    """Selector for the exemplars of a series."""
    return f"{selector.series}{matchers({**selector.where, **where})}"


def series_per_value(series: Sequence[str], by: Sequence[Label], where: Where, window_s: float) -> str:
    """How many of the series had each combination of label values at any time of the window."""
    return f"count by ({', '.join(by)}) ({last('|'.join(series), where, window_s)})"


def last(names: str, where: Where, window_s: float) -> str:
    """Last value in the window of every series whose name matches `names`, a regular expression."""
    rest = "".join(f",{_matcher(label, value)}" for label, value in where.items())
    return f'last_over_time({{__name__=~"{names}"{rest}}}[{duration(window_s)}])'


def renamed(inner: str, label: str, new: str) -> str:
    """The same samples with the value of `label` in `new` too."""
    return f'label_replace({inner}, "{new}", "$1", "{label}", "(.*)")'


def labelled(inner: str, label: str, value: str) -> str:
    """The same samples with a constant label."""
    return f'label_replace({inner}, "{label}", {quoted(value)}, "", "")'
