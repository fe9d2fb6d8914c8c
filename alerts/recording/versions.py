"""Recording rules about versions: when each was first and last seen, how it does, how much worse than the one before.

All four dimensions share one shape: label `dimension` (prompt, tool, model, graph), the labels of whose version it is,
and the version itself in `version`. So one expression compares them all.
"""

from collections.abc import Iterator
from typing import Final

from agentobs.contract import ABSENT
from alerts import promql
from alerts.catalogue import DIAGNOSED, DIMENSIONS, MIN_EVENTS, Dimension, Kpi, Selector
from alerts.catalogue.model import DAY, HOUR, MINUTE
from alerts.catalogue.wanted import Unlike
from alerts.promql import duration, labelled, renamed, sum_by
from alerts.recording.comparison import worsening
from alerts.recording.rule import Record, RecordGroup
from alerts.timing import Timing

FIRST_SEEN: Final = "version:first_seen_timestamp_seconds"
LAST_SEEN: Final = "version:last_seen_timestamp_seconds"
CURRENT: Final = "version:current"
"""The newest version in use, per dimension and owner; the value is when it was first seen."""
PREVIOUS: Final = "version:previous"
"""The version that was in use last before the current one; the value is when it was last seen."""
EVENTS: Final = "version:events1h"
VALUE: Final = "version:value1h"
WORSENING: Final = "version:worsening1h"
"""How much worse the current version is than the previous one (label `previous`); positive is worse."""
Z: Final = "version:z1h"
"""The same in standard errors, for shares."""

ENTITIES: Final = tuple(dict.fromkeys(label for dimension in DIMENSIONS for label in dimension.entity))
WHOSE: Final = ", ".join(("dimension", *ENTITIES))
_NEW_VALUE, _NEW_EVENTS = "version:new_value1h", "version:new_events1h"
_OLD_VALUE, _OLD_EVENTS = "version:old_value1h", "version:old_events1h"
_POOLED: Final = "version:pooled1h"
_KNOWN: Final = Unlike(f"|{ABSENT}")  # neither absent nor the word for it
# In use: seen within the last minutes, which also bridges a restart of the collector.
_IN_USE_S: Final = 10 * MINUTE
_SEEN_S: Final = 5 * MINUTE
# Carried from evaluation to evaluation. The look back outlives an outage of Prometheus; the memory is a month.
_CARRY_S: Final = 6 * HOUR
_FORGET_S: Final = 30 * DAY
# A version that is fading out is judged by its last day.
_BEFORE_S: Final = DAY


def groups(timing: Timing) -> Iterator[RecordGroup]:
    """Sightings every 15 s; what builds on them once a minute."""
    seen = [record for dimension in DIMENSIONS for record in _seen(dimension, timing)]
    yield RecordGroup(name="versions-seen", interval_s=15, rules=(*seen, *_newest(timing)))
    slices = [
        record
        for dimension in DIMENSIONS
        for kpi in DIAGNOSED
        if kpi.sliced_by(dimension.labels)
        for record in _slices(kpi, dimension, timing)
    ]
    yield RecordGroup(name="versions-compared", interval_s=MINUTE, rules=(*slices, *_compared(timing)))


def _by_version(dimension: Dimension, inner: str) -> str:
    """Samples with the dimension's own version label, brought to the labels that all dimensions share."""
    shared = sum_by((*dimension.entity, "version"), renamed(inner, dimension.version, "version"))
    return labelled(shared, "dimension", dimension.key)


def seen_now(dimension: Dimension, timing: Timing) -> str:
    """Versions that calls of the last minutes carried; the value is the time."""
    known = {dimension.version: _KNOWN}
    calls = promql.increase(dimension.counted, dimension.labels, known, timing.seconds(_SEEN_S))
    return f"({_by_version(dimension, calls)} > 0) * 0 + time()"


def _seen(dimension: Dimension, timing: Timing) -> Iterator[Record]:
    labels = {"dimension": dimension.key}
    mine = f'{{dimension="{dimension.key}"}}'
    carry = f"[{timing.of(_CARRY_S)}]"
    oldest = f"time() - {round(timing.seconds(_FORGET_S))}"
    now = seen_now(dimension, timing)
    yield Record(name=LAST_SEEN, expr=f"{now} or (last_over_time({LAST_SEEN}{mine}{carry}) > {oldest})", labels=labels)
    before = f"(last_over_time({FIRST_SEEN}{mine}{carry}) and {LAST_SEEN}{mine})"
    yield Record(name=FIRST_SEEN, expr=f"{before} or {LAST_SEEN}{mine}", labels=labels)


def _newest(timing: Timing) -> Iterator[Record]:
    in_use = f"({LAST_SEEN} > time() - {timing.seconds(_IN_USE_S):g})"
    yield Record(name=CURRENT, expr=f"topk by ({WHOSE}) (1, {FIRST_SEEN} and {in_use})")
    older = f"({FIRST_SEEN} < on ({WHOSE}) group_left() {CURRENT})"
    yield Record(name=PREVIOUS, expr=f"topk by ({WHOSE}) (1, {LAST_SEEN} and {older})")


def _slices(kpi: Kpi, dimension: Dimension, timing: Timing) -> Iterator[Record]:
    """Events and value of a KPI for every version of the last hour that has enough of them."""
    known, window = {dimension.version: _KNOWN}, timing.seconds(HOUR)

    def increase(selector: Selector) -> str:
        per_version = _by_version(dimension, promql.increase(selector, dimension.labels, known, window))
        return labelled(per_version, "kpi", kpi.key)

    labels = {"dimension": dimension.key, "kpi": kpi.key}
    events = f'{EVENTS}{{dimension="{dimension.key}", kpi="{kpi.key}"}}'
    yield Record(name=EVENTS, expr=f"{increase(kpi.denominator)} >= {MIN_EVENTS}", labels=labels)
    part = f"({increase(kpi.numerator)} and {events})"
    yield Record(name=VALUE, expr=f"({part} or 0 * {events}) / {events}", labels=labels)


def _compared(timing: Timing) -> Iterator[Record]:
    of_current = f"and on ({WHOSE}, version) {CURRENT}"
    yield Record(name=_NEW_VALUE, expr=f"{VALUE} {of_current}")
    yield Record(name=_NEW_EVENTS, expr=f"{EVENTS} {of_current}")
    for name, series, over in ((_OLD_VALUE, VALUE, "avg"), (_OLD_EVENTS, EVENTS, "max")):
        last_day = f"{over}_over_time({series}[{duration(timing.seconds(_BEFORE_S))}])"
        of_previous = renamed(f"({last_day} and on ({WHOSE}, version) {PREVIOUS})", "version", "previous")
        yield Record(name=name, expr=sum_by(("kpi", "dimension", *ENTITIES, "previous"), of_previous))
    for kpi in DIAGNOSED:
        if any(kpi.sliced_by(dimension.labels) for dimension in DIMENSIONS):
            mine, slice_ = f'{{kpi="{kpi.key}"}}', ("kpi", "dimension", *ENTITIES)
            worse = worsening(kpi, f"{_NEW_VALUE}{mine}", f"{_OLD_VALUE}{mine}", slice_, carry="previous")
            yield Record(name=WORSENING, expr=worse, labels={"kpi": kpi.key})
    with_old = f"on (kpi, {WHOSE}) group_left(previous)"
    good = f"{_NEW_VALUE} * {_NEW_EVENTS} + {with_old} ({_OLD_VALUE} * {_OLD_EVENTS})"
    yield Record(name=_POOLED, expr=f"({good}) / ({_NEW_EVENTS} + {with_old} {_OLD_EVENTS})")
    # The two-proportion z statistic with a pooled share: worsening / sqrt(p (1 - p) (1 / n_new + 1 / n_old)).
    shares = "|".join(kpi.key for kpi in DIAGNOSED if kpi.is_share)
    spread = f"{_POOLED} * (1 - {_POOLED}) * (1 / {_NEW_EVENTS} + {with_old} (1 / {_OLD_EVENTS}))"
    yield Record(name=Z, expr=f'{WORSENING}{{kpi=~"{shares}"}} / sqrt({spread})')
