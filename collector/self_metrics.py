"""What a collector says of itself on its metrics endpoint, as far as people and alerts read it: names as scraped.

The endpoint gives counters without the suffix `_total`. A counter has no series before its first increment unless the
component makes one, so "no series" is not trouble. Not here: the KPI metrics (`agentobs.contract`), and the alerts.
"""

from enum import StrEnum


class SelfMetric(StrEnum):
    """Names of the collector's own metrics. Beside each: the labels that tell its series apart."""

    # The door: receiver, transport.
    ACCEPTED_SPANS = "otelcol_receiver_accepted_spans"
    ACCEPTED_RECORDS = "otelcol_receiver_accepted_log_records"
    REFUSED_SPANS = "otelcol_receiver_refused_spans"  # the client keeps them and tries again
    REFUSED_RECORDS = "otelcol_receiver_refused_log_records"
    PRESSURE_REFUSED_SPANS = "otelcol_processor_memory_limiter_refused_spans"  # by the memory limit

    # The ways out: exporter, and data_type for the queues.
    QUEUE_SIZE = "otelcol_exporter_queue_size"  # bytes to the stores, spans to the counters, requests to Prometheus
    QUEUE_CAPACITY = "otelcol_exporter_queue_capacity"
    ENQUEUE_FAILED_SPANS = "otelcol_exporter_enqueue_failed_spans"  # lost for this store: its queue is full
    ENQUEUE_FAILED_RECORDS = "otelcol_exporter_enqueue_failed_log_records"
    SEND_FAILED_SPANS = "otelcol_exporter_send_failed_spans"  # lost for this store: it refused them for good
    SEND_FAILED_RECORDS = "otelcol_exporter_send_failed_log_records"
    # Lost KPI increments; of exporters whose name says so, metrics of applications.
    SEND_FAILED_POINTS = "otelcol_exporter_send_failed_metric_points"
    FILTERED_POINTS = "otelcol_processor_filter_datapoints_filtered"  # by filter: what an application may not send
    SENT_SPANS = "otelcol_exporter_sent_spans"

    # The KPI series: a label that explodes. With error="limit" a point found no place and is lost.
    SERIES_POINTS = "otelcol_deltatocumulative_datapoints"
    SERIES_TRACKED = "otelcol_deltatocumulative_streams_tracked"
    SERIES_LIMIT = "otelcol_deltatocumulative_streams_limit"

    # Sampling. Too early: decided before its time because more traces came than there is place for.
    TRACES_DECIDED = "otelcol_processor_tail_sampling_global_count_traces_sampled"  # sampled="true" or "false"
    TRACES_TOO_EARLY = "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early"
    TRACES_HELD = "otelcol_processor_tail_sampling_sampling_traces_on_memory"

    UPTIME = "otelcol_process_uptime"  # seconds; falls at a restart
    MEMORY_RSS = "otelcol_process_memory_rss"
    CPU_SECONDS = "otelcol_process_cpu_seconds"
