"""Metrics of applications beside the KPIs, on a real collector and a real Prometheus: what one sender can spoil.

Every case sends a healthy counter of its own in the same request: whatever becomes of the rest, that one is stored.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from support import otlp
from support.capture import capturing
from support.otelcol import PROTOBUF, Collector
from support.prometheus import Prometheus, prometheus_at
from support.truth import Traffic, differences
from support.whole import collector_of, eventually, local_profile, own_metrics, total, up

from alerts.recording import programs
from collector import applications
from collector.self_metrics import SelfMetric
from collector.tiers import Ingress, Token

DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
UNSPECIFIED = AggregationTemporality.AGGREGATION_TEMPORALITY_UNSPECIFIED
SECOND = 10**9


@dataclass
class Bench:
    prometheus: Prometheus
    collector: Collector
    traffic: Traffic = field(default_factory=Traffic)

    def series(self, query: str) -> list[dict[str, Any]]:
        found = requests.get(f"{self.prometheus.url}/api/v1/query", params={"query": query}, timeout=10).json()
        assert found["status"] == "success", found
        return [{**row["metric"], "": float(row["value"][1])} for row in found["data"]["result"]]

    def values(self, query: str) -> list[float]:
        return sorted(row[""] for row in self.series(query))

    def send(self, service: str, *metrics: Metric, **resource: Any) -> None:
        """The metrics of one program, and behind them its healthy counter."""
        said = {"service.name": service, "deployment.environment.name": "test", "service.instance.id": "i", **resource}
        request = otlp.counter("healthy", 3, said)
        request.resource_metrics[0].scope_metrics[0].metrics.extend(metrics)
        assert self.collector.send(request).ok
        assert eventually(lambda: self.values(f'healthy_total{{service="{service}"}}') == [3])

    def refused(self) -> float:
        return total(own_metrics(self.collector), SelfMetric.FILTERED_POINTS, filter=applications.REFUSED)


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("applications")
    with prometheus_at(folder / "prometheus") as prometheus, capturing() as store:
        collector = collector_of(local_profile(folder, prometheus.url, store), folder, store)
        with up(collector):
            yield Bench(prometheus, collector)


def gauge(name: str, value: float = 1, **attributes: Any) -> Metric:
    metric = Metric(name=name)
    point = metric.gauge.data_points.add(as_double=value, time_unix_nano=time.time_ns())
    point.attributes.extend(otlp.key_values(attributes))
    return metric


def counter(name: str, value: float, temporality: int, ended_ago: float = 0) -> Metric:
    metric, now = Metric(name=name), time.time_ns() - int(ended_ago * SECOND)
    metric.sum.aggregation_temporality, metric.sum.is_monotonic = temporality, True
    metric.sum.data_points.add(as_double=value, start_time_unix_nano=now - SECOND, time_unix_nano=now)
    return metric


def exponential(name: str, count: int, *, temporality: int = CUMULATIVE) -> Metric:
    """Its buckets hold ten."""
    metric, now = Metric(name=name), time.time_ns()
    metric.exponential_histogram.aggregation_temporality = temporality
    point = metric.exponential_histogram.data_points.add(
        count=count, sum=30, scale=2, start_time_unix_nano=now - SECOND, time_unix_nano=now
    )
    point.positive.bucket_counts.extend([5, 5])
    return metric


def plain(name: str, count: int) -> Metric:
    metric, now = Metric(name=name), time.time_ns()
    metric.histogram.aggregation_temporality = CUMULATIVE
    point = metric.histogram.data_points.add(count=count, sum=30, start_time_unix_nano=now - SECOND, time_unix_nano=now)
    point.explicit_bounds.extend([1])
    point.bucket_counts.extend([9, 9])
    return metric


RESERVED = (
    "kpi:task_success:ratio5m", "any:rule", "ALERTS", "ALERTS_FOR_STATE", "up", "up.", ".up", "agentic_llm_calls_total",
    "agentic.llm.calls", "_agentic_cost_usd", "..agentic-llm-calls", "agentic", "scrape_samples_scraped", "target.info",
    "otelcol_exporter_queue_size", "prometheus.tsdb.head_series", "kube_pod_info", "...",
)  # fmt: skip


def test_names_of_the_platform_are_refused_and_counted(bench):
    before = bench.refused()
    bench.send("names", *(gauge(name, 0, environment="sec-test") for name in RESERVED))
    assert bench.refused() == before + len(RESERVED)
    assert {row["__name__"] for row in bench.series('{service="names"}')} == {"healthy_total"}
    assert bench.series('{exported_environment="sec-test"}') == []


@pytest.mark.parametrize("name", ["agenticish", "upper", "group", "my_agentic_thing", "scraper_runs", "uptime"])
def test_a_name_that_only_looks_like_one_is_stored(bench, name):
    bench.send(f"like {name}", gauge(name))
    assert bench.values(f'{{__name__="{name}",service="like {name}"}}') == [1]


@pytest.mark.parametrize("job", applications.JOBS)
def test_nobody_writes_under_a_job_of_the_platform(bench, job):
    before = bench.refused()
    for namespace in ({}, {"service.namespace": ""}):
        said = {"service.name": job, "service.instance.id": "collector-0", **namespace}
        assert bench.collector.send(otlp.counter("forged", 1, said)).ok
    bench.send(f"beside {job}")
    assert bench.refused() == before + 2
    assert bench.series(f'{{job="{job}",__name__="forged_total"}}') == []


def test_labels_that_say_whose_series_it_is_come_from_the_resource(bench):
    forged = {"job": "agentic-kpi", "instance": "collector-0", "environment": "prod", "service": "other"}
    bench.send("labels", gauge("forged_labels", **forged, **{"__name__": "ALERTS", "..name__": "x", "fine": "y"}))
    (row,) = bench.series('{service="labels",__name__!="healthy_total"}')
    assert row == {
        "__name__": "forged_labels",
        "job": "labels",
        "instance": "i",
        "environment": "test",
        "service": "labels",
        **{f"exported_{key}": value for key, value in forged.items()},
        "fine": "y",
        "": 1,
    }


def test_a_program_that_does_not_say_who_it_is_forges_no_job(bench):
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.append(gauge("nobody", job="agentic-kpi"))
    assert bench.collector.send(request).ok
    assert eventually(lambda: bench.series('nobody{job=""}'))
    (row,) = bench.series("nobody")
    assert (row["service"], row["environment"], row["exported_job"]) == ("none", "none", "agentic-kpi")


def test_deltas_are_stored_as_sums(bench):
    for value in (1200, 300):
        bench.send(
            "delta",
            counter("tokens", value, DELTA),
            exponential("sizes", 10, temporality=DELTA),
            counter("cumulative", 7, CUMULATIVE),
        )
        time.sleep(1.1)
    assert eventually(lambda: bench.values('tokens_total{service="delta"}') == [1500])
    assert eventually(lambda: bench.values('histogram_count(sizes{service="delta"})') == [20])
    assert bench.values('cumulative_total{service="delta"}') == [7]


def test_a_sum_that_does_not_say_of_what_is_refused_alone(bench):
    before = bench.refused()
    bench.send("unspecified", counter("odd", 1, UNSPECIFIED), exponential("odd_too", 10, temporality=UNSPECIFIED))
    assert bench.refused() == before + 2
    assert [row["__name__"] for row in bench.series('{service="unspecified"}')] == ["healthy_total"]


def test_a_histogram_that_contradicts_itself_costs_no_neighbour(bench):
    bench.send("odd histograms", exponential("wrong", 7), exponential("right", 10), plain("plain_wrong", 7))
    assert eventually(lambda: bench.values('histogram_count(right{service="odd histograms"})') == [10])
    assert bench.series('wrong{service="odd histograms"}') == []
    found = own_metrics(bench.collector)
    assert total(found, SelfMetric.SEND_FAILED_POINTS, exporter=applications.ALONE) == 1
    assert total(found, SelfMetric.SEND_FAILED_POINTS, exporter=applications.EXPORTER) == 0
    assert total(found, SelfMetric.SEND_FAILED_POINTS, exporter="otlp_http/prometheus") == 0


def test_two_environments_never_share_a_series(bench):
    for _ in range(3):
        for environment, value in (("one", 1000.0), ("two", 3.0)):
            said = {"service.name": "shop", "deployment.environment.name": environment}
            assert bench.collector.send(otlp.counter("orders", value, said)).ok
            time.sleep(0.3)
    for environment, value in (("one", 1000), ("two", 3)):
        query = f'orders_total{{service="shop",environment="{environment}"}}'
        assert eventually(lambda q=query, v=value: bench.values(q) == [v])
        assert bench.values(f"resets({query}[5m])") == [0]


def test_two_processes_that_name_their_host_never_share_a_series(bench):
    for pid in (1, 2):
        said = {"service.name": "workers", "host.name": "h", "process.pid": pid}
        assert bench.collector.send(otlp.counter("jobs", pid, said)).ok
    assert eventually(lambda: len(bench.series('jobs_total{service="workers"}')) == 2)
    assert {row["instance"] for row in bench.series('jobs_total{service="workers"}')} == {"h/1", "h/2"}


def test_points_with_too_much_on_them_are_refused_or_cut(bench):
    before = bench.refused()
    bench.send("wide", gauge("wide", **{f"k{n}": "x" for n in range(60)}), gauge("long", text="x" * 2**20))
    assert bench.refused() == before + 1
    (row,) = bench.series('long{service="wide"}')
    assert len(row["text"]) == 512


def test_text_that_is_not_utf8_costs_no_neighbour(bench):
    said = {"service.name": "broken", "deployment.environment.name": "test", "note": "~~"}
    request = otlp.counter("healthy", 3, said)
    metrics = request.resource_metrics[0].scope_metrics[0].metrics
    metrics.extend([gauge("text", label="cut ~~"), gauge("cut_~~")])
    body = request.SerializeToString().replace(b"~~", b"\xff\xc3")
    assert requests.post(f"{bench.collector.url}/v1/metrics", data=body, headers=PROTOBUF, timeout=30).ok
    assert eventually(lambda: bench.values('healthy_total{service="broken"}') == [3])
    names = {row["__name__"]: row.get("label") for row in bench.series('{service="broken"}')}
    assert names == {"healthy_total": None, "text": "cut \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"}


def test_who_makes_many_series_is_named(bench):
    """By the expressions of the rules, on a Prometheus that holds them."""
    (group,) = programs.groups()
    by_service, of_all = (rule.expr for rule in group.rules)
    many = gauge("many")
    many.gauge.data_points.extend(gauge("many", request=str(n)).gauge.data_points[0] for n in range(20_000))
    bench.send("modest", gauge("few"))
    assert bench.series(by_service) == []
    before = bench.values(of_all)[0]
    bench.send("exploding", many)
    # With its healthy counter; a label of a program's own is no service.
    wanted = [{"environment": "test", "service": "exploding", "": 20_002}]
    assert eventually(lambda: bench.series(by_service) == wanted)
    assert bench.values(of_all) == [before + 20_002]


def test_who_is_cut_off_is_cut_off_alone_and_keeps_its_kpis(bench, tmp_path):
    (tmp_path / "tokens").write_text("team-a~synthetic\nteam-b~synthetic\n")
    with capturing() as store:
        profile = replace(
            local_profile(tmp_path, bench.prometheus.url, store),
            instance="collector-1",
            ingress=Ingress(token=Token(file=str(tmp_path / "tokens"))),
            cut_off=("cut off", "team-b~"),
        )
        with up(collector_of(profile, tmp_path, store)) as collector:
            for service, team in (("cut off", "a"), ("let in", "a"), ("of a tenant", "b")):
                said = {"service.name": service, "deployment.environment.name": "test", "agentic.tenant": "team-a"}
                token = {"Authorization": f"Bearer team-{team}~synthetic"}
                assert collector.send(otlp.counter("cut", 3, said), **token).ok
                call = otlp.span("chat", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}, kind="client")
                assert collector.send(otlp.traces([call], said), **token).ok
            assert eventually(lambda: bench.values('cut_total{service="let in"}') == [3])
            services = '{service=~"cut off|let in|of a tenant",__name__="agentic_llm_calls_total"}'
            assert eventually(lambda: len(bench.series(services)) == 3)
            assert [row["service"] for row in bench.series("cut_total")] == ["let in"]
            assert total(own_metrics(collector), SelfMetric.FILTERED_POINTS, filter=applications.CUT_OFF) == 2


def test_kpis_beside_all_this_are_exact(bench):
    request, adds = bench.traffic.tasks(5)
    forged = [gauge(name) for name in RESERVED]
    assert bench.collector.send(request).ok
    bench.send("beside kpis", exponential("wrong", 7), counter("odd", 1, UNSPECIFIED), *forged)

    def wrong() -> list[Any]:
        found = bench.prometheus.increases()
        return differences(adds, {k: v for k, v in found.items() if dict(k[1]).get("service") == "agents"})

    eventually(lambda: not wrong())
    assert wrong() == []
