"""Recording rules about versions: when each was first and last seen, how it does, how much worse than the one before.

All four dimensions share one shape: label `dimension` (prompt, tool, model, graph), the labels of whose version it is,
and the version itself in `version`. So one expression compares them all.
"""

from collections.abc import Iterator
from typing import Final

from agentobs.contract import ABSENT
from alerts import promql
from alerts.catalogue import DIAGNOSED, DIMENSIONS, MIN_EVENTS, TAIL, Dimension, Kpi, Selector
from alerts.catalogue.attempts import first_attempts, once
from alerts.catalogue.model import DAY, HOUR, MINUTE
from alerts.catalogue.wanted import Unlike
from alerts.promql import duration, labelled, renamed, sum_by
from alerts.recording import certainty
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
"""Events of the last hour that are tested: first attempts."""
VALUE: Final = "version:value1h"
SHARE: Final = "version:share1h"
"""The share of first attempts, where `version:value1h` is that of all."""
ABOVE: Final = "version:above1h"
"""By `le`: of the current version, the share of events above a bound of the histogram."""
WORSENING: Final = "version:worsening1h"
"""How much worse the current version is than the previous one (label `previous`); positive is worse."""
Z: Final = "version:z1h"
"""The same in standard errors, of all that can be tested: how much better two shares fit than one (`certainty`)."""
BAD: Final = "version:bad1h"
"""Bad events of the current version: failed, large, or counted."""
NEEDED: Final = "version:needed_z1h"
"""By environment: the standard errors that are hardly chance, all comparisons together."""

ENTITIES: Final = tuple(dict.fromkeys(label for dimension in DIMENSIONS for label in dimension.entity))
WHOSE: Final = ", ".join(("dimension", *ENTITIES))
_NEW_VALUE, NEW_EVENTS = "version:new_value1h", "version:new_events1h"
_OLD_VALUE, OLD_EVENTS = "version:old_value1h", "version:old_events1h"
_NEW_SHARE, _OLD_SHARE = "version:new_share1h", "version:old_share1h"
_POOLED: Final = "version:pooled1h"
_OLD_ABOVE, _BOUND = "version:old_above1h", "version:bound1h"
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


def _by_version(dimension: Dimension, inner: str, *by: str) -> str:
    """Samples with the dimension's own version label, brought to the labels that all dimensions share."""
    shared = sum_by((*dimension.entity, "version", *by), renamed(inner, dimension.version, "version"))
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
    """Events and value of a KPI for every version of the last hour that has enough of them, and what is tested."""
    known, window = {dimension.version: _KNOWN}, timing.seconds(HOUR)
    labels = {"dimension": dimension.key, "kpi": kpi.key}
    events = f'{EVENTS}{{dimension="{dimension.key}", kpi="{kpi.key}"}}'

    def counted(selector: Selector, *by: str) -> str:
        increase = promql.increase(selector, (*dimension.labels, *by), known, window)
        return labelled(_by_version(dimension, increase, *by), "kpi", kpi.key)

    def quotient(part: Selector, whole: str) -> str:
        return f"(({counted(part)} and {events}) or 0 * {whole}) / {whole}"

    yield Record(name=EVENTS, expr=f"{counted(once(kpi, kpi.denominator))} >= {MIN_EVENTS}", labels=labels)
    again = bool(first_attempts(kpi))
    whole = f"({counted(kpi.denominator)} and {events})" if again else events
    yield Record(name=VALUE, expr=quotient(kpi.numerator, whole), labels=labels)
    if kpi.is_share and again:
        yield Record(name=SHARE, expr=quotient(once(kpi, kpi.numerator), events), labels=labels)
    if kpi.buckets is not None:
        upto = f"({counted(once(kpi, kpi.buckets), 'le')} and on ({WHOSE}, version) {CURRENT})"
        yield Record(name=ABOVE, expr=f"1 - {upto} / ignoring (le) group_left () {events}", labels=labels)


def _compared(timing: Timing) -> Iterator[Record]:
    of_current = f"and on ({WHOSE}, version) {CURRENT}"
    yield Record(name=_NEW_VALUE, expr=f"{VALUE} {of_current}")
    yield Record(name=NEW_EVENTS, expr=f"{EVENTS} {of_current}")
    yield Record(name=_OLD_VALUE, expr=_before(VALUE, "avg", timing))
    yield Record(name=OLD_EVENTS, expr=_before(EVENTS, "max", timing))
    yield from _shares(timing, of_current)
    for kpi in DIAGNOSED:
        if any(kpi.sliced_by(dimension.labels) for dimension in DIMENSIONS):
            mine, slice_ = f'{{kpi="{kpi.key}"}}', ("kpi", "dimension", *ENTITIES)
            worse = worsening(kpi, f"{_NEW_VALUE}{mine}", f"{_OLD_VALUE}{mine}", slice_, carry="previous")
            yield Record(name=WORSENING, expr=worse, labels={"kpi": kpi.key})
    yield from _certain()


def _before(series: str, over: str, timing: Timing, *by: str) -> str:
    """The last day of the previous version."""
    last_day = f"{over}_over_time({series}[{duration(timing.seconds(_BEFORE_S))}])"
    of_previous = renamed(f"({last_day} and on ({WHOSE}, version) {PREVIOUS})", "version", "previous")
    return sum_by(("kpi", "dimension", *ENTITIES, "previous", *by), of_previous)


def _shares(timing: Timing, of_current: str) -> Iterator[Record]:
    """What is tested: first attempts; events above the bound that about a tenth of the old ones exceeded; counts."""
    yield Record(name=_OLD_ABOVE, expr=_before(ABOVE, "avg", timing, "le"))
    finite = f'{_OLD_ABOVE}{{le!="+Inf"}}'
    yield Record(name=_BOUND, expr=f"bottomk by (kpi, {WHOSE}) (1, abs({finite} - {TAIL:g}))")
    at_bound = f"and on (kpi, {WHOSE}, le) {_BOUND}"
    others = certainty.of_kpis(certainty.LARGE, others=True)
    large = f"max by (kpi, {WHOSE}, version) ({ABOVE} {of_current} {at_bound})"
    yield Record(name=_NEW_SHARE, expr=f"({SHARE} {of_current}) or {large} or {_NEW_VALUE}{others}")
    first, large = _before(SHARE, "avg", timing), f"max by (kpi, {WHOSE}, previous) ({_OLD_ABOVE} {at_bound})"
    yield Record(name=_OLD_SHARE, expr=f"{first} or {large} or {_OLD_VALUE}{others}")


def _certain() -> Iterator[Record]:
    """Standard errors of what is tested, its bad events, and what keeps the level."""
    with_old = f"on (kpi, {WHOSE}) group_left(previous)"
    both = f"({NEW_EVENTS} + {with_old} {OLD_EVENTS})"
    good = f"{_NEW_SHARE} * {NEW_EVENTS} + {with_old} ({_OLD_SHARE} * {OLD_EVENTS})"
    yield Record(name=_POOLED, expr=f"({good}) / {both}")
    made = []
    for of, kpis in (
        (certainty.of_share, (*certainty.SHARES, *certainty.LARGE)),
        (certainty.of_rate, certainty.RATES),
    ):
        sides = f"({of(_NEW_SHARE, NEW_EVENTS)} + {with_old} ({of(_OLD_SHARE, OLD_EVENTS)}))"
        made.append(certainty.errors(f"{WORSENING}{certainty.of_kpis(kpis)}", sides, of(_POOLED, both)))
    yield Record(name=Z, expr=" or ".join(made))
    yield Record(name=BAD, expr=certainty.bad(_NEW_SHARE, NEW_EVENTS, DIAGNOSED))
    yield Record(name=NEEDED, expr=certainty.needed(WORSENING))
