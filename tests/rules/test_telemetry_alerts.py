"""Alerts about the telemetry itself: what must raise them, what must not, and the exact words of each.

Inputs are recorded series and the collector's own metrics, one value a minute. Values stand on thresholds and beside
them, times just before and just after holds. Not here: the recorded series themselves.
"""

import pytest
from support.promtool import AlertCase, Fired, title, verdicts

from alerts import rules
from alerts.alerting import telemetry
from alerts.timing import PRODUCTION


def steps(*parts: tuple[str, int]) -> str:
    """Values in promtool's notation, from a value and for how many minutes it is there."""
    return " ".join(f"{value}x{minutes - 1}" for value, minutes in parts)


PLANNER = 'kpi:service_calls:increase15m{environment="prod",service="planner"}'
ORDERS = 'kpi:service_calls:increase15m{environment="prod",service="orders"}'
# Silent from minute 1741 on, so that a day before the alert is minute 316. There is a gap two hours before that, and
# another twelve hours after: neither is the time of day that counts.
BEFORE = (("1", 190), ("0", 11), ("1", 99), ("2", 40), ("1", 160), ("3", 480), ("0", 41), ("3", 720))
SILENT = steps(*BEFORE, ("0", 120))
MISSING = Fired(
    labels={
        "environment": "prod",
        "service": "planner",
        "severity": "ticket",
        "owner": "agents",
        "family": "telemetry",
    },
    annotations={
        "summary": "Nothing has come from service planner in prod for 15 minutes; a day ago it did.",
        "description": "A day ago 2 calls were counted in as much time. Either the service has no work, or it no longer"
        " reaches the collector; its KPIs say nothing until it does.",
        "value": "none",
    },
)


def _with_gap_from(minute: int) -> str:
    return steps(("1", minute), ("0", 11), ("1", 1730 - minute), ("0", 60))


def missing(name: str, at: str, *series: str, fired: tuple[Fired, ...] = ()) -> AlertCase:
    values = dict(zip((PLANNER, ORDERS), series, strict=False))
    return AlertCase(alert="TelemetryMissing", name=name, series=values, at=at, expect=fired)


MISSING_CASES = (
    missing("fires after 15 minutes", "1756m", SILENT, fired=(MISSING,)),
    missing("fires where the series has ended", "1762m", steps(*BEFORE), fired=(MISSING,)),
    missing("fires for the silent one of two", "1756m", SILENT, steps(*BEFORE, ("1", 120)), fired=(MISSING,)),
    missing("not yet", "1755m45s", SILENT),
    missing("one call is enough", "1800m", steps(*BEFORE, ("1", 120))),
    missing("there was nothing a day ago", "1800m", steps(("0", 1861))),
    missing("a day ago it was silent half an hour before", "1780m", _with_gap_from(280)),
    missing("a day ago it was silent half an hour after", "1780m", _with_gap_from(370)),
    missing("recovers", "1790m", steps(*BEFORE, ("0", 40), ("2", 60))),
    missing("new since an hour", "60m", steps(("1", 40), ("0", 60))),
    missing("no data", "1756m"),
)  # fmt: skip

UNREAD = 'kpi:unread_spans:increase15m{environment="prod",service="planner"}'
SPANS_UNREAD = Fired(
    labels={**MISSING.labels},
    annotations={
        "summary": "11% of what service planner in prod does is in no KPI.",
        "description": "These spans name a model, a tool or tokens, in words that nobody here reads: their calls,"
        " failures and costs are missing. `agentobs telemetry check` names the library, a span of it and the fix.",
        "value": "11%",
        "objective": "at most 10 %",
    },
)
NOTHING_READ = Fired(
    labels=SPANS_UNREAD.labels,
    annotations={
        **SPANS_UNREAD.annotations,
        "summary": SPANS_UNREAD.annotations["summary"].replace("11%", "100%"),
        "value": "100%",
    },
)


def unread(name: str, at: str, series: dict[str, str], *fired: Fired) -> AlertCase:
    return AlertCase(alert="SpansUnread", name=name, series=series, at=at, expect=fired)


UNREAD_CASES = (
    unread("fires after 15 minutes", "15m", {UNREAD: "11x60", PLANNER: "89x60"}, SPANS_UNREAD),
    unread("not yet", "14m45s", {UNREAD: "11x60", PLANNER: "89x60"}),
    unread("a tenth is not more", "40m", {UNREAD: "10x60", PLANNER: "90x60"}),
    unread("of this service nothing is read", "15m", {UNREAD: "10x60", ORDERS: "90x60"}, NOTHING_READ),
    unread("its calls are at nothing", "15m", {UNREAD: "10x60", PLANNER: "0x60"}, NOTHING_READ),
    unread("too few spans", "40m", {UNREAD: "9x60", PLANNER: "1x60"}),
    unread("another service goes on", "15m", {UNREAD: "11x60", PLANNER: "89x60", ORDERS: "900x60"}, SPANS_UNREAD),
    unread("recovers", "40m", {UNREAD: "11x20 0x40", PLANNER: "89x60"}),
    unread("all is read", "40m", {PLANNER: "89x60"}),
    unread("no data", "40m", {}),
)

WHO = '{environment="prod",service="planner"}'
DOUBTFUL, DIFFERING = f"kpi:doubtful_calls:increase1h{WHO}", f"kpi:costs_differ:increase1h{WHO}"


def doubt(calls: int, summary: str, description: str) -> Fired:
    return Fired(
        labels=MISSING.labels,
        annotations={
            "summary": f"{calls} model calls of service planner in prod {summary}.",
            "description": f"{description} `agentobs telemetry check` names the library and the line that mends it.",
            "value": f"{calls} calls in an hour",
            "objective": "fewer than 10 in an hour",
        },
    )


def tokens(calls: int) -> Fired:
    return doubt(
        calls,
        "report counts that cannot be",
        "More cached than sent, more reasoning than output, or no numbers: their tokens and cost are wrong.",
    )


def differing(calls: int) -> Fired:
    return doubt(
        calls,
        "state a cost that is not the price table's",
        "The two are more than 2 % apart, so one is wrong. The setting costAuthority says which one counts.",
    )


DOUBT_CASES = tuple(
    AlertCase(alert=alert, name=name, series=series, at=at, expect=fired)
    for alert, series_name, fires in (("TokensDoubtful", DOUBTFUL, tokens), ("CostsDiffer", DIFFERING, differing))
    for name, at, series, fired in (
        ("ten in an hour", "15m", {series_name: "10x60"}, (fires(10),)),
        ("not yet", "14m45s", {series_name: "10x60"}, ()),
        ("nine are an accident", "40m", {series_name: "9x60"}, ()),
        ("recovers", "40m", {series_name: "50x20 0x40"}, ()),
        ("no data", "40m", {}, ()),
    )
)

TOOL = '{environment="prod",tool_name="lookup"}'
SERVED, CALLED = f"kpi:served_calls:increase1h{TOOL}", f"kpi:tool_calls:increase1h{TOOL}"
MISMATCH = Fired(
    labels={
        "environment": "prod",
        "tool_name": "lookup",
        "severity": "ticket",
        "owner": "agents",
        "family": "telemetry",
    },
    annotations={
        "summary": "MCP servers served tool lookup in prod far more often than agents say they called it.",
        "description": "Over the last hour 1.55 calls were served for each one that an agent counted: some program"
        " calls the tool without telemetry, and its failures are in no KPI of an agent.",
        "value": "1.6 served per call",
        "objective": "at most 1.5",
    },
)


def mismatch(name: str, at: str, series: dict[str, str], *fired: Fired) -> AlertCase:
    return AlertCase(alert="ToolSpansMismatch", name=name, series=series, at=at, expect=fired)


STAGING = {key.replace("prod", "staging"): values for key, values in {SERVED: "30x90", CALLED: "20x90"}.items()}
MISMATCH_CASES = (
    mismatch("fires after half an hour", "30m", {SERVED: "31x90", CALLED: "20x90"}, MISMATCH),
    mismatch("fires in one of two environments", "30m", {SERVED: "31x90", CALLED: "20x90", **STAGING}, MISMATCH),
    mismatch("not yet", "29m45s", {SERVED: "31x90", CALLED: "20x90"}),
    mismatch("one and a half is not more", "60m", {SERVED: "30x90", CALLED: "20x90"}),
    mismatch("too few calls", "60m", {SERVED: "31x90", CALLED: "19x90"}),
    mismatch("nobody of ours calls it", "60m", {SERVED: "31x90", CALLED: "0x90"}),
    mismatch("agents call more than is served", "60m", {SERVED: "20x90", CALLED: "31x90"}),
    mismatch("another tool is called", "60m", {SERVED: "31x90", CALLED.replace("lookup", "refund"): "20x90"}),
    mismatch("recovers", "60m", {SERVED: "31x40 30x50", CALLED: "20x90"}),
    mismatch("no data", "60m", {}),
)

FIRST, SECOND = (f'{{job="collector",instance="{name}"}}' for name in ("collector-0", "collector-1"))
TRACKED, LIMIT = "otelcol_deltatocumulative_streams_tracked", "otelcol_deltatocumulative_streams_limit"
COLLECTOR = {"job": "collector", "instance": "collector-0", "family": "telemetry"}
NEAR = Fired(
    labels={**COLLECTOR, "severity": "ticket", "owner": "agents"},
    annotations={
        "summary": "The collector holds 80.1% of the KPI series it has room for.",
        "description": "A label explodes: `agentobs telemetry check` names it. Beyond the limit new series are dropped,"
        " old ones stay exact.",
        "value": "80.1%",
        "objective": "at most 80 %",
    },
)


def near(name: str, at: str, tracked: str, limit: str, *fired: Fired) -> AlertCase:
    # The second collector is nearly empty, and its limit is low.
    series = {TRACKED + FIRST: tracked, LIMIT + FIRST: limit, TRACKED + SECOND: "10x60", LIMIT + SECOND: "100x60"}
    return AlertCase(alert="SeriesNearLimit", name=name, series=series, at=at, expect=fired)


NEAR_CASES = (
    near("fires after 10 minutes", "10m", "801x60", "1000x60", NEAR),
    near("not yet", "9m45s", "801x60", "1000x60"),
    near("four fifths are not more", "30m", "800x60", "1000x60"),
    near("room was made", "40m", "801x60", "1000x20 2000x40"),
    near("recovers", "40m", "801x30 10x30", "1000x60"),
    AlertCase(alert="SeriesNearLimit", name="no limit known", series={TRACKED + FIRST: "801x60"}, at="30m"),
    AlertCase(alert="SeriesNearLimit", name="no data", series={}, at="30m"),
)

POINTS = 'otelcol_deltatocumulative_datapoints{job="collector",instance="collector-0",error="%s"}'
ACCEPTED = 'otelcol_deltatocumulative_datapoints{job="collector",instance="collector-0"}'
AT_LIMIT, OUT_OF_ORDER = POINTS % "limit", POINTS % "delta.ErrOutOfOrder"
REFUSED = (
    'otelcol_exporter_send_failed_metric_points{job="collector",instance="collector-0",exporter="otlp_http/prometheus"}'
)
OF_PROGRAMS, ONE_BY_ONE = (REFUSED.replace("prometheus", name) for name in ("applications", "exponential-1"))
FILTERED = 'otelcol_processor_filter_datapoints_filtered{job="collector",instance="collector-0",filter="%s"}'
DROPPED = Fired(
    labels={**COLLECTOR, "error": "limit", "severity": "page", "owner": "agents"},
    annotations={
        "summary": "The collector drops KPI series: there are more than it has room for.",
        "description": "1 points of new series were dropped in 10 minutes. A version deployed now may not be seen at"
        " all. `agentobs telemetry check` names the label that explodes.",
        "value": "1 points",
        "objective": "none",
    },
)
KEPT_DROPPED = Fired(
    labels=DROPPED.labels,
    annotations={
        "summary": "The collector drops KPI series: there are more than it has room for.",
        "description": "1.083 points of new series were dropped in 10 minutes. A version deployed now may not be seen"
        " at all. `agentobs telemetry check` names the label that explodes.",
        "value": "1.083 points",
        "objective": "none",
    },
)


def dropped(name: str, at: str, series: dict[str, str], *fired: Fired) -> AlertCase:
    return AlertCase(alert="SeriesDropped", name=name, series=series, at=at, expect=fired)


DROPPED_CASES = (
    dropped("fires at once", "11m", {AT_LIMIT: "0x10 1x60"}, DROPPED),
    dropped("one drop is seen for 10 minutes and kept for 10", "29m45s", {AT_LIMIT: "0x10 1x60"}, KEPT_DROPPED),
    dropped("recovers", "30m", {AT_LIMIT: "0x10 1x60"}),
    dropped("before the drop", "10m45s", {AT_LIMIT: "0x10 1x60"}),
    dropped("dropped long ago", "40m", {AT_LIMIT: "5x60"}),
    dropped("lost for another reason", "12m", {OUT_OF_ORDER: "0x10 5x60"}),
    dropped("all is accepted", "12m", {ACCEPTED: "0+100x60"}),
    dropped("the collector started again", "20m", {AT_LIMIT: "5x15 0x60"}),
    dropped("no data", "30m", {}),
)

LOST_TEXT = {
    "summary": "KPI increments were lost on their way to Prometheus.",
    "description": "1 points in 10 minutes were out of order or refused for good: counts are too low by them. The"
    " collector's log has the reason.",
    "value": "1 points",
    "objective": "none",
}
KEPT_TEXT = {
    "summary": "KPI increments were lost on their way to Prometheus.",
    "description": "1.083 points in 10 minutes were out of order or refused for good: counts are too low by them. The"
    " collector's log has the reason.",
    "value": "1.083 points",
    "objective": "none",
}
LATE = {**COLLECTOR, "error": "delta.ErrOutOfOrder", "severity": "ticket", "owner": "platform"}
GONE = {**COLLECTOR, "exporter": "otlp_http/prometheus", "severity": "ticket", "owner": "platform"}


def lost(name: str, at: str, series: dict[str, str], *fired: Fired) -> AlertCase:
    return AlertCase(alert="KpiPointsLost", name=name, series=series, at=at, expect=fired)


def _each(what: str, counter: str, labels: dict[str, str]) -> tuple[AlertCase, ...]:
    """The same for both counters. The second loss is an increase; the first of all makes the series."""
    now, kept = Fired(labels=labels, annotations=LOST_TEXT), Fired(labels=labels, annotations=KEPT_TEXT)
    return (
        lost(f"one more {what}", "11m", {counter: "0x10 1x60"}, now),
        lost(f"one more {what} is seen for 10 minutes and kept for 10", "29m45s", {counter: "0x10 1x60"}, kept),
        lost(f"one more {what} is over", "30m", {counter: "0x10 1x60"}),
        lost(f"the first {what} of all", "11m", {counter: "_x11 1x60"}, now),
        lost(f"the first {what} is seen for 10 minutes and kept for 10", "30m45s", {counter: "_x11 1x60"}, now),
        lost(f"the first {what} is over", "31m", {counter: "_x11 1x60"}),
        lost(f"a new series without any {what}", "11m", {counter: "_x11 0x60"}),
        lost(f"{what} long ago", "40m", {counter: "5x60"}),
        lost(f"before one {what}", "10m45s", {counter: "_x11 1x60"}),
    )


LOST_CASES = (
    *_each("out of order", OUT_OF_ORDER, LATE),
    *_each("refused", REFUSED, GONE),
    lost(
        "both at once",
        "11m",
        {OUT_OF_ORDER: "0x10 1x60", REFUSED: "_x11 1x60"},
        Fired(labels=LATE, annotations=LOST_TEXT),
        Fired(labels=GONE, annotations=LOST_TEXT),
    ),
    lost("metrics of programs are another alert", "12m", {OF_PROGRAMS: "0x10 5x60", ONE_BY_ONE: "_x11 5x60"}),
    lost("at the limit is another alert", "12m", {AT_LIMIT: "0x10 5x60"}),
    lost("the first at the limit is another alert", "12m", {AT_LIMIT: "_x11 5x60"}),
    lost("accepted points are not lost", "12m", {ACCEPTED: "0+100x60"}),
    lost("a new collector accepts points", "12m", {ACCEPTED: "_x11 100+100x60"}),
    lost("no data", "30m", {}),
)

APPLICATION_TEXT = {
    "summary": "Metrics that a program sends itself are refused. KPIs are not concerned.",
    "description": "3 points in 10 minutes have a name or job of the platform, too many labels or contradict"
    " themselves. The contract lists under `Metrics of your own` what is refused.",
    "value": "3 points",
    "objective": "none",
}


def application(name: str, at: str, series: dict[str, str], **labels: str) -> AlertCase:
    said = {**COLLECTOR, "severity": "ticket", "owner": "agents", **labels}
    fired = (Fired(labels=said, annotations=APPLICATION_TEXT),) if labels else ()
    return AlertCase(alert="ApplicationMetricsRefused", name=name, series=series, at=at, expect=fired)


RESERVED = FILTERED % "filter/reserved"
APPLICATION_CASES = (
    application("the first by the collector", "11m", {RESERVED: "_x11 3x60"}, filter="filter/reserved"),
    application("three more by the collector", "11m", {RESERVED: "0x10 3x60"}, filter="filter/reserved"),
    application("by Prometheus", "11m", {OF_PROGRAMS: "_x11 3x60"}, exporter="otlp_http/applications"),
    application("by one replica", "11m", {ONE_BY_ONE: "_x11 3x60"}, exporter="otlp_http/exponential-1"),
    application("is over", "31m", {RESERVED: "_x11 3x60"}),
    application("what other filters drop", "12m", {FILTERED % "filter/plain": "0+9x60"}),
    application("lost KPIs are another alert", "12m", {REFUSED: "_x11 3x60"}),
    application("nothing was refused", "12m", {RESERVED: "0x60"}),
    application("no data", "12m", {}),
)


def many(name: str, at: str, series: dict[str, str], value: str = "", *services: str) -> AlertCase:
    return AlertCase(
        alert="ApplicationSeriesMany",
        name=name,
        series=series,
        at=at,
        expect=tuple(
            Fired(
                labels={
                    **({"environment": "prod", "service": service} if service else {}),
                    "severity": "ticket",
                    "owner": "platform",
                    "family": "telemetry",
                },
                annotations={
                    "summary": f"{value} series are metrics that "
                    + (f"service {service} sends itself." if service else "programs send."),
                    "description": "One of their labels takes ever new values. Nothing bounds how many series a sender"
                    " makes: Prometheus runs out of memory, and KPIs and alerts with it. The page cuts a sender off"
                    " with one setting.",
                    "value": f"{value} series",
                    "objective": "at most 20,000 of one service, 200,000 of all",
                },
            )
            for service in services
        ),
    )


SHOP, CART = (f'programs:series:count{{environment="prod",service="{name}"}}' for name in ("shop", "cart"))
OF_ALL = "programs:series:all"
SERIES_CASES = (
    many("one more than many", "2m", {SHOP: "20001x9", CART: "20000x9", OF_ALL: "40001x9"}, "20k", "shop"),
    many("not yet", "1m45s", {SHOP: "20001x9"}),
    many("one more of all, of many names", "2m", {SHOP: "500x9", OF_ALL: "200001x9"}, "200k", ""),
    many("both", "2m", {SHOP: "200001x9", OF_ALL: "200001x9"}, "200k", "shop", ""),
    many("many are not more", "9m", {SHOP: "20000x9", CART: "20000x9", OF_ALL: "200000x9"}),
    many("is cut off", "9m", {SHOP: "30000x4 _x5", OF_ALL: "30000x4 9x5"}),
    many("no data", "9m", {}),
)

CASES = (
    *DOUBT_CASES,
    *APPLICATION_CASES,
    *SERIES_CASES,
    *MISSING_CASES,
    *UNREAD_CASES,
    *MISMATCH_CASES,
    *NEAR_CASES,
    *DROPPED_CASES,
    *LOST_CASES,
)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return verdicts(rules.alert_groups(), CASES, tmp_path_factory.mktemp("telemetry"))


@pytest.mark.parametrize("case", CASES, ids=title)
def test_a_case(said, case):
    assert said[title(case)] == ""


def test_every_alert_has_cases_that_fire_and_cases_that_do_not():
    for name in {alert.name for alert in telemetry.alerts(PRODUCTION)}:
        mine = [case for case in CASES if case.alert == name]
        assert len(mine) >= 4
        assert any(case.expect for case in mine)
        assert any(not case.expect for case in mine)


def test_no_two_cases_have_one_title():
    assert len({title(case) for case in CASES}) == len(CASES)
