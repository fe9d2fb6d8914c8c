"""The course of a canary as a picture: its evidence against the line where it is rolled back, and its share below.

Drawn as SVG with classes, so that the page's style gives the colours of light and dark. No script, no library.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from delivery.controller.looks import Look
from delivery.environments.state import WHOLE

_WIDTH, _HEIGHT = 640, 250
_LEFT, _RIGHT, _TOP = 52, 12, 14
_EVIDENCE, _SHARE_TOP, _SHARE = 150, 184, 36
_LEAST: Final = 2
_DECADES: Final = (-1.0, 4.0)
"""Powers of ten that are always shown: evidence of 0.1 to 10,000."""


@dataclass(frozen=True, slots=True)
class Line:
    """One guardrail's evidence over time, as a power of ten."""

    key: str
    title: str
    points: list[tuple[float, float]]
    needed: float


def lines(looks: Sequence[Look], titles: dict[str, str]) -> list[Line]:
    """The guardrails that are tested by evidence, those nearest to their line first."""
    found: dict[str, Line] = {}
    for look in looks:
        for finding in look.decision.findings:
            if not 0 < finding.needed < math.inf or finding.e_value <= 0 or finding.at_once:
                continue
            title = titles.get(finding.key, finding.key)
            line = found.setdefault(finding.key, Line(finding.key, title, [], math.log10(finding.needed)))
            line.points.append((look.age_s, math.log10(finding.e_value)))
    return sorted(found.values(), key=lambda line: line.needed - line.points[-1][1])


def chart(looks: Sequence[Look], found: Sequence[Line]) -> Markup:
    """The picture; empty for fewer than two looks."""
    if len(looks) < _LEAST:
        return Markup("")
    scale = _Scale(looks, found)
    parts = [*_axes(scale), *_evidence(scale, found), *_shares(scale, looks)]
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="Evidence of each guardrail, and the share of'
        ' sessions, over the age of the canary">{}</svg>'
    ).format(_WIDTH, _HEIGHT, Markup("").join(parts))


class _Scale:
    def __init__(self, looks: Sequence[Look], found: Sequence[Line]) -> None:
        self.end = max(looks[-1].age_s, 60.0)
        values = [value for line in found for _, value in line.points] + [line.needed for line in found]
        self.low = math.floor(max(-6.0, min([_DECADES[0], *values])))
        self.high = math.ceil(min(12.0, max([_DECADES[1], *values])))

    def x(self, age_s: float) -> float:
        return _LEFT + age_s / self.end * (_WIDTH - _LEFT - _RIGHT)

    def y(self, power: float) -> float:
        inside = min(max(power, self.low), self.high)
        return _TOP + (self.high - inside) / (self.high - self.low) * _EVIDENCE


def _axes(scale: _Scale) -> Iterator[Markup]:
    step = max(1, (scale.high - scale.low) // 5)
    for power in range(scale.low, scale.high + 1, step):
        y = scale.y(power)
        label = f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"
        yield _path("grid", f"M{_LEFT},{y:.1f}H{_WIDTH - _RIGHT}")
        yield _text(_LEFT - 6, y + 4, label, "end")
    for part in range(5):
        age = scale.end * part / 4
        anchor = {0: "start", 4: "end"}.get(part, "middle")
        yield _text(scale.x(age), _HEIGHT - 4, _age(age), anchor)


def _evidence(scale: _Scale, found: Sequence[Line]) -> Iterator[Markup]:
    if found:
        y = scale.y(min(line.needed for line in found))
        yield _path("limit", f"M{_LEFT},{y:.1f}H{_WIDTH - _RIGHT}")
        yield _text(_LEFT + 6, y - 4, "taken back or paused from here", "start")
    for number, line in reversed([*enumerate(found)]):
        points = " ".join(f"{scale.x(age):.1f},{scale.y(value):.1f}" for age, value in line.points)
        yield Markup('<polyline class="line n{}" points="{}"><title>{}</title></polyline>').format(
            min(number, 5), points, line.title
        )


def _shares(scale: _Scale, looks: Sequence[Look]) -> Iterator[Markup]:
    """Steps, on a scale of roots: 1 % is to be seen, too."""
    bottom = _SHARE_TOP + _SHARE
    path, last = f"M{scale.x(0):.1f},{bottom}", -1.0
    told: list[Markup] = []
    for look in looks:
        share = look.state.share
        if share != last:
            height = math.sqrt(share / WHOLE) * _SHARE
            path += f"H{scale.x(look.age_s):.1f}V{bottom - height:.1f}"
            told.append(_text(scale.x(look.age_s) + 3, bottom - height - 3, f"{share * 100 / WHOLE:g} %", "start"))
            last = share
    yield _path("share", f"{path}H{scale.x(looks[-1].age_s):.1f}V{bottom}Z")
    yield _text(_LEFT - 6, bottom, "share", "end")
    yield from told


def _path(kind: str, path: str) -> Markup:
    return Markup('<path class="{}" d="{}"/>').format(kind, path)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(f"{x:.1f}", f"{y:.1f}", anchor, text)


def _age(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004 two hours
