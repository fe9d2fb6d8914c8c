"""Alerts about the stores of logs and traces: Loki or VictoriaLogs, Tempo or Jaeger.

All of them are always rendered: a store that is not in use has no series, so its alerts stay silent. Names of metrics
are those of a scrape of the pinned versions. Jaeger and VictoriaLogs end where others count an error, so a start too
many is what tells of it; what nobody answers any more is `BackendDown`.
"""

from collections.abc import Iterator
from typing import Final

from alerts.alerting.condition import Comparison
from alerts.alerting.maker import AT, PERCENT, WHERE, Maker
from alerts.alerting.model import Alert
from alerts.catalogue import Severity
from alerts.catalogue.model import MINUTE

_PAGE, _TICKET = Severity.PAGE, Severity.TICKET
_FAILING: Final = 0.05
# Badger joins its files by writing new ones before old ones go, and a full disk ends it without a word.
_BADGER_SHARE: Final = 0.6


def alerts(make: Maker) -> Iterator[Alert]:
    """All of them."""
    yield from _by_status(make)
    yield from _counted(make)
    yield from _jaeger(make.of("jaeger"))
    yield from _victorialogs(make.of("victorialogs"))
    yield from _restarting(make)


def _rate(make: Maker, metric: str, where: str = "") -> str:
    return f"sum by ({', '.join(AT)}) (rate({metric}{where}[{make.timing.of(5 * MINUTE)}]))"


def _by_status(make: Maker) -> Iterator[Alert]:
    for name, job in (("Loki", "loki"), ("Tempo", "tempo")):
        requests = f"{job}_request_duration_seconds_count"
        bad, every = _rate(make, requests, '{status_code=~"5.."}'), _rate(make, requests)
        yield make.of(job).alert(
            f"{name}Failing", Comparison(f"{bad} / {every}", ">", _FAILING), _TICKET,
            f"{PERCENT} of the requests to {WHERE} fail.",
            "For 10 minutes. What is read is missing; what is written is lost, unless the answer allows a retry.",
            hold_s=10 * MINUTE, value=PERCENT,
        )  # fmt: skip


def _counted(make: Maker) -> Iterator[Alert]:
    for name, metric, what, severity in (
        ("LokiDiskFull", "loki_ingester_wal_disk_full_failures_total", "cannot write: its disk is full", _PAGE),
        ("LokiPanics", "loki_panic_total", "breaks off requests with a panic", _TICKET),
        ("TempoFlushesFailing", "tempo_ingester_failed_flushes_total", "cannot write blocks to its storage", _TICKET),
        ("TempoDiscardsSpans", "tempo_discarded_spans_total", "throws spans away: a limit is reached", _TICKET),
        ("TempoCompactionFailing", "tempodb_compaction_errors_total", "cannot compact its blocks", _TICKET),
    ):
        yield make.of("loki" if name.startswith("Loki") else "tempo").alert(
            name, make.grew(metric, 10 * MINUTE), severity, f"{WHERE} {what}.",
            "{{ $value | humanize }} times in 10 minutes. Its log has the reason.", hold_s=0, keep_s=10 * MINUTE,
        )  # fmt: skip


def _jaeger(make: Maker) -> Iterator[Alert]:
    # A trace that nobody has is an error of `get_trace`: links to traces that were not kept are no trouble.
    reads, failed = 'operation!="get_trace"', 'result="err"'
    bad, every = (
        _rate(make, "jaeger_storage_requests_total", f"{{{where}}}") for where in (f"{reads},{failed}", reads)
    )
    yield make.alert(
        "JaegerFailing", Comparison(f"{bad} / {every}", ">", _FAILING), _TICKET,
        f"{PERCENT} of the searches in {WHERE} fail.",
        "For 10 minutes. Traces cannot be found, and links from alerts lead nowhere; writing is not concerned.",
        hold_s=10 * MINUTE, value=PERCENT,
    )  # fmt: skip
    unwritten = make.grew('otelcol_exporter_send_failed_spans_total{job="jaeger"}', 5 * MINUTE)
    yield make.alert(
        "JaegerRefusesSpans", unwritten, _TICKET, f"{WHERE} cannot store spans that it gets.",
        "{{ $value | humanize }} in 5 minutes, for 5 minutes. The collector sends them again and again; one span that"
        " Jaeger can never store holds up all that are sent with it.",
    )  # fmt: skip
    claim = "persistentvolumeclaim"
    room = f'max by ({claim}) (kube_{claim}_resource_requests_storage_bytes{{{claim}=~"data-jaeger-.+"}})'
    stored = f"max by ({', '.join(AT)}) (jaeger_storage_badger_size_bytes_lsm)"
    # The name of the claim is "data-" and the pod's: nothing, "data-", instance. No `$1`, which boards take for theirs.
    stored = f'label_join({stored}, "{claim}", "data-", "nothing", "instance")'
    yield make.alert(
        "JaegerDiskFilling",
        Comparison(
            f"max by ({', '.join(AT)}) ({stored} / on ({claim}) group_left() {room})", ">", _BADGER_SHARE,
        ), _TICKET,
        f"The traces of {WHERE} take {PERCENT} of its disk.",
        "For 15 minutes. It needs the rest to join its files. When the disk is full, Jaeger ends and does not start"
        " again; the collector holds traces until its own queue is full.", hold_s=15 * MINUTE, value=PERCENT,
    )  # fmt: skip


def _victorialogs(make: Maker) -> Iterator[Alert]:
    # Each counter is there from the start, at nothing.
    bad = " + ".join(
        _rate(make, metric)
        for metric in (
            "vl_http_errors_total", "vl_concurrent_select_limit_timeout_total",
            "vm_concurrent_insert_limit_timeout_total",
        )
    )  # fmt: skip
    every = _rate(make, "vl_http_requests_total")
    yield make.alert(
        "VictoriaLogsFailing", Comparison(f"({bad}) / {every}", ">", _FAILING), _TICKET,
        f"{PERCENT} of the requests to {WHERE} fail.",
        "For 10 minutes. It cannot read what it gets, or requests wait too long for their turn.",
        hold_s=10 * MINUTE, value=PERCENT,
    )  # fmt: skip
    yield make.alert(
        "VictoriaLogsDiskFull", Comparison(f"max by ({', '.join(AT)}) (vl_storage_is_read_only)", ">", 0), _PAGE,
        f"{WHERE} takes no more logs: its disk is full.",
        "For 2 minutes. What is stored can be read. New lines wait in the collector and are lost when its queue is"
        " full.", hold_s=2 * MINUTE, keep_s=10 * MINUTE, value="read only",
    )  # fmt: skip
    reasons = (*AT, "reason")
    yield make.alert(
        "VictoriaLogsDropsLines", make.grew("vl_rows_dropped_total", 10 * MINUTE, reasons), _TICKET,
        f"{WHERE} throws log lines away: {{{{ $labels.reason }}}}.",
        "{{ $value | humanize }} in 10 minutes. It says yes to them, so nobody sends them again: they are lost.",
        hold_s=0, keep_s=10 * MINUTE, by=reasons,
    )  # fmt: skip


def _restarting(make: Maker) -> Iterator[Alert]:
    for name, uptime in (
        ("Jaeger", 'otelcol_process_uptime_seconds_total{job="jaeger"}'),
        ("VictoriaLogs", 'vm_app_uptime_seconds{job="victorialogs"}'),
    ):
        starts = f"resets({uptime}[{make.timing.of(30 * MINUTE)}])"
        yield make.of(name.lower()).alert(
            f"{name}Restarting", Comparison(f"max by ({', '.join(AT)}) ({starts})", ">", 2), _TICKET,
            f"{WHERE} started {{{{ $value }}}} times in 30 minutes.",
            "It ends at an error of its disk, its files or its memory; nothing can be read or written meanwhile. Its"
            " last lines before an end tell why.", hold_s=0, value="{{ $value }} restarts",
        )  # fmt: skip
