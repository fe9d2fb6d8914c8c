"""Cases of the recording rules of KPIs, counts and comparisons: raw counters in, numbers worked out by hand out."""

from collections.abc import Iterator, Mapping

from support.promtool import RecordCase

from alerts.catalogue import CATALOGUE, Direction, Kpi, Selector, Unit
from alerts.catalogue.counts import COUNTS, Count
from alerts.catalogue.model import HOUR, MINUTE
from alerts.catalogue.wanted import Not, narrows

WINDOWS = {
    5 * MINUTE: "5m", 10 * MINUTE: "10m", 15 * MINUTE: "15m", 30 * MINUTE: "30m", HOUR: "1h", 2 * HOUR: "2h",
    6 * HOUR: "6h", 24 * HOUR: "1d", 72 * HOUR: "3d",
}  # fmt: skip
SLICE = {
    "environment": "prod", "workflow": "support", "agent_name": "executor", "tool_name": "lookup", "model": "m",
    "provider": "p", "service": "orders", "eval_name": "quality", "prompt_name": "system", "prompt_version": "v",
    "tool_version": "v", "graph_version": "v", "track": "canary",
}  # fmt: skip


def series(name: str, labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{pairs}}}"


def fed(selector: Selector, by: tuple[str, ...], instance: str, **more: str) -> str:
    """The selector's series as a collector gives it: the slice, what is selected, and the collector's instance."""
    named = {str(label): SLICE[label] for label in by} | {str(k): v for k, v in selector.where.items()}
    return series(selector.series, {**named, **more, "instance": instance})


def _expected(kpi: Kpi | Count) -> str:
    return series("", {str(label): SLICE[label] for label in kpi.by} | _fixed(kpi))


def _fixed(kpi: Kpi | Count) -> dict[str, str]:
    """A label that is both selected and kept has the selected value."""
    selector = kpi.denominator if isinstance(kpi, Kpi) else kpi.of
    return {str(label): value for label, value in selector.where.items() if label in kpi.by}


def raw(kpi: Kpi, by: tuple[str, ...], length: int) -> tuple[dict[str, str], float, float]:
    """Raw series of a slice, events a step, and the value: two collectors, so that a sum over them is needed."""
    top, bottom = kpi.numerator, kpi.denominator
    if top.series != bottom.series or not narrows(top.where, bottom.where):
        given = {fed(top, by, "a"): f"0+2x{length}", fed(top, by, "b"): f"0+1x{length}"}
        given |= {fed(bottom, by, "a"): f"0+7x{length}", fed(bottom, by, "b"): f"0+5x{length}"}
        return given, 12, 0.25
    only = next(label for label, value in top.where.items() if bottom.where.get(label) != value)
    other = {str(only): "something-else"}
    given = {
        fed(top, by, "a"): f"0+2x{length}",
        fed(top, by, "b"): f"0+1x{length}",
        fed(Selector(series=top.series, labels=top.labels, where={**top.where, only: "something-else"}), by, "a",
            **other): f"0+1x{length}",
    }  # fmt: skip
    if isinstance(left_out := bottom.where.get(only), Not):  # it counts neither above nor below
        given[fed(top, by, "a", **{str(only): left_out.value})] = f"0+9x{length}"
    return given, 4, 0.75


def _raw(kpi: Kpi, length: int) -> tuple[dict[str, str], float, float]:
    return raw(kpi, kpi.by, length)


def _kpi(kpi: Kpi) -> Iterator[RecordCase]:
    kind = "ratio" if kpi.unit is Unit.RATIO else "mean"
    labels = _expected(kpi)
    for seconds in kpi.windows_s:
        window, step = WINDOWS[seconds], 1 if seconds <= HOUR else 15
        minutes = seconds // 60 // step
        length, at, every = minutes + 30, f"{(minutes + 20) * step}m", f"{step}m"
        given, events, value = _raw(kpi, length)
        yield RecordCase(
            record=f"kpi:{kpi.key}:events{window}", name="adds up collectors", series=given, at=at,
            expect={labels: events * minutes}, interval=every,
        )  # fmt: skip
        yield RecordCase(
            record=f"kpi:{kpi.key}:{kind}{window}", name="is a quotient", series=given, at=at, expect={labels: value},
            interval=every,
        )  # fmt: skip
        for q in kpi.quantiles:
            yield _quantile(kpi, q, window, length, at)
    yield from _edges(kpi, kind, labels)


def _quantile(kpi: Kpi, q: float, window: str, length: int, at: str) -> RecordCase:
    assert kpi.histogram is not None
    name = f"{kpi.histogram.series}_bucket"
    given = {}
    for instance in ("a", "b"):
        for le, rate in (("0.5", 2), ("1", 3), ("+Inf", 4)):
            selector = Selector(series=name, labels=kpi.denominator.labels, where=kpi.denominator.where)
            given[fed(selector, kpi.by, instance, le=le)] = f"0+{rate}x{length}"
    # Half of the events are at most 0.5; what lies beyond the last bound counts as that bound.
    expected = 0.5 if q == 0.5 else 1.0
    return RecordCase(
        record=f"kpi:{kpi.key}:p{q * 100:g}_{window}", name="from buckets", series=given, at=at,
        expect={_expected(kpi): expected},
    )  # fmt: skip


def _edges(kpi: Kpi, kind: str, labels: str) -> Iterator[RecordCase]:
    for seconds in kpi.windows_s:
        window, step = WINDOWS[seconds], 1 if seconds <= HOUR else 15
        steps = seconds // 60 // step
        at, every = f"{(steps + 15) * step}m", f"{step}m"
        given, _, _ = _raw(kpi, steps + 40)
        below = {name: values for name, values in given.items() if name not in _tops(kpi)}
        if kpi.histogram is None:
            yield RecordCase(
                record=f"kpi:{kpi.key}:{kind}{window}", name="is zero where the numerator never was", series=below,
                at=at, expect={labels: 0}, interval=every,
            )  # fmt: skip
        idle = dict.fromkeys(given, f"7x{steps + 40}")
        for record in ("events", kind):
            yield RecordCase(
                record=f"kpi:{kpi.key}:{record}{window}", name="has no sample without traffic", series=idle, at=at,
                interval=every,
            )  # fmt: skip
    given, events, _ = _raw(kpi, 40)
    # A collector begins again from zero in the eighth minute: nothing is lost, nothing counted twice.
    again = {name: f"{values.replace('x40', 'x7')} {values.replace('x40', 'x30')}" for name, values in given.items()}
    yield RecordCase(
        record=f"kpi:{kpi.key}:events5m", name="survives a restart", series=again, at="10m", expect={labels: events * 4}
    )


def _tops(kpi: Kpi) -> set[str]:
    return {fed(kpi.numerator, kpi.by, instance) for instance in ("a", "b")}


def _count(count: Count) -> Iterator[RecordCase]:
    for seconds in count.windows_s:
        minutes = seconds // 60
        given = {
            fed(count.of, count.by, "a"): f"0+2x{minutes + 30}",
            fed(count.of, count.by, "b"): f"0+1x{minutes + 30}",
        }
        yield RecordCase(
            record=f"kpi:{count.key}:increase{WINDOWS[seconds]}", name="adds up collectors", series=given,
            at=f"{minutes + 20}m", expect={_expected(count): 3 * minutes},
        )  # fmt: skip


def _constants() -> Iterator[RecordCase]:
    tolerances = {f'{{kpi="{kpi.key}"}}': kpi.tolerance for kpi in CATALOGUE}
    yield RecordCase(record="kpi:tolerance", name="one for each KPI", series={}, at="2m", expect=tolerances)
    for kpi in CATALOGUE:
        promised = {
            f'{{alertname="{objective.alert}",severity="{objective.severity}"}}': objective.target
            for objective in kpi.objectives
        } | ({'{alertname="slo"}': kpi.slo.target} if kpi.slo else {})
        if promised:
            yield RecordCase(
                record=f"kpi:{kpi.key}:objective", name="what is promised", series={}, at="2m", expect=promised
            )


WEEK, STEP = 7 * 24 * 2, 30  # in steps of half an hour


def changed(kpi: Kpi) -> tuple[float, float, float]:
    """A value before, one that is worse, and by how much: a share by the difference, others by a part of the old."""
    if kpi.unit is Unit.RATIO:
        return (0.75, 0.5, 0.25) if kpi.direction is Direction.HIGHER_IS_BETTER else (0.5, 0.75, 0.25)
    return (2, 1, 0.5) if kpi.direction is Direction.HIGHER_IS_BETTER else (2, 3, 0.5)


def _compared() -> Iterator[RecordCase]:
    for kpi in CATALOGUE:
        if HOUR not in kpi.windows_s:
            continue
        key, kind = kpi.key, "ratio" if kpi.unit is Unit.RATIO else "mean"
        labels = series("", {str(label): SLICE[label] for label in kpi.by})[1:-1]
        before, now, worse = changed(kpi)
        value, events = f"kpi:{key}:{kind}1h{{{labels}}}", f"kpi:{key}:events1h{{{labels}}}"
        given = {value: f"{before}x{WEEK} {now}x60", events: f"500x{WEEK + 60}"}
        expect = {f'{{{labels},kpi="{key}"}}': worse}
        week = "kpi:week_worsening1h"
        yield RecordCase(
            record=week, name=f"of {key}", series=given, at=f"{(WEEK + 30) * STEP}m", interval=f"{STEP}m", expect=expect
        )
        few = given | {events: f"499x{WEEK} 500x60"}
        yield RecordCase(
            record=week,
            name=f"of {key} with few events then",
            series=few,
            at=f"{(WEEK + 30) * STEP}m",
            interval=f"{STEP}m",
        )
        few = given | {events: f"500x{WEEK} 499x60"}
        yield RecordCase(
            record=week,
            name=f"of {key} with few events now",
            series=few,
            at=f"{(WEEK + 30) * STEP}m",
            interval=f"{STEP}m",
        )
        base = {value: f"{now}x60", events: "500x60", f'kpi:baseline{{{labels},kpi="{key}"}}': f"{before}x60"}
        yield RecordCase(record="kpi:baseline_worsening1h", name=f"of {key}", series=base, at="30m", expect=expect)
        yield RecordCase(
            record="kpi:baseline_worsening1h", name=f"of {key} without a baseline", at="30m",
            series={value: f"{now}x60", events: "500x60"},
        )  # fmt: skip
    spend = 'kpi:spend:increase1h{environment="prod"}'
    yield RecordCase(
        record="kpi:spend:week_ratio1h", name="now by then", series={spend: f"2x{WEEK} 5x60"},
        at=f"{(WEEK + 30) * STEP}m", interval=f"{STEP}m",
        expect={'{environment="prod"}': 2.5},
    )  # fmt: skip
    yield RecordCase(
        record="kpi:spend:week_ratio1h",
        name="nothing then",
        series={spend: f"0x{WEEK} 5x60"},
        at=f"{(WEEK + 30) * STEP}m",
        interval=f"{STEP}m",
    )


def _programs() -> Iterator[RecordCase]:
    """Two services of which one has more than a few series; beside them what has a service and is no program's."""

    def sent(service: str, count: int, environment: str = "prod") -> dict[str, str]:
        where = {"environment": environment, "service": service, "job": "web"}
        return {series("made", {**where, "id": str(number)}): "1x9" for number in range(count)}

    ours = {
        series("agentic_llm_calls_total", {"job": "agentic-kpi", "environment": "prod", "service": "shop"}): "1x9",
        series("kpi:tried", {"environment": "prod", "service": "shop"}): "1x9",
        series("ALERTS", {"environment": "prod", "service": "shop"}): "1x9",
        series("up", {"job": "web"}): "1x9",
    }
    every = ours | sent("shop", 101) | sent("cart", 100) | sent("shop", 7, "dev")
    one = {'{environment="prod",service="shop"}': 101.0}
    for record, expect in (("programs:series:count", one), ("programs:series:all", {"{}": 208.0})):
        yield RecordCase(record=record, name="of programs only", series=every, at="5m", expect=expect)
        yield RecordCase(record=record, name="no data", series=ours, at="5m")


CASES = (
    *(case for kpi in CATALOGUE for case in _kpi(kpi)),
    *(case for count in COUNTS for case in _count(count)),
    *_constants(),
    *_compared(),
    *_programs(),
)
