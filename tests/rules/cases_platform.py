"""Cases of the platform's own alerts: metrics as the backends give them, one value a minute."""

from collections.abc import Iterator

from rules import cases_releases, cases_stores
from support.tables import JOB, PAGE, TICKET, Table, grows, platform, renamed, restarting

QUEUE = f'{JOB},exporter="otlp_http/loki",data_type="logs"'
WAY = f'{JOB},exporter="otlp_http/loki"'
RULES = f'{JOB},rule_group="rules.yml;kpi-tools"'


def _is_zero(alert: str, severity: str, metric: str) -> Table:
    series = f"{metric}{{{JOB}}}"
    return (
        platform(alert, severity, JOB)
        .fires("fires", "5m15s", {series: "0x60"})
        .quiet("not yet", "4m45s", {series: "0x60"})
        .quiet("all is well", "30m", {series: "1x60"})
        .quiet("recovers", "40m", {series: "0x20 1x60"})
        .quiet("no data", "30m", {})
    )


def _share(  # noqa: PLR0917 one row of a table
    alert: str, severity: str, part: str, whole: str, labels: str, above: float, hold: int
) -> Table:
    over = {f"{part}{{{labels}}}": f"{above * 1000 + 1:g}x90", f"{whole}{{{labels}}}": "1000x90"}
    at = over | {f"{part}{{{labels}}}": f"{above * 1000:g}x90"}
    return (
        platform(alert, severity, labels)
        .fires("fires", f"{hold}m15s", over)
        .quiet("not yet", f"{hold - 1}m45s", over)
        .quiet("not above the threshold", "45m", at)
        .quiet("recovers", "50m", over | {f"{part}{{{labels}}}": f"{above * 1000 + 1:g}x30 0x60"})
        .quiet("no data", "30m", {})
    )


def _tables() -> Iterator[Table]:
    yield platform("Watchdog", TICKET, "").fires("always", "0m", {}).fires("and later", "3h", {})
    up = f"up{{{JOB}}}"
    yield (
        platform("BackendDown", PAGE, JOB)
        .fires("fires", "2m15s", {up: "0x30"})
        .quiet("not yet", "1m45s", {up: "0x30"})
        .quiet("all is well", "20m", {up: "1x30"})
        .quiet("recovers", "20m", {up: "0x10 1x30"})
        .quiet("no data", "20m", {})
    )
    yield (
        platform("CollectorMissing", PAGE, 'job="collector"')
        .fires("fires where nothing is scraped", "5m15s", {})
        .fires("fires where others are scraped", "5m15s", {'up{job="loki",instance="loki-0"}': "1x30"})
        .quiet("not yet", "4m45s", {})
        .quiet("is there, though down", "20m", {up: "0x30"})
        .quiet("recovers", "25m", {up: "_x15 1x30"})
    )
    size, room = "otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity"
    yield _share("CollectorQueueFilling", TICKET, size, room, QUEUE, 0.5, 5)
    yield _share("CollectorQueueFull", PAGE, size, room, QUEUE, 0.9, 2)
    langfuse = f'{JOB},exporter="otlp_http/langfuse"'
    other = {f'{size}{{{WAY},data_type="traces"}}': "900x60", f'{room}{{{WAY},data_type="traces"}}': "1000x60"}
    yield (
        _share("LangfuseFallsBehind", TICKET, size, room, langfuse, 0.1, 15).quiet(
            "another store is behind", "45m", other
        )
    )
    for metric in ("spans", "log_records"):
        yield renamed(grows("CollectorLosesData", PAGE, f"otelcol_exporter_enqueue_failed_{metric}", WAY), metric)
        yield renamed(grows("StoreRefusesData", TICKET, f"otelcol_exporter_send_failed_{metric}", WAY), metric)
    yield grows(
        "CollectorUnderPressure", TICKET, "otelcol_processor_memory_limiter_refused_spans", JOB, hold=5, window=5
    )
    yield restarting("CollectorRestarting", JOB, "otelcol_process_uptime")
    early = "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early"
    yield grows("TracesDecidedTooEarly", TICKET, early, JOB)
    yield _is_zero("PrometheusConfigRejected", TICKET, "prometheus_config_last_reload_successful")
    yield grows("RulesFailing", PAGE, "prometheus_rule_evaluation_failures_total", RULES, hold=5, window=5)
    yield grows("RulesLate", TICKET, "prometheus_rule_group_iterations_missed_total", RULES, hold=5, window=5)
    group = "prometheus_rule_group"
    yield _share("RulesSlow", TICKET, f"{group}_last_duration_seconds", f"{group}_interval_seconds", RULES, 0.5, 10)
    appended = f'prometheus_tsdb_head_samples_appended_total{{{JOB},type="float"}}'
    yield (
        platform("PrometheusIngestsNothing", PAGE, JOB)
        .fires("fires", "25m", {appended: "0+9x10 90x60"})
        .quiet("not yet", "23m30s", {appended: "0+9x10 90x60"})
        .quiet("all is well", "30m", {appended: "0+9x60"})
        .quiet("recovers", "50m", {appended: "0+9x10 90x20 90+9x60"})
        .quiet("no data", "30m", {})
    )
    own = 'up{job="prometheus",instance="prometheus-0"}'
    yield (
        platform("PrometheusStoresNothing", PAGE, 'job="prometheus"')
        .fires("fires", "22m15s", {own: "1x10"})
        .quiet("not yet", "21m45s", {own: "1x10"})
        .quiet("one missed scrape", "30m", {own: "1x10 _x2 1x60"})
        .quiet("recovers", "40m", {own: "1x10 _x20 1x60"})
        .quiet("all is well", "30m", {own: "1x60"})
    )
    for metric in ("tsdb_compactions_failed", "tsdb_reloads_failures", "tsdb_wal_corruptions"):
        table = grows("PrometheusStorageFailing", TICKET, f"prometheus_{metric}_total", JOB, window=180)
        yield renamed(table, metric)
    yield grows("SamplesTooOld", TICKET, "prometheus_tsdb_too_old_samples_total", JOB)
    yield _is_zero("AlertmanagerUnknown", PAGE, "prometheus_notifications_alertmanagers_discovered")
    to = f'{JOB},alertmanager="http://alertmanager:9093"'
    yield grows("AlertsNotSent", PAGE, "prometheus_notifications_errors_total", to, hold=5, window=5)
    yield _is_zero("AlertmanagerConfigRejected", TICKET, "alertmanager_config_last_reload_successful")
    pager = f'{JOB},integration="pagerduty"'
    failed = "alertmanager_notifications_failed_total"
    yield grows("NotificationsFailing", PAGE, failed, pager, hold=5, window=5, more=',reason="serverError"')
    yield from cases_stores.tables()
    yield from cases_releases.tables()
    container = 'namespace="my-agents",pod="planner-0",container="agent"'
    waits = f"kube_pod_container_status_waiting_reason{{{container},reason=%s}}"
    loops, pulls = (waits % f'"{reason}"' for reason in ("CrashLoopBackOff", "ImagePullBackOff"))
    yield (
        platform("PodCrashLoops", TICKET, container)
        .fires("fires", "10m15s", {loops: "1x60"})
        .fires("fires though it runs between two waits", "20m", {loops: "1x3 _x3 1x3 _x3 1x3 _x3 1x3"})
        .quiet("not yet", "9m45s", {loops: "1x60"})
        .quiet("one bad start", "30m", {loops: "1 _x60"})
        .quiet("an image that is not there is something else", "30m", {pulls: "1x60"})
        .quiet("recovers", "40m", {loops: "1x20 _x60"})
        .quiet("no data", "30m", {})
    )


RAW = tuple(case for table in _tables() for case in table.cases)
