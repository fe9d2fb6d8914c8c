"""The collector of production in one process: KPIs of everything, traces of what is sampled."""

from collections import Counter
from dataclasses import replace

import pytest
from support import otlp
from support.capture import capturing
from support.prometheus import prometheus_at
from support.truth import Traffic, differences
from support.whole import collector_of, eventually, local_profile, up

from collector import redaction, sampling


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Prometheus, the capture, truth and the spans sent, after some traffic without and with a reason to keep it."""
    folder = tmp_path_factory.mktemp("whole")
    with prometheus_at(folder / "prometheus") as prometheus, capturing() as store:
        profile = replace(local_profile(folder, prometheus.url, store), sampling=sampling.PROD, content=redaction.PROD)
        collector = collector_of(profile, folder, store)
        with up(collector):
            truth, traffic, sent = Counter(), Traffic(), 0
            for _ in range(20):
                request, adds = traffic.tasks(5)
                assert collector.send(request).ok
                truth.update(adds)
                sent += len(otlp.spans_of(request))
            assert collector.send(otlp.counter("gen_ai.client.token.usage", 2000, traffic.resource)).ok
            eventually(lambda: not differences(truth, prometheus.increases()), 40)
            yield prometheus, store, truth, sent


def test_kpis_do_not_depend_on_sampling(run):
    prometheus, store, truth, sent = run
    assert differences(truth, prometheus.increases()) == []
    # What is kept waits for its decision, and then for a batch.
    eventually(lambda: store.spans, 40)
    assert 0 < len(store.spans) < sent


def test_metrics_of_an_sdk_do_not_count_twice(run):
    """They arrive under their own names; the KPIs are made of spans alone."""
    prometheus, _, truth, _ = run
    assert eventually(lambda: prometheus.query("gen_ai_client_token_usage_total"))
    assert differences(truth, prometheus.increases()) == []
