"""The collector configurations: no dangling component, the contract's labels everywhere, the known traps avoided."""

import re
from dataclasses import replace

import pytest
import yaml

from agentobs import contract
from agentobs.contract import COMMON_LABELS, EVENT_LABELS, METRICS, Event, Family, Label, MetricKind
from collector import applications, connectors, normalise, prices, profiles, series_key, series_labels
from collector.cost import Authority
from collector.pipeline import assemble, render
from collector.profile import Backends, Listen
from collector.redaction import ContentPolicy
from collector.stores import GRAFANA, PERMISSIVE, TraceKind
from collector.tiers import Token

LISTEN = Listen(
    otlp_grpc="127.0.0.1:1",
    otlp_http="127.0.0.1:2",
    health="127.0.0.1:3",
    metrics_host="127.0.0.1",
    metrics_port=4,
    kpi="127.0.0.1:5",
)
BACKENDS = Backends(
    traces_grpc="127.0.0.1:6", prometheus_url="http://127.0.0.1:7", logs_url="http://127.0.0.1:8",
    langfuse_url="http://127.0.0.1:9", langfuse_keys=Token(variable="KEYS"),
)  # fmt: skip
GRAFANAS = {"local": profiles.local(LISTEN, BACKENDS, "/q"), **profiles.CLUSTER}
OTHERS = {
    f"jaeger, victorialogs: {name}": replace(profile, backends=replace(profile.backends, stores=PERMISSIVE))
    for name, profile in GRAFANAS.items()
}
PROFILES = {**GRAFANAS, **OTHERS}
COUNTING = [name for name in PROFILES if not name.endswith("edge")]


def configuration(name: str) -> dict:
    table = prices.load()
    rendered = yaml.safe_load(render(PROFILES[name], table))
    assert rendered == assemble(PROFILES[name], table), "the text says what the dict says"
    return rendered


@pytest.fixture(params=PROFILES)
def config(request) -> dict:
    return configuration(request.param)


def test_every_component_of_a_pipeline_is_defined_and_every_defined_one_is_used(config):
    ends = set(config["connectors"])
    for kind, defined in (
        ("receivers", set(config["receivers"]) | ends),
        ("exporters", set(config["exporters"]) | ends),
    ):
        used = {name for pipeline in config["service"]["pipelines"].values() for name in pipeline[kind]}
        assert used == defined, kind
    used = {name for pipeline in config["service"]["pipelines"].values() for name in pipeline["processors"]}
    assert used == set(config["processors"])
    assert set(config["service"]["extensions"]) == set(config["extensions"])


def test_every_pipeline_that_takes_otlp_limits_memory_first(config):
    taking = [p for p in config["service"]["pipelines"].values() if p["receivers"] == ["otlp"]]
    assert taking
    assert all(p["processors"][0] == "memory_limiter" for p in taking)


def test_the_senders_pod_is_looked_up_before_anything_else_and_only_at_the_first_door():
    for name in PROFILES:
        taking = [p for p in configuration(name)["service"]["pipelines"].values() if p["receivers"] == ["otlp"]]
        looked_up = [p["processors"][1:3] == ["resource/claims", "k8s_attributes"] for p in taking]
        assert all(looked_up) == any(looked_up) == (name.rpartition(" ")[2] in {"dev", "staging-edge", "prod-edge"})


@pytest.mark.parametrize("name", COUNTING)
def test_every_contract_metric_has_its_source_and_buckets(name):
    counters = configuration(name)["connectors"]["signal_to_metrics/kpi"]
    entries = counters["spans"] + counters["logs"]
    assert {entry["name"] for entry in entries} == {metric.name for metric in METRICS}
    for metric in METRICS:
        for entry in (entry for entry in entries if entry["name"] == metric.name):
            assert entry["attributes"][0] == {"key": f"kpi.{metric.family}"}
            assert ("histogram" in entry) == (metric.kind is MetricKind.HISTOGRAM)
            assert entry.get("histogram", {}).get("buckets", []) == list(metric.buckets)


def test_value_metrics_name_their_resource_attributes_else_every_process_is_a_stream_and_points_get_lost():
    entries = connectors.values()["spans"] + connectors.values()["logs"]
    assert all(entry["include_resource_attributes"] == [{"key": "service.name"}] for entry in entries)


def test_counters_read_no_negative_number_because_a_counter_must_not_fall():
    for entry in connectors.values()["spans"] + connectors.values()["logs"]:
        value = entry.get("sum", entry.get("histogram"))["value"]
        if "attributes" in value:
            assert ">= 0" in entry["conditions"][0], entry["name"]


def test_a_key_holds_the_labels_of_its_family_in_order_and_gives_them_back():
    packed = [s for g in series_key.packer((), ())["trace_statements"] for s in g["statements"]]
    unpacked = [s for g in series_labels.unpacker()["metric_statements"] for s in g["statements"]]
    shared = {"span": COMMON_LABELS, "log": EVENT_LABELS}
    logs = [s for g in series_key.packer((), ())["log_statements"] for s in g["statements"]]
    for place, labels in shared.items():
        (first,) = [s for s in (*packed, *logs) if s.startswith(f'set({place}.cache["shared"], Concat')]
        assert first.count("attributes[") == len(labels)
    for family in Family:
        place = "log" if family in series_key.EVENT_FAMILIES else "span"
        (pack,) = [s for s in (*packed, *logs) if s.startswith(f'set({place}.attributes["kpi.{family}"], Concat')]
        parts = pack.split("Concat(")[1].split(" where ")[0]
        begin = len(shared[place]) if f'[{place}.cache["shared"]' in parts else 0
        assert begin + parts.count("attributes[") == len(family.labels)
        assert family.labels[:begin] == shared[place][:begin]
        assert f'delete_key(datapoint.attributes, "kpi.{family}")' in unpacked
        for position, label in enumerate(family.labels):
            assert f'set(datapoint.attributes["{label}"], datapoint.cache["parts"][{position}])' in unpacked
    assert pack.endswith('where span.attributes["kpi.scope"] != nil')


def test_no_copy_can_write_nil():
    """Setting nil makes an empty attribute, which then counts as present."""
    groups = normalise.processor()["trace_statements"] + series_key.packer((), ())["trace_statements"]
    copies = [s for g in groups for s in g["statements"] if re.match(r"set\([^,]+, \w+\.attributes", s)]
    assert len(copies) > 20
    assert all("!= nil" in s or "IsString(" in s or "IsInt(" in s for s in copies)


def test_the_resource_is_stripped_only_after_the_last_span_has_read_it():
    packer = series_key.packer((), ())
    for groups in (packer["trace_statements"], packer["log_statements"]):
        assert not any("set(resource" in s for group in groups[:-1] for s in group["statements"])
        assert groups[-1]["statements"][-1].startswith("keep_keys(resource.attributes")


def test_every_event_that_feeds_a_kpi_passes_the_filter():
    (condition,) = series_key.not_counted()["log_conditions"]
    assert all(f'!= "{event}"' in condition for event in Event)


def test_kpis_leave_before_sampling_and_content_stays_out_of_them():
    for name in COUNTING:
        pipelines = configuration(name)["service"]["pipelines"]
        for key in ("traces/pack", "traces/count", "logs/pack", "logs/count", "metrics/kpi"):
            assert "tail_sampling" not in pipelines[key]["processors"]
        packing = series_key.packer(connectors.SPAN_NUMBERS, connectors.EVENT_NUMBERS)["trace_statements"]
        (kept,) = [s for group in packing for s in group["statements"] if s.startswith("keep_keys(span")]
        assert not any(key in kept for key in ("messages", "arguments", "user.id", "conversation"))


def ways_to(config: dict, exporter: str, start: tuple[str, ...] = ()) -> list[list[str]]:
    """The processors of every way from a door of OTLP to an exporter or connector, in order."""
    found = []
    for pipeline in config["service"]["pipelines"].values():
        if exporter in pipeline["exporters"]:
            after = [*pipeline["processors"], *start]
            for receiver in pipeline["receivers"]:
                if receiver in config["connectors"]:
                    found += ways_to(config, receiver, tuple(after))
                else:
                    found.append(after)
    return found


def test_redaction_is_on_every_way_to_a_store_after_sampling_and_once():
    masks = {"redaction/values", "redaction/kpi", "redaction/metrics"}
    for name, profile in PROFILES.items():
        config = configuration(name)
        for exporter in config["exporters"]:
            if exporter == "load_balancing/samplers":
                continue  # its own tier redacts
            ways = ways_to(config, exporter)
            assert ways
            for way in ways:
                if "transform/labels" in way:
                    continue  # counted from what has passed the KPI queue
                masking = [processor for processor in way if processor in masks]
                assert len(masking) == 1, (name, exporter, way)
                assert "tail_sampling" not in way[way.index(masking[0]) :], (name, exporter)
        drops = [
            exporter
            for exporter in config["exporters"]
            for way in ways_to(config, exporter)
            if "redaction/contract" in way
        ]
        is_prod = profile.content.traces is ContentPolicy.DROP and "samplers" not in str(config["exporters"])
        assert len(drops) == (2 if is_prod else 0), name


@pytest.mark.parametrize("stores", [GRAFANA, PERMISSIVE], ids=["tempo, loki", "jaeger, victorialogs"])
def test_each_store_is_written_by_one_pipeline_of_its_own_name_and_no_other_store_is_known(stores):
    text = render(profiles.local(LISTEN, replace(BACKENDS, stores=stores), "/q"), prices.load())
    config = yaml.safe_load(text)
    writing = {exporter: key for key, each in config["service"]["pipelines"].items() for exporter in each["exporters"]}
    assert writing[f"otlp_grpc/{stores.traces}"] == f"traces/{stores.traces}"
    assert writing[f"otlp_http/{stores.logs}"] == "logs/store"
    (other,) = {GRAFANA, PERMISSIVE} - {stores}
    # Names that no application may take are those of all stores.
    config["processors"].pop(applications.REFUSED)
    assert not re.search(rf"\b({other.traces}|{other.logs})\b", yaml.safe_dump(config))


def test_lines_go_where_their_store_takes_them_and_victorialogs_is_told_its_streams():
    ways = {}
    for stores in (GRAFANA, PERMISSIVE):
        config = assemble(profiles.local(LISTEN, replace(BACKENDS, stores=stores), "/q"), prices.load())
        exporter = config["exporters"][f"otlp_http/{stores.logs}"]
        ways[str(stores.logs)] = (exporter["endpoint"], exporter.get("headers"))
    streams = "service.name,service.namespace,deployment.environment.name"
    assert ways == {
        "loki": ("http://127.0.0.1:8/otlp", None),
        "victorialogs": ("http://127.0.0.1:8/insert/opentelemetry", {"VL-Stream-Fields": streams}),
    }


def test_only_what_goes_to_jaeger_is_cut_to_what_its_index_holds():
    for name in COUNTING:
        stores, config = PROFILES[name].backends.stores, configuration(name)
        last = config["service"]["pipelines"][f"traces/{stores.traces}"]["processors"][-1:]
        assert (last == ["transform/jaeger_limits"]) == (stores.traces is TraceKind.JAEGER), name
        langfuse = config["service"]["pipelines"].get("traces/langfuse", {"processors": []})
        assert "transform/jaeger_limits" not in langfuse["processors"]


def test_queues_never_give_up_and_survive_the_process(config):
    for name, exporter in config["exporters"].items():
        inner = exporter.get("protocol", {}).get("otlp", exporter)
        assert inner["retry_on_failure"]["max_elapsed_time"] == "0s", name
        edge = "file_storage/queue" not in config["extensions"]
        assert ("storage" in inner["sending_queue"]) != edge, name
    assert "batch" not in config["processors"], "a batch processor forgets its content in a crash"


def test_series_that_prometheus_no_longer_looks_back_at_start_from_zero():
    for name in COUNTING:
        stale = configuration(name)["processors"]["delta_to_cumulative"]["max_stale"]
        assert int(stale.removesuffix("m")) * 60 + 60 < 300, "forgotten once a minute, looked back at for five"


def test_there_is_one_writer_per_series():
    for name in COUNTING:
        config = configuration(name)
        (instance,) = [
            a for a in config["processors"]["resource/kpi"]["attributes"] if a["key"] == "service.instance.id"
        ]
        assert instance["value"] in {"collector-0", "${env:POD_NAME}"}
        for exporter in ("otlp_http/prometheus", "otlp_grpc/kpi"):
            assert config["exporters"][exporter]["sending_queue"]["num_consumers"] == 1


def test_without_a_langfuse_address_there_is_no_langfuse_branch():
    bare = Backends(traces_grpc="a:1", prometheus_url="http://b", logs_url="http://c")
    text = render(profiles.local(LISTEN, bare, "/q"), prices.load())
    # The names of Langfuse's attributes and of its SDK's scope are read everywhere.
    assert "langfuse" not in re.sub(r"langfuse(\.|\W+sdk)", "", text)


def test_no_configuration_holds_a_secret(config):
    text = yaml.safe_dump(config)
    for line in text.splitlines():
        if re.search(r"(?i)(authorization|token|password|secret)\b.*: ", line) and "extensions" not in line:
            assert "${" in line or "/etc/otelcol/" in line or "[" in line or "'" in line or "span." in line, line


def test_prometheus_names_follow_otlp_translation():
    names = {metric.name: metric.series for metric in METRICS}
    assert names["agentic.tool.calls"] == "agentic_tool_calls_total"
    assert names["agentic.tool.duration"] == "agentic_tool_duration_seconds"
    assert names["agentic.cost.usd"] == "agentic_cost_usd_total"
    assert names["agentic.eval.score"] == "agentic_eval_score"
    assert all(metric.buckets for metric in METRICS if metric.kind is MetricKind.HISTOGRAM)


def test_every_attribute_is_described_and_ids_are_no_labels():
    assert set(contract.DESCRIPTIONS) == set(contract.Attr)
    assert not {label for family in Family for label in family.labels} & {"user_id", "conversation_id", "task_id"}
    assert Label.FAMILY in contract.SPAN_CALLS.labels


def test_every_door_has_its_bound_and_the_one_behind_an_edge_is_wider():
    """The edge adds attributes to what it took: a sampler that refused it would lose it for good."""
    sizes = {}
    for name, profile in PROFILES.items():
        protocols = assemble(profile, prices.load())["receivers"]["otlp"]["protocols"]
        assert protocols["http"]["max_request_body_size"] == protocols["grpc"]["max_recv_msg_size_mib"] * 2**20
        sizes[name] = protocols["grpc"]["max_recv_msg_size_mib"]
        assert protocols["http"]["compression_algorithms"] == ["", "gzip", "deflate"]
    assert {mib for name, mib in sizes.items() if "sampler" in name} == {16}
    assert {mib for name, mib in sizes.items() if "sampler" not in name} == {4}


def test_whose_cost_counts_is_a_setting_of_the_profile():
    profile = next(iter(PROFILES.values()))
    table, sender = (
        str(assemble(replace(profile, cost_authority=who), prices.load())["processors"]["transform/normalise"])
        for who in Authority
    )
    assert table != sender
    assert 'Coalesce([span.cache["ours"], span.attributes["agentic.cost.stated_usd"]])' in table
    assert 'Coalesce([span.attributes["agentic.cost.stated_usd"], span.cache["ours"]])' in sender
