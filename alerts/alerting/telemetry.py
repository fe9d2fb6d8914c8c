"""Alerts about the telemetry itself: a service that fell silent, spans that do not match, series that explode."""

from collections.abc import Iterator

from alerts.alerting import text
from alerts.alerting.condition import Comparison, Condition, any_of
from alerts.alerting.model import Alert
from alerts.catalogue import Group, Owner, Severity
from alerts.catalogue import counts as c
from alerts.catalogue.model import DAY, HOUR, MINUTE
from alerts.recording import programs, rule
from alerts.timing import Timing
from collector import applications
from collector.self_metrics import SelfMetric


def _grew(counter: str, where: str, window: str) -> Condition:
    """A counter that grew, or that is new: it has no series before its first increment, so nothing it grew from."""
    grew = Comparison(f"increase({counter}{where}[{window}])", ">", 0)
    return grew | Comparison(f"({counter}{where} unless {counter} offset {window})", ">", 0)


def _doubts() -> Iterator[Alert]:
    """Numbers of model calls that are there and cannot be right. Ten in an hour are no accident."""
    for name, count, summary, description in (
        (
            "TokensDoubtful",
            c.DOUBTFUL_CALLS,
            "report counts that cannot be",
            "More cached than sent, more reasoning than output, or no numbers: their tokens and cost are wrong.",
        ),
        (
            "CostsDiffer",
            c.COSTS_DIFFER,
            "state a cost that is not the price table's",
            "The two are more than 2 % apart, so one is wrong. The setting costAuthority says which one counts.",
        ),
    ):
        yield Alert(
            name=name,
            group=Group.TELEMETRY,
            condition=Comparison(rule.increase(count, HOUR), ">=", 10),
            hold_s=15 * MINUTE,
            severity=Severity.TICKET,
            owner=Owner.AGENTS,
            by=count.by,
            board="platform",
            summary=f"{{{{ $value | humanize }}}} model calls of {text.who(count.by)} {summary}.",
            description=f"{description} `agentobs telemetry check` names the library and the line that mends it.",
            value="{{ $value | humanize }} calls in an hour",
            objective="fewer than 10 in an hour",
        )


def _series_of_programs() -> Alert:
    """Who sends under ever new names is seen in the sum of all, which has neither service nor environment."""
    return Alert(
        name="ApplicationSeriesMany",
        group=Group.TELEMETRY,
        condition=Comparison(programs.OF_ONE, ">", 20_000) | Comparison(programs.OF_ALL, ">", 200_000),
        hold_s=2 * MINUTE,
        severity=Severity.TICKET,
        owner=Owner.PLATFORM,
        by=programs.BY,
        board="platform",
        summary=(
            "{{ $value | humanize }} series are metrics that"
            " {{ with $labels.service }}service {{ . }} sends itself{{ else }}programs send{{ end }}."
        ),
        description=(
            "One of their labels takes ever new values. Nothing bounds how many series a sender makes: Prometheus runs"
            " out of memory, and KPIs and alerts with it. The page cuts a sender off with one setting."
        ),
        value="{{ $value | humanize }} series",
        objective="at most 20,000 of one service, 200,000 of all",
    )


def alerts(timing: Timing) -> Iterator[Alert]:
    """All of them."""
    calls = rule.increase(c.SERVICE_CALLS, 15 * MINUTE)
    yield Alert(
        name="TelemetryMissing",
        group=Group.TELEMETRY,
        # Only where 15 silent minutes are unusual at this time of day, an hour sooner or later.
        condition=(
            Comparison(f"{calls} offset {timing.of(DAY)}")
            & Comparison(f"min_over_time({calls}[{timing.of(2 * HOUR)}] offset {timing.of(23 * HOUR)})", ">", 0)
        ).unless(Comparison(calls, ">", 0)),
        hold_s=15 * MINUTE,
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=c.SERVICE_CALLS.by,
        board="platform",
        summary=f"Nothing has come from {text.who(c.SERVICE_CALLS.by)} for 15 minutes; a day ago it did.",
        description=(
            "A day ago {{ $value | humanize }} calls were counted in as much time. Either the service has no work, or"
            " it no longer reaches the collector; its KPIs say nothing until it does."
        ),
        value="none",
    )
    unread = rule.increase(c.UNREAD_SPANS, 15 * MINUTE)
    yield Alert(
        name="SpansUnread",
        group=Group.TELEMETRY,
        # A service of which nothing is read has no calls at all.
        condition=Comparison(f"{unread} / ({unread} + ({calls} or {unread} * 0))", ">", 0.1)
        & Comparison(unread, ">=", 10),
        hold_s=15 * MINUTE,
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=c.UNREAD_SPANS.by,
        board="platform",
        summary=f"{{{{ $value | humanizePercentage }}}} of what {text.who(c.UNREAD_SPANS.by)} does is in no KPI.",
        description=(
            "These spans name a model, a tool or tokens, in words that nobody here reads: their calls, failures and"
            " costs are missing. `agentobs telemetry check` names the library, a span of it and the fix."
        ),
        value="{{ $value | humanizePercentage }}",
        objective="at most 10 %",
    )
    yield from _doubts()
    called, served = rule.increase(c.TOOL_CALLS, HOUR), rule.increase(c.SERVED_CALLS, HOUR)
    yield Alert(
        name="ToolSpansMismatch",
        group=Group.TELEMETRY,
        condition=Comparison(f"{served} / {called}", ">", 1.5) & Comparison(called, ">=", 20),
        hold_s=30 * MINUTE,
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=c.SERVED_CALLS.by,
        board="tool",
        summary=f"MCP servers served {text.who(c.SERVED_CALLS.by)} far more often than agents say they called it.",
        description=(
            "Over the last hour {{ $value | humanize }} calls were served for each one that an agent counted: some"
            " program calls the tool without telemetry, and its failures are in no KPI of an agent."
        ),
        value='{{ printf "%.1f" $value }} served per call',
        objective="at most 1.5",
    )
    tracked, limit = SelfMetric.SERIES_TRACKED, SelfMetric.SERIES_LIMIT
    yield Alert(
        name="SeriesNearLimit",
        group=Group.TELEMETRY,
        condition=Comparison(f"{tracked} / {limit}", ">", 0.8),
        hold_s=10 * MINUTE,
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=("job", "instance"),
        job="collector",
        board="platform",
        summary="The collector holds {{ $value | humanizePercentage }} of the KPI series it has room for.",
        description=(
            "A label explodes: `agentobs telemetry check` names it. Beyond the limit new series are dropped, old ones"
            " stay exact."
        ),
        value="{{ $value | humanizePercentage }}",
        objective="at most 80 %",
    )
    yield Alert(
        name="SeriesDropped",
        group=Group.TELEMETRY,
        condition=Comparison(
            f'increase({SelfMetric.SERIES_POINTS}{{error="limit"}}[{timing.of(10 * MINUTE)}])', ">", 0
        ),
        hold_s=0,
        severity=Severity.PAGE,
        owner=Owner.AGENTS,
        by=("job", "instance"),
        job="collector",
        board="platform",
        summary="The collector drops KPI series: there are more than it has room for.",
        description=(
            "{{ $value | humanize }} points of new series were dropped in 10 minutes. A version deployed now may not be"
            " seen at all. `agentobs telemetry check` names the label that explodes."
        ),
        value="{{ $value | humanize }} points",
        objective="none",
        keep_firing_s=10 * MINUTE,
    )
    yield Alert(
        name="KpiPointsLost",
        group=Group.TELEMETRY,
        condition=any_of(
            _grew(counter, where, timing.of(10 * MINUTE))
            for counter, where in (
                (SelfMetric.SERIES_POINTS, '{error!="",error!="limit"}'),
                (SelfMetric.SEND_FAILED_POINTS, '{exporter=~"otlp_http/prometheus.*"}'),
            )
        ),
        hold_s=0,
        severity=Severity.TICKET,
        owner=Owner.PLATFORM,
        by=("job", "instance"),
        job="collector",
        board="platform",
        summary="KPI increments were lost on their way to Prometheus.",
        description=(
            "{{ $value | humanize }} points in 10 minutes were out of order or refused for good: counts are too low by"
            " them. The collector's log has the reason."
        ),
        value="{{ $value | humanize }} points",
        objective="none",
        keep_firing_s=10 * MINUTE,
    )
    yield Alert(
        name="ApplicationMetricsRefused",
        group=Group.TELEMETRY,
        condition=any_of(
            _grew(counter, where, timing.of(10 * MINUTE))
            for counter, where in (
                (SelfMetric.FILTERED_POINTS, f'{{filter="{applications.REFUSED}"}}'),
                (SelfMetric.SEND_FAILED_POINTS, f'{{exporter=~"({applications.EXPORTER}|{applications.ALONE}).*"}}'),
            )
        ),
        hold_s=0,
        severity=Severity.TICKET,
        owner=Owner.AGENTS,
        by=("job", "instance"),
        job="collector",
        board="platform",
        summary="Metrics that a program sends itself are refused. KPIs are not concerned.",
        description=(
            "{{ $value | humanize }} points in 10 minutes have a name or job of the platform, too many labels or"
            " contradict themselves. The contract lists under `Metrics of your own` what is refused."
        ),
        value="{{ $value | humanize }} points",
        objective="none",
        keep_firing_s=10 * MINUTE,
    )
    yield _series_of_programs()
