"""Recording rules about rollout tracks: how the canary does, and how much worse than what is stable."""

from collections.abc import Iterator
from typing import Final

from agentobs.contract import Label, Track
from alerts import promql
from alerts.catalogue import DIAGNOSED, MIN_EVENTS, Kpi, Selector, Severity
from alerts.catalogue.attempts import first_attempts, once
from alerts.catalogue.model import HOUR, MINUTE
from alerts.promql import labelled
from alerts.recording import certainty
from alerts.recording.comparison import worsening
from alerts.recording.rule import Record, RecordGroup
from alerts.timing import Timing

EVENTS: Final = "track:events1h"
VALUE: Final = "track:value1h"
WORSENING: Final = "track:canary_worsening1h"
"""How much worse the canary is than what is stable; positive is worse. By `kpi` and the KPI's labels."""
Z: Final = "track:canary_z1h"
"""The same in standard errors, for shares (`certainty`)."""
BAD: Final = "track:canary_bad1h"
"""Bad events of the canary."""
NEEDED: Final = "track:needed_z1h"
"""By environment: the standard errors that are hardly chance, all comparisons together."""

_SHARE: Final = "track:share1h"
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
    events, labels = f'{EVENTS}{{kpi="{kpi.key}"}}', {"kpi": kpi.key}

    def counted(selector: Selector) -> str:
        return labelled(promql.increase(selector, by, {}, window), "kpi", kpi.key)

    def quotient(part: Selector, whole: str) -> str:
        return f"(({counted(part)} and {events}) or 0 * {whole}) / {whole}"

    yield Record(name=EVENTS, expr=f"{counted(once(kpi, kpi.denominator))} >= {MIN_EVENTS}", labels=labels)
    yield Record(name=_SHARE, expr=quotient(once(kpi, kpi.numerator), events), labels=labels)
    all_ = f"({counted(kpi.denominator)} and {events})"
    value = quotient(kpi.numerator, all_) if first_attempts(kpi) else f'{_SHARE}{{kpi="{kpi.key}"}}'
    yield Record(name=VALUE, expr=value, labels=labels)


def _of(series: str, track: Track) -> str:
    return f'{series}{{track="{track}"}}'


def _compared() -> Iterator[Record]:
    for kpi in JUDGED:
        new, old = (f'{VALUE}{{kpi="{kpi.key}", track="{track}"}}' for track in (Track.CANARY, Track.STABLE))
        yield Record(name=WORSENING, expr=worsening(kpi, new, old, ("kpi", *kpi.by)), labels={"kpi": kpi.key})
    new, n_new = _of(_SHARE, Track.CANARY), _of(EVENTS, Track.CANARY)
    old, n_old = _of(_SHARE, Track.STABLE), _of(EVENTS, Track.STABLE)
    with_old = f"on ({_ON}) group_left()"
    good = f"{new} * {n_new} + {with_old} ({old} * {n_old})"
    both = f"({n_new} + {with_old} {n_old})"
    yield Record(name=_POOLED, expr=f"({good}) / {both}")
    sides = f"({certainty.of_share(new, n_new)} + {with_old} ({certainty.of_share(old, n_old)}))"
    yield Record(name=Z, expr=certainty.errors(WORSENING, sides, certainty.of_share(_POOLED, both)))
    yield Record(name=BAD, expr=f"({certainty.bad(_SHARE, EVENTS, JUDGED)}) and {n_new}")
    yield Record(name=NEEDED, expr=certainty.needed(WORSENING))
