"""Which series a running stack has, and which it cannot have yet."""

import requests

from alerts.release_metrics import ReleaseMetric
from collector.self_metrics import SelfMetric

# A counter without a first increment has no series. That these are their names: tests/pipeline/test_delivery.py,
# test_sampling.py, test_unread.py, test_field_cases.py and, where Kubernetes is, tests/node/test_dev.py and
# test_trouble.py make them grow.
AT_FIRST_TROUBLE = frozenset((
    SelfMetric.ENQUEUE_FAILED_SPANS,
    SelfMetric.ENQUEUE_FAILED_RECORDS,
    SelfMetric.SEND_FAILED_SPANS,
    SelfMetric.SEND_FAILED_RECORDS,
    SelfMetric.SEND_FAILED_POINTS,
    SelfMetric.PRESSURE_REFUSED_SPANS,
    SelfMetric.TRACES_TOO_EARLY,
    "kpi:unread_spans:increase15m",
    "kpi:doubtful_calls:increase1h",
    "kpi:costs_differ:increase1h",
    # Of environments with releases, such as in tests/unit/test_release_controller.py and tests/stack/test_releases.py.
    *(frozenset(ReleaseMetric) - {ReleaseMetric.STORE_READABLE}),
    "kube_pod_container_status_waiting_reason",
    "kube_persistentvolumeclaim_resource_requests_storage_bytes",
))  # fmt: skip


def names(prometheus: str) -> set[str]:
    """All names of series in a Prometheus at this address."""
    answer = requests.get(f"{prometheus}/api/v1/label/__name__/values", timeout=30)
    return set(answer.json()["data"])
