"""Alerts about the platform itself: collector, Prometheus, Alertmanager, the way to Langfuse.

Those about stores and releases are beside.

What pages would leave agents unwatched or lose data within the hour. Names of metrics are those of a scrape of the
pinned versions. Langfuse gives no metrics to Prometheus: what is seen of it is the collector's queue towards it.
"""

from collections.abc import Iterator
from typing import Final

from alerts.alerting import releases, stores
from alerts.alerting.condition import Comparison, any_of
from alerts.alerting.maker import AT, PERCENT, WHERE, Maker
from alerts.alerting.model import Alert
from alerts.catalogue import Severity
from alerts.catalogue.model import HOUR, MINUTE
from alerts.timing import Timing
from collector.self_metrics import SelfMetric

LANGFUSE: Final = "otlp_http/langfuse"
_PAGE, _TICKET = Severity.PAGE, Severity.TICKET
_WAY: Final = (*AT, "exporter")


def alerts(timing: Timing) -> Iterator[Alert]:
    """All of them."""
    make = Maker(timing)
    yield from _targets(make)
    yield from _collector(make.of("collector"))
    yield from _prometheus(make.of("prometheus"))
    yield from _alerting_path(make)
    yield from stores.alerts(make)
    yield from _pods(make)
    yield from releases.alerts(make)


def _targets(make: Maker) -> Iterator[Alert]:
    yield make.alert(
        "BackendDown", Comparison("up", "==", 0), _PAGE, f"{WHERE} does not answer.",
        "It has not answered a scrape for 2 minutes. What waits for it is kept on disk; what it shows is missing.",
        hold_s=2 * MINUTE, value="down",
    )  # fmt: skip
    yield make.of("collector").alert(
        "CollectorMissing", Comparison('absent(up{job="collector"})'), _PAGE, "No collector is known to Prometheus.",
        "For 5 minutes. Without one no KPI, trace or log of any agent arrives, and most alerts stay silent.",
        by=("job",), value="none",
    )  # fmt: skip


def _collector(make: Maker) -> Iterator[Alert]:
    size, room = SelfMetric.QUEUE_SIZE, SelfMetric.QUEUE_CAPACITY
    way = (*_WAY, "data_type")
    share = f"max by ({', '.join(way)}) ({size} / {room})"
    yield make.alert(
        "CollectorQueueFilling", Comparison(share, ">", 0.5), _TICKET,
        f"The queue to {{{{ $labels.exporter }}}} is {PERCENT} full.",
        "What it leads to is down or slow. When it is full, new {{ $labels.data_type }} for it are lost.",
        by=way, value=PERCENT,
    )  # fmt: skip
    yield make.alert(
        "CollectorQueueFull", Comparison(share, ">", 0.9), _PAGE,
        f"The queue to {{{{ $labels.exporter }}}} is {PERCENT} full.",
        "New {{ $labels.data_type }} for it are lost within minutes, or clients have to wait.",
        hold_s=2 * MINUTE, by=way, value=PERCENT,
    )  # fmt: skip
    lost = (SelfMetric.ENQUEUE_FAILED_SPANS, SelfMetric.ENQUEUE_FAILED_RECORDS)
    yield make.alert(
        "CollectorLosesData", any_of(make.grew(metric, 10 * MINUTE, _WAY) for metric in lost), _PAGE,
        "Data for {{ $labels.exporter }} is being lost: its queue is full.",
        "{{ $value | humanize }} spans or records in 10 minutes. They will not come back; other stores get them.",
        hold_s=0, keep_s=10 * MINUTE, by=_WAY,
    )  # fmt: skip
    refused = (SelfMetric.SEND_FAILED_SPANS, SelfMetric.SEND_FAILED_RECORDS)
    yield make.alert(
        "StoreRefusesData", any_of(make.grew(metric, 10 * MINUTE, _WAY) for metric in refused), _TICKET,
        "What {{ $labels.exporter }} leads to refuses data for good.",
        "{{ $value | humanize }} spans or records in 10 minutes were in requests that were refused: too old, too large,"
        " or without the right key.",
        hold_s=0, keep_s=10 * MINUTE, by=_WAY,
    )  # fmt: skip
    yield make.alert(
        "CollectorUnderPressure", make.grew(SelfMetric.PRESSURE_REFUSED_SPANS, 5 * MINUTE), _TICKET,
        f"The collector {WHERE} turns clients away: its memory is full.",
        "{{ $value | humanize }} spans in 5 minutes, for 5 minutes. Clients keep them and try again, up to a point:"
        " give it more memory, or add a collector.",
    )  # fmt: skip
    resets = f"resets({SelfMetric.UPTIME}[{make.timing.of(30 * MINUTE)}])"
    yield make.alert(
        "CollectorRestarting", Comparison(f"max by (job, instance) ({resets})", ">", 2),
        _TICKET, f"The collector {WHERE} started {{{{ $value }}}} times in 30 minutes.",
        "KPIs stay exact over restarts; traces that were undecided begin anew. See its last log lines.", hold_s=0,
        value="{{ $value }} restarts",
    )  # fmt: skip
    yield make.alert(
        "TracesDecidedTooEarly", make.grew(SelfMetric.TRACES_TOO_EARLY, 10 * MINUTE), _TICKET,
        f"The sampler {WHERE} gives traces up before their time.",
        "{{ $value | humanize }} in 10 minutes: more traces are open than it has room for. What has a reason is kept.",
        hold_s=0, keep_s=10 * MINUTE,
    )  # fmt: skip
    langfuse = f'max by ({", ".join(_WAY)}) ({size}{{exporter="{LANGFUSE}"}} / {room}{{exporter="{LANGFUSE}"}})'
    yield make.alert(
        "LangfuseFallsBehind", Comparison(langfuse, ">", 0.1), _TICKET,
        f"Langfuse is behind: its queue is {PERCENT} full.",
        "For 15 minutes. It is down or slow; its pages show old data. What it refuses for good is not kept.",
        hold_s=15 * MINUTE, by=_WAY, value=PERCENT,
    )  # fmt: skip


def _prometheus(make: Maker) -> Iterator[Alert]:
    yield make.alert(
        "PrometheusConfigRejected", Comparison("prometheus_config_last_reload_successful", "==", 0), _TICKET,
        f"Prometheus {WHERE} runs with an old configuration.", "The newest one was refused; its log says why.",
        value="refused",
    )  # fmt: skip
    rules = (*AT, "rule_group")
    failures = make.grew("prometheus_rule_evaluation_failures_total", 5 * MINUTE, rules)
    yield make.alert(
        "RulesFailing", failures, _PAGE, "Rules of {{ $labels.rule_group }} fail.",
        "{{ $value | humanize }} evaluations in 5 minutes failed, for 5 minutes: the KPIs and alerts in that group are"
        " missing.", by=rules,
    )  # fmt: skip
    missed = make.grew("prometheus_rule_group_iterations_missed_total", 5 * MINUTE, rules)
    yield make.alert(
        "RulesLate", missed, _TICKET, "Rules of {{ $labels.rule_group }} skip evaluations.",
        "{{ $value | humanize }} in 5 minutes, for 5 minutes: they take longer than their interval.", by=rules,
    )  # fmt: skip
    took = "prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds"
    yield make.alert(
        "RulesSlow", Comparison(f"max by ({', '.join(rules)}) ({took})", ">", 0.5), _TICKET,
        "Rules of {{ $labels.rule_group }} take {{ $value | humanizePercentage }} of their interval.",
        "For 10 minutes. At the whole of it evaluations are skipped; too many versions are a frequent reason.",
        hold_s=10 * MINUTE, by=rules, value=PERCENT,
    )  # fmt: skip
    appended = (
        f"sum by (job, instance) (rate(prometheus_tsdb_head_samples_appended_total[{make.timing.of(5 * MINUTE)}]))"
    )
    yield make.alert(
        "PrometheusIngestsNothing", Comparison(appended, "==", 0), _PAGE, f"Prometheus {WHERE} takes in nothing.",
        "No sample for 10 minutes: every panel and alert looks at the past.", hold_s=10 * MINUTE, value="none",
    )  # fmt: skip
    # With a full disk it says yes to everything and stores nothing, its own samples included: only absence shows it.
    absent = f'absent_over_time(up{{job="prometheus"}}[{make.timing.of(10 * MINUTE)}])'
    yield make.alert(
        "PrometheusStoresNothing", Comparison(absent), _PAGE,
        "A Prometheus stores nothing: its disk is full or broken.",
        "Not even its own samples for 10 minutes. It still accepts KPIs, and they are lost; no other alert can fire.",
        hold_s=2 * MINUTE, by=("job",), value="none",
    )  # fmt: skip
    broken = ("tsdb_compactions_failed", "tsdb_reloads_failures", "tsdb_wal_corruptions")
    yield make.alert(
        "PrometheusStorageFailing",
        any_of(make.grew(f"prometheus_{metric}_total", 3 * HOUR) for metric in broken), _TICKET,
        f"Prometheus {WHERE} has trouble with its disk.",
        "Compactions, reloads or the write-ahead log failed within 3 hours: often the disk is full.", hold_s=0,
    )  # fmt: skip
    yield make.alert(
        "SamplesTooOld", make.grew("prometheus_tsdb_too_old_samples_total", 10 * MINUTE), _TICKET,
        f"Prometheus {WHERE} refuses samples as too old.",
        "{{ $value | humanize }} in 10 minutes, delivered later than the window for late samples: KPIs miss them.",
        hold_s=0, keep_s=10 * MINUTE,
    )  # fmt: skip


def _alerting_path(make: Maker) -> Iterator[Alert]:
    sender, alertmanager = make.of("prometheus"), make.of("alertmanager")
    yield sender.alert(
        "AlertmanagerUnknown", Comparison("prometheus_notifications_alertmanagers_discovered", "<", 1), _PAGE,
        f"Prometheus {WHERE} knows no Alertmanager.", "For 5 minutes. No alert reaches anybody.", value="none",
    )  # fmt: skip
    errors = make.grew("prometheus_notifications_errors_total", 5 * MINUTE, (*AT, "alertmanager"))
    yield sender.alert(
        "AlertsNotSent", errors, _PAGE, f"Prometheus {WHERE} cannot hand alerts to Alertmanager.",
        "{{ $value | humanize }} failed in 5 minutes, for 5 minutes.", by=(*AT, "alertmanager"),
    )  # fmt: skip
    yield alertmanager.alert(
        "AlertmanagerConfigRejected", Comparison("alertmanager_config_last_reload_successful", "==", 0), _TICKET,
        f"Alertmanager {WHERE} runs with an old configuration.", "The newest one was refused; its log says why.",
        value="refused",
    )  # fmt: skip
    failed = make.grew("alertmanager_notifications_failed_total", 5 * MINUTE, (*AT, "integration"))
    yield alertmanager.alert(
        "NotificationsFailing", failed, _PAGE, "Notifications by {{ $labels.integration }} fail.",
        "{{ $value | humanize }} in 5 minutes, for 5 minutes: people are not told. Other receivers still are.",
        by=(*AT, "integration"),
    )  # fmt: skip


def _pods(make: Maker) -> Iterator[Alert]:
    """What only Kubernetes knows; of every namespace, as an agent that ends at once says nothing itself."""
    looping = 'kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}'
    by = ("namespace", "pod", "container")
    # Between two waits it runs for a moment.
    waited = f"max by ({', '.join(by)}) (max_over_time({looping}[{make.timing.of(5 * MINUTE)}]))"
    yield make.alert(
        "PodCrashLoops", Comparison(waited, ">", 0), _TICKET,
        "{{ $labels.container }} of pod {{ $labels.namespace }}/{{ $labels.pod }} ends again and again.",
        "Kubernetes has waited between its starts for 10 minutes. It does nothing meanwhile; whatever it said, its last"
        " lines and how it ended tell why.",
        hold_s=10 * MINUTE, by=by, value="waits",
    )  # fmt: skip
