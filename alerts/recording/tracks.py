"""Recording rules about rollout tracks: how the canary does, and how much worse than what is stable."""

from collections.abc import Iterator
from typing import Final

from agentobs.contract import Label, Track
from alerts import promql
from alerts.catalogue import DIAGNOSED, MIN_EVENTS, Kpi, Severity
from alerts.catalogue.model import HOUR, MINUTE
from alerts.promql import labelled
from alerts.recording.comparison import worsening
from alerts.recording.rule import Record, RecordGroup
from alerts.timing import Timing

EVENTS: Final = "track:events1h"
VALUE: Final = "track:value1h"
WORSENING: Final = "track:canary_worsening1h"
"""How much worse the canary is than what is stable; positive is worse. By `kpi` and the KPI's labels."""
Z: Final = "track:canary_z1h"
"""The same in standard errors, for shares."""

_POOLED: Final = "track:pooled1h"

# What decides whether a canary may go on.
JUDGED: Final = tuple(
    kpi for kpi in DIAGNOSED if kpi.regression is Severity.PAGE and kpi.sliced_by((*kpi.by, Label.TRACK))
)
LABELS: Final = tuple(dict.fromkeys(label for kpi in JUDGED for label in kpi.by))
_ON: Final = ", ".join(("kpi", *LABELS))


def groups(timing: Timing) -> Iterator[RecordGroup]:
    """Every KPI that decides about a canary, by track, and the comparison."""
    slices = [record for kpi in JUDGED for record in _slices(kpi, timing)]
    yield RecordGroup(name="tracks-compared", interval_s=MINUTE, rules=(*slices, *_compared()))


def _slices(kpi: Kpi, timing: Timing) -> Iterator[Record]:
    by, window = (*kpi.by, Label.TRACK), timing.seconds(HOUR)
    events, counted = f'{EVENTS}{{kpi="{kpi.key}"}}', promql.increase(kpi.denominator, by, {}, window)
    part = labelled(promql.increase(kpi.numerator, by, {}, window), "kpi", kpi.key)
    yield Record(name=EVENTS, expr=f"{labelled(counted, 'kpi', kpi.key)} >= {MIN_EVENTS}", labels={"kpi": kpi.key})
    yield Record(name=VALUE, expr=f"(({part} and {events}) or 0 * {events}) / {events}", labels={"kpi": kpi.key})


def _of(series: str, track: Track) -> str:
    return f'{series}{{track="{track}"}}'


def _compared() -> Iterator[Record]:
    for kpi in JUDGED:
        new, old = (f'{VALUE}{{kpi="{kpi.key}", track="{track}"}}' for track in (Track.CANARY, Track.STABLE))
        yield Record(name=WORSENING, expr=worsening(kpi, new, old, ("kpi", *kpi.by)), labels={"kpi": kpi.key})
    new, n_new = _of(VALUE, Track.CANARY), _of(EVENTS, Track.CANARY)
    old, n_old = _of(VALUE, Track.STABLE), _of(EVENTS, Track.STABLE)
    with_old = f"on ({_ON}) group_left()"
    good = f"{new} * {n_new} + {with_old} ({old} * {n_old})"
    yield Record(name=_POOLED, expr=f"({good}) / ({n_new} + {with_old} {n_old})")
    spread = f"{_POOLED} * (1 - {_POOLED}) * (1 / {n_new} + {with_old} (1 / {n_old}))"
    yield Record(name=Z, expr=f"{WORSENING} / sqrt({spread})")
