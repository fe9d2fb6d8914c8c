"""Cases of the alerts that no objective expresses: what should happen and does not, jumps, spend, comparisons, telemetry.

Each row is one case: what it feeds, when it looks, and whether the alert must be there. Values stand close to the
thresholds and times close to the holds, so that a moved one shows.
"""

from collections.abc import Iterator, Mapping

from support.promtool import AlertCase, Fired

DAY, HALF_HOUR = 1440, 30  # in minutes, as one value is a minute
E = 'environment="prod"'
TOOL, AGENT, FLOW = f'{E},tool_name="lookup"', f'{E},agent_name="executor"', f'{E},workflow="support"'
JOB = 'job="collector",instance="collector-0"'
TICKET, PAGE = "ticket", "page"


def _labels(text: str) -> dict[str, str]:
    return {key: value.strip('"') for key, _, value in (pair.partition("=") for pair in text.split(",") if pair)}


class Table:
    """Cases of one alert: `fires` and `quiet` share the labels an instance of it has."""

    def __init__(self, alert: str, severity: str, family: str, labels: str, owner: str = "agents") -> None:
        self.alert, self.cases = alert, list[AlertCase]()
        self.labels = {**_labels(labels), "severity": severity, "owner": owner, "family": family}

    def fires(self, name: str, at: str, series: Mapping[str, str], **more: str) -> "Table":
        fired = (Fired(labels={**self.labels, **more}, annotations={}),)
        self.cases.append(AlertCase(alert=self.alert, name=name, series=series, at=at, expect=fired))
        return self

    def quiet(self, name: str, at: str, series: Mapping[str, str]) -> "Table":
        self.cases.append(AlertCase(alert=self.alert, name=name, series=series, at=at))
        return self


def _crash_loop() -> Table:
    starts = f'kpi:process_starts:increase10m{{{E},service="orders"}}'
    return (
        Table("ProcessCrashLoop", TICKET, "agents", f'{E},service="orders"')
        .fires("fires", "1m", {starts: "4x30"})
        .fires("goes on for five minutes", "14m30s", {starts: "4x9 0x60"})
        .quiet("recovers", "16m", {starts: "4x9 0x60"})
        .quiet("a start or two are none", "10m", {starts: "3x30"})
        .quiet("no data", "10m", {})
    )


def _stuck() -> Table:
    calls, tasks = f"kpi:model_calls:increase15m{{{E}}}", f"kpi:tasks:increase15m{{{E}}}"
    hour = f"kpi:tasks:increase1h{{{E}}}"
    stuck = {calls: "5x60", tasks: "0x60", hour: "30x60"}
    return (
        Table("TasksStuck", PAGE, "tasks", E)
        .fires("fires", "20m15s", stuck)
        .fires("fires where the series has ended", "20m15s", {calls: "5x60", hour: "30x60"})
        .quiet("not yet", "19m45s", stuck)
        .quiet("tasks end", "40m", stuck | {tasks: "1x60"})
        .quiet("nobody calls a model", "40m", stuck | {calls: "0x60"})
        .quiet("no task has ever ended", "40m", stuck | {hour: "0x60"})
        .quiet("recovers", "50m", stuck | {tasks: "0x35 2x60"})
        .quiet("another environment ends tasks and this one has none", "40m", {calls: "5x60", 'kpi:tasks:increase1h{environment="dev"}': "9x60"})
        .quiet("no data", "40m", {})
    )  # fmt: skip


def _idle() -> Table:
    calls, tasks = f"kpi:tool_calls:increase1h{{{TOOL}}}", f"kpi:tasks:increase1h{{{E}}}"
    idle = {calls: f"10x{DAY} 0x90", tasks: f"5x{DAY + 90}"}
    return (
        Table("ToolIdle", TICKET, "tools", TOOL)
        .fires("fires", "1456m15s", idle)
        .quiet("not yet", "1455m", idle)
        .quiet("was hardly used", "1500m", idle | {calls: f"9x{DAY} 0x90"})
        .quiet("is still used", "1500m", idle | {calls: f"10x{DAY} 1x90"})
        .quiet("no tasks run", "1500m", idle | {tasks: f"5x{DAY} 0x90"})
        .quiet("recovers", "1510m", idle | {calls: f"10x{DAY} 0x40 3x90"})
        .quiet("no data", "1500m", {})
    )


def _schema() -> Table:
    new, old = (f'version:{name}{{dimension="tool",{TOOL},version="sha-{name}"}}' for name in ("current", "previous"))
    seen = {new: "600x90", old: "300x90"}
    labels = f'{TOOL},dimension="tool",version="sha-current"'
    explicit = f'version:current{{dimension="tool",{TOOL},version="4.0.0"}}'
    return (
        Table("ToolSchemaChanged", TICKET, "tools", labels)
        .fires("fires", "30m", seen)
        .fires("within the hour", "69m", seen)
        .quiet("after an hour", "71m", seen)
        .quiet("a version was given", "30m", {explicit: "600x90", old: "300x90"})
        .quiet("the first version of all", "30m", {new: "600x90"})
        .quiet("another tool had one before", "30m", {new: "600x90", old.replace("lookup", "refund"): "300x90"})
        .quiet("no data", "30m", {})
    )


def _budget(percent: int, severity: str) -> Table:
    spent, budget = f"kpi:spend:increase1d{{{E}}}", "kpi:spend:daily_budget"
    hour = f"kpi:agent_spend:increase1h{{{AGENT}}}"
    over = {spent: f"{percent + 0.5}x60", budget: "100x60", hour: "1.5x60"}
    return (
        Table(f"CostBudget{percent}", severity, "cost", E)
        .fires("fires", "5m15s", over)
        .fires("only the environment that spends", "5m15s", over | {'kpi:spend:increase1d{environment="dev"}': "1x60"})
        .quiet("not yet", "4m45s", over)
        .quiet("just below", "30m", over | {spent: f"{percent - 0.5}x60"})
        .quiet("recovers", "40m", over | {spent: f"{percent + 0.5}x20 1x60"})
        .quiet("nobody set a budget", "30m", {spent: "1000x60"})
    )


def _spike() -> Table:
    ratio, hour = f"kpi:spend:week_ratio1h{{{E}}}", f"kpi:spend:increase1h{{{E}}}"
    spike = {ratio: "3.1x60", hour: "1.1x60"}
    return (
        Table("SpendSpike", PAGE, "cost", E)
        .fires("fires", "10m15s", spike)
        .quiet("not yet", "9m45s", spike)
        .quiet("three times is not more", "30m", spike | {ratio: "3x60"})
        .quiet("a dollar is no spend", "30m", spike | {hour: "1x60"})
        .quiet("recovers", "40m", spike | {ratio: "3.1x20 1x60"})
        .quiet("no data", "30m", {})
    )


def _jump(alert: str, severity: str, kpi: str, labels: str) -> Table:
    now, hour, events = (f"kpi:{kpi}:{name}{{{labels}}}" for name in ("mean5m", "mean1h", "events5m"))
    jump = {now: "3.1x60", hour: "1x60", events: "10x60"}
    return (
        Table(alert, severity, "cost", labels)
        .fires("fires", "15m15s", jump)
        .quiet("not yet", "14m45s", jump)
        .quiet("three times is not more", "40m", jump | {now: "3x60"})
        .quiet("too few events", "40m", jump | {events: "9x60"})
        .quiet("the hour before has it too", "45m", jump | {hour: "1x20 3x60"})
        .quiet("nothing to compare with", "40m", {now: "3.1x60", events: "10x60"})
        .quiet("recovers", "45m", jump | {now: "3.1x25 1x60"})
    )


def _cache() -> Table:
    share, events = f"kpi:cache_hits:ratio1h{{{AGENT}}}", f"kpi:cache_hits:events1h{{{AGENT}}}"
    tokens = f"10000x{DAY + 90}"
    dropped = {share: f"0.5x{DAY} 0.24x90", events: tokens}
    return (
        Table("CacheHitsDropped", TICKET, "cost", AGENT)
        .fires("fires", "1471m15s", dropped)
        .fires("from little", "1471m15s", dropped | {share: f"0.21x{DAY} 0.1x90"})
        .quiet("not yet", "1470m", dropped)
        .quiet("half is left", "1500m", dropped | {share: f"0.5x{DAY} 0.25x90"})
        .quiet("there was little to lose", "1500m", dropped | {share: f"0.2x{DAY} 0.05x90"})
        .quiet("too few tokens", "1500m", dropped | {events: f"9999x{DAY + 90}"})
        .quiet("recovers", "1520m", dropped | {share: f"0.5x{DAY} 0.24x50 0.5x90"})
        .quiet("no data", "1500m", {})
    )


def _stale() -> Table:
    evaluations, tasks = f"kpi:evaluations:increase6h{{{E}}}", f"kpi:tasks:increase1h{{{E}}}"
    stale = {evaluations: f"1x{DAY} 0x90", tasks: f"1x{DAY + 90}"}
    return (
        Table("EvaluationsStale", TICKET, "quality", E)
        .fires("fires", "1471m15s", stale)
        .quiet("not yet", "1470m", stale)
        .quiet("there were none a day ago", "1500m", stale | {evaluations: f"0x{DAY + 90}"})
        .quiet("there are some", "1500m", stale | {evaluations: f"1x{DAY + 90}"})
        .quiet("no tasks run", "1500m", stale | {tasks: f"1x{DAY} 0x90"})
        .quiet("recovers", "1520m", stale | {evaluations: f"1x{DAY} 0x50 2x90"})
        .quiet("no data", "1500m", {})
    )


def _canary() -> Table:
    labels = f'{FLOW},kpi="task_success",track="canary"'
    worse, z = f"track:canary_worsening1h{{{labels}}}", f"track:canary_z1h{{{labels}}}"
    tolerance = 'kpi:tolerance{kpi="task_success"}'
    canary = {worse: "0.051x60", z: "3.1x60", tolerance: "0.05x60"}
    return (
        Table("CanaryWorse", PAGE, "versions", labels)
        .fires("fires", "5m15s", canary)
        .quiet("not yet", "4m45s", canary)
        .quiet("within the tolerance", "30m", canary | {worse: "0.05x60"})
        .quiet("may be chance", "30m", canary | {z: "3x60"})
        .quiet("recovers", "40m", canary | {worse: "0.051x20 0x60"})
        .quiet("no data", "30m", {tolerance: "0.05x60"})
    )


def _worse(alert: str, series: str) -> Table:
    labels = f'{TOOL},kpi="tool_success"'
    worse, tolerance = f"{series}{{{labels}}}", 'kpi:tolerance{kpi="tool_success"}'
    other = 'kpi:tolerance{kpi="task_success"}'
    given = {worse: "0.051x60", tolerance: "0.05x60"}
    return (
        Table(alert, TICKET, "versions", labels)
        .fires("fires", "30m15s", given)
        .quiet("not yet", "29m45s", given)
        .quiet("within the tolerance", "50m", given | {worse: "0.05x60"})
        .quiet("the tolerance of another KPI", "50m", {worse: "0.051x60", other: "0.01x60"})
        .quiet("recovers", "55m", given | {worse: "0.051x40 0x60"})
        .quiet("no data", "50m", {tolerance: "0.05x60"})
    )


def _regression(kpi: str, dimension: str, labels: str, severity: str, worse: float, z: float | None) -> Iterator[Table]:
    named = f'{labels},kpi="{kpi}",dimension="{dimension}",version="4.0.0",previous="3.1.0"'
    worsening, tolerance = f"version:worsening1h{{{named}}}", f'kpi:tolerance{{kpi="{kpi}"}}'
    seen = f'version:current{{dimension="{dimension}",{labels},version="4.0.0"}}'
    given = {worsening: f"{worse + 0.001}x60", tolerance: f"{worse}x60", seen: "1700000000x60"}
    if z is not None:
        given |= {f"version:z1h{{{named}}}": f"{z}x60"}
    table = (
        Table("VersionRegression", severity, "versions", named)
        .fires(f"fires for {kpi}", "5m15s", given)
        .quiet(f"not yet for {kpi}", "4m45s", given)
        .quiet(f"within the tolerance for {kpi}", "30m", given | {worsening: f"{worse}x60"})
        .quiet(f"recovers for {kpi}", "40m", given | {worsening: f"{worse + 0.001}x20 0x60"})
    )
    if z is not None:
        table.quiet(f"may be chance for {kpi}", "30m", given | {f"version:z1h{{{named}}}": "3x60"})
    yield table


def _missing() -> Table:
    calls = f'kpi:service_calls:increase15m{{{E},service="planner"}}'
    return (
        Table("TelemetryMissing", TICKET, "telemetry", f'{E},service="planner"')
        .fires("fires", "1456m15s", {calls: f"1x{DAY} 0x90"})
        .fires("fires where the series has ended", "1462m", {calls: f"1x{DAY}"})
        .quiet("not yet", "1455m", {calls: f"1x{DAY} 0x90"})
        .quiet("there was nothing a day ago", "1500m", {calls: f"0x{DAY + 90}"})
        .quiet("it goes on", "1500m", {calls: f"1x{DAY + 90}"})
        .quiet("recovers", "1520m", {calls: f"1x{DAY} 0x40 2x90"})
        .quiet("no data", "1500m", {})
    )


def _mismatch() -> Table:
    served, called = f"kpi:served_calls:increase1h{{{TOOL}}}", f"kpi:tool_calls:increase1h{{{TOOL}}}"
    given = {served: "31x90", called: "20x90"}
    return (
        Table("ToolSpansMismatch", TICKET, "telemetry", TOOL)
        .fires("fires", "30m15s", given)
        .quiet("not yet", "29m45s", given)
        .quiet("one and a half is not more", "60m", given | {served: "30x90"})
        .quiet("too few calls", "60m", given | {called: "19x90"})
        .quiet("recovers", "70m", given | {served: "31x40 20x90"})
        .quiet("no data", "60m", {})
    )


def _series() -> Iterator[Table]:
    tracked, limit = (
        f"otelcol_deltatocumulative_streams_tracked{{{JOB}}}",
        f"otelcol_deltatocumulative_streams_limit{{{JOB}}}",
    )
    near = {tracked: "801x60", limit: "1000x60"}
    yield (
        Table("SeriesNearLimit", TICKET, "telemetry", JOB)
        .fires("fires", "10m15s", near)
        .quiet("not yet", "9m45s", near)
        .quiet("four fifths are not more", "30m", near | {tracked: "800x60"})
        .quiet("recovers", "50m", near | {tracked: "801x30 10x60"})
        .quiet("no data", "30m", {})
    )
    dropped = f'otelcol_deltatocumulative_datapoints{{{JOB},error="limit"}}'
    yield (
        Table("SeriesDropped", PAGE, "telemetry", f'{JOB},error="limit"')
        .fires("fires", "12m", {dropped: "0x10 5x60"})
        .fires("is seen for ten minutes and kept for ten", "29m", {dropped: "0x10 5x60"})
        .quiet("is over", "32m", {dropped: "0x10 5x60"})
        .quiet("nothing dropped", "30m", {dropped: "5x60"})
        .quiet("dropped for another reason", "12m", {dropped.replace("limit", "out_of_order"): "0x10 5x60"})
        .quiet("no data", "30m", {})
    )
    order = f'otelcol_deltatocumulative_datapoints{{{JOB},error="delta.ErrOutOfOrder"}}'
    failed = f'otelcol_exporter_send_failed_metric_points{{{JOB},exporter="otlp_http/prometheus"}}'
    yield (
        Table("KpiPointsLost", TICKET, "telemetry", JOB, owner="platform")
        .fires("out of order", "12m", {order: "0x10 5x60"}, error="delta.ErrOutOfOrder")
        .fires("refused for good", "12m", {failed: "0x10 5x60"}, exporter="otlp_http/prometheus")
        .fires("is seen for ten minutes and kept for ten", "29m", {order: "0x10 5x60"}, error="delta.ErrOutOfOrder")
        .quiet("is over", "32m", {order: "0x10 5x60"})
        .quiet("at the limit is another alert", "12m", {dropped: "0x10 5x60"})
        .quiet("counted without an error", "12m", {f"otelcol_deltatocumulative_datapoints{{{JOB}}}": "0+9x60"})
        .quiet("no data", "30m", {})
    )


def _tables() -> Iterator[Table]:
    yield _crash_loop()
    yield _stuck()
    yield _idle()
    yield _schema()
    yield from (_budget(percent, severity) for percent, severity in ((50, TICKET), (80, TICKET), (100, PAGE)))
    yield _spike()
    yield _jump("TaskCostJump", PAGE, "task_cost", FLOW)
    yield _jump("RequestTokensJump", TICKET, "request_tokens", AGENT)
    yield _cache()
    yield _stale()
    yield _canary()
    yield _worse("WorseThanLastWeek", "kpi:week_worsening1h")
    yield _worse("WorseThanBaseline", "kpi:baseline_worsening1h")
    yield from _regression("tool_success", "tool", TOOL, PAGE, 0.05, 3.1)
    yield from _regression("tool_retries", "tool", TOOL, TICKET, 0.05, 3.1)
    yield from _regression("task_cost", "graph", FLOW, TICKET, 0.3, None)
    yield _missing()
    yield _mismatch()
    yield from _series()
    watchdog = Table("Watchdog", TICKET, "platform", "", owner="platform")
    yield watchdog.fires("always", "0m", {}).fires("and later", "3h", {})


RAW = tuple(case for table in _tables() for case in table.cases)
