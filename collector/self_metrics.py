"""What a collector says of itself on its metrics endpoint, as far as alerts read it: the exact names of a scrape.

The endpoint gives counters without the suffix `_total`. A counter with labels has no series before its first increment
unless the component makes one, so an alert must not take "no series" for trouble. Not here: the KPI metrics
(`signals`), and the alerts.
"""

from enum import StrEnum


class SelfMetric(StrEnum):
    """Names of the collector's own metrics; the comment says what one means and which labels tell series apart."""

    # exporter: the door and the data paths. Points for data lost or about to be.
    QUEUE_SIZE = "otelcol_exporter_queue_size"
    QUEUE_CAPACITY = "otelcol_exporter_queue_capacity"
    SERIES_POINTS = "otelcol_deltatocumulative_datapoints"
    SERIES_TRACKED = "otelcol_deltatocumulative_streams_tracked"
