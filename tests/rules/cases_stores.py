"""Cases of the alerts about the stores: metrics as each store gives them, one value a minute."""

from collections.abc import Iterator

from support.tables import JOB, PAGE, TICKET, Table, grows, platform, renamed, restarting

JAEGER = 'job="jaeger",instance="jaeger-0"'
LINES = 'job="victorialogs",instance="victorialogs-0"'


def tables() -> Iterator[Table]:
    """All of them."""
    yield _failing("Loki", "loki")
    yield _failing("Tempo", "tempo")
    yield grows("LokiDiskFull", PAGE, "loki_ingester_wal_disk_full_failures_total", JOB)
    yield grows("LokiPanics", TICKET, "loki_panic_total", JOB)
    yield grows("TempoFlushesFailing", TICKET, "tempo_ingester_failed_flushes_total", JOB)
    yield grows("TempoDiscardsSpans", TICKET, "tempo_discarded_spans_total", JOB, more=',reason="rate_limited"')
    yield grows("TempoCompactionFailing", TICKET, "tempodb_compaction_errors_total", JOB)
    yield from _jaeger()
    yield from _victorialogs()


def _failing(name: str, job: str) -> Table:
    labels = f'job="{job}",instance="{job}-0"'
    count = f"{job}_request_duration_seconds_count"
    good, bad = (f'{count}{{{labels},route="push",status_code="{code}"}}' for code in (204, 500))
    failing = {good: "0+94x90", bad: "0+6x90"}
    return (
        platform(f"{name}Failing", TICKET, labels)
        .fires("fires", "12m", failing)
        .quiet("not yet", "9m", failing)
        .quiet("one in twenty is allowed", "45m", {good: "0+95x90", bad: "0+5x90"})
        .quiet("refusals are the client's", "45m", {good: "0+9x90", bad.replace("500", "400"): "0+9x90"})
        .quiet("recovers", "60m", {good: "0+94x90", bad: "0+6x30 180x60"})
        .quiet("no data", "30m", {})
    )


def _jaeger() -> Iterator[Table]:
    asked = f"jaeger_storage_requests_total{{{JAEGER},operation=%s,result=%s}}"
    good, bad, unknown = (
        asked % pair for pair in (('"find_traces"', '"ok"'), ('"find_traces"', '"err"'), ('"get_trace"', '"err"'))
    )
    failing = {good: "0+94x90", bad: "0+6x90"}
    yield (
        platform("JaegerFailing", TICKET, JAEGER)
        .fires("fires", "12m", failing)
        .quiet("not yet", "9m", failing)
        .quiet("one in twenty is allowed", "45m", {good: "0+95x90", bad: "0+5x90"})
        .quiet("a trace that nobody has is no failure", "45m", {good: "0+9x90", unknown: "0+9x90"})
        .fires("traces that are found hide no failure", "12m", failing | {unknown.replace("err", "ok"): "0+900x90"})
        .quiet("recovers", "60m", {good: "0+94x90", bad: "0+6x30 180x60"})
        .quiet("no data", "30m", {})
    )
    unsent, exporter = "otelcol_exporter_send_failed_spans_total", ',exporter="jaeger_storage_exporter"'
    yield grows("JaegerRefusesSpans", TICKET, unsent, JAEGER, hold=5, window=5, more=exporter).quiet(
        "another collector cannot send", "30m", {f"{unsent}{{{JOB}{exporter}}}": "0+1x60"}
    )
    stored = f"jaeger_storage_badger_size_bytes_lsm{{{JAEGER}}}"
    told = 'job="kube-state-metrics",instance="kube-state-metrics-0",persistentvolumeclaim="data-%s-0"'
    claim = f"kube_persistentvolumeclaim_resource_requests_storage_bytes{{{told}}}"
    volume = {claim % "jaeger": "1000x90", claim % "loki": "10x90"}
    yield (
        platform("JaegerDiskFilling", TICKET, JAEGER)
        .fires("fires", "15m15s", volume | {stored: "601x90"})
        .quiet("not yet", "14m45s", volume | {stored: "601x90"})
        .quiet("not above the threshold", "45m", volume | {stored: "600x90"})
        .quiet("recovers", "60m", volume | {stored: "601x30 500x60"})
        .quiet("nobody knows the disk of one computer", "45m", {stored: "601x90"})
        .quiet("no data", "30m", {})
    )
    yield _restarting("JaegerRestarting", JAEGER, "otelcol_process_uptime_seconds_total")


def _victorialogs() -> Iterator[Table]:
    every = f'vl_http_requests_total{{{LINES},path="/insert/opentelemetry/v1/logs"}}'
    counters = {
        "unreadable": f'vl_http_errors_total{{{LINES},path="/insert/opentelemetry/v1/logs"}}',
        "searches wait": f"vl_concurrent_select_limit_timeout_total{{{LINES}}}",
        "writes wait": f"vm_concurrent_insert_limit_timeout_total{{{LINES}}}",
    }
    none = {every: "0+100x90", **dict.fromkeys(counters.values(), "0x90")}
    for what, bad in counters.items():
        table = (
            platform("VictoriaLogsFailing", TICKET, LINES)
            .fires("fires", "12m", none | {bad: "0+6x90"})
            .quiet("not yet", "9m", none | {bad: "0+6x90"})
            .quiet("one in twenty is allowed", "45m", none | {bad: "0+5x90"})
            .quiet("recovers", "60m", none | {bad: "0+6x30 180x60"})
            .quiet("no data", "30m", {})
        )
        yield renamed(table, what)
    read_only = f'vl_storage_is_read_only{{{LINES},path="/data"}}'
    yield (
        platform("VictoriaLogsDiskFull", PAGE, LINES)
        .fires("fires", "2m15s", {read_only: "1x60"})
        .fires("is remembered, as merging frees a little for a while", "24m", {read_only: "1x15 0x60"})
        .quiet("not yet", "1m45s", {read_only: "1x60"})
        .quiet("recovers", "30m", {read_only: "1x15 0x60"})
        .quiet("all is well", "30m", {read_only: "0x60"})
        .quiet("no data", "30m", {})
    )
    late = f'{LINES},reason="too_small_timestamp"'
    yield grows("VictoriaLogsDropsLines", TICKET, "vl_rows_dropped_total", late)
    yield _restarting("VictoriaLogsRestarting", LINES, "vm_app_uptime_seconds")


def _restarting(alert: str, labels: str, uptime: str) -> Table:
    """Others have parts of these programs too, and give the same series."""
    other = f'{uptime}{{job="other",instance="other-0"}}'
    return restarting(alert, labels, uptime).quiet("another program", "20m", {other: "0+60x3 0+60x3 0+60x3 0+60x60"})
