"""Workloads of the local stack: complete, on loopback, deterministic."""

import dataclasses

import pytest
import yaml

from collector.stores import GRAFANA, PERMISSIVE
from stacks import release_controller
from stacks.cluster import names
from stacks.deployment import Deployment
from stacks.environments import ENVIRONMENTS, EnvName, Retention
from stacks.observability import workloads
from stacks.ports import PORTS
from stacks.process.layout import StackDir
from stacks.process.spec import ProcessSpec, program, supervisord
from stacks.workload import CONFIG_DIR

LOCAL = Deployment.of(ENVIRONMENTS[EnvName.LOCAL])
PAIRS = pytest.mark.parametrize("stores", [GRAFANA, PERMISSIVE], ids=["tempo, loki", "jaeger, victorialogs"])


def _with(stores):
    return dataclasses.replace(LOCAL, stores=stores)


@PAIRS
def test_every_port_of_the_table_belongs_to_exactly_one_workload(placement, stores):
    owned = [port for workload in workloads(_with(stores), placement) for port in workload.ports]
    (others,) = {GRAFANA, PERMISSIVE} - {stores}
    unused = {port for port in PORTS if names.owner(port) in {others.traces, others.logs}}
    # The controller is a program of ours, and no workload yet.
    assert sorted(owned) == sorted(set(PORTS) - unused - {release_controller.NAME})
    assert unused


@PAIRS
def test_configurations_are_yaml_and_deterministic(placement, stores):
    first, second = (workloads(_with(stores), placement) for _ in range(2))
    assert first == second
    for workload in first:
        documents = [text for name, text in workload.files.items() if name.endswith((".yml", ".yaml"))]
        # VictoriaLogs is configured by its arguments alone.
        assert bool(documents) == (workload.name != "victorialogs")
        assert all(isinstance(yaml.safe_load(text), dict) for text in documents)


@PAIRS
def test_nothing_listens_beyond_loopback(placement, stores):
    for workload in workloads(_with(stores), placement):
        assert "0.0.0.0" not in str(workload.files) + str(workload.command)  # noqa: S104 looked for, not used


@PAIRS
@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_one_retention_touches_one_workload(placement, stores, signal):
    before = _with(stores)
    changed = dataclasses.replace(before, **{f"{signal}_retention": Retention(48)})
    pairs = zip(workloads(before, placement), workloads(changed, placement), strict=True)
    assert [before.name for before, after in pairs if before != after] == [str(getattr(stores, signal))]


@PAIRS
def test_the_collector_sends_to_the_doors_that_the_stores_open(placement, stores):
    made = {workload.name: workload for workload in workloads(_with(stores), placement)}
    config = yaml.safe_load(made["collector"].files["collector.yaml"])
    to_traces = config["exporters"][f"otlp_grpc/{stores.traces}"]["endpoint"]
    to_logs = config["exporters"][f"otlp_http/{stores.logs}"]["endpoint"]
    assert to_traces == placement.listen(f"{stores.traces}-otlp")
    assert f"{stores.traces}-otlp" in made[stores.traces].ports
    assert to_logs.startswith(f"http://{placement.listen(stores.logs)}/")
    assert str(stores.logs) in made[stores.logs].ports


def test_only_what_runs_is_scraped_and_jaeger_gives_its_metrics_at_a_door_of_their_own(placement):
    for stores in (GRAFANA, PERMISSIVE):
        made = {workload.name: workload for workload in workloads(_with(stores), placement)}
        jobs = yaml.safe_load(made["prometheus"].files["prometheus.yml"])["scrape_configs"]
        targets = {target for job in jobs for each in job["static_configs"] for target in each["targets"]}
        assert {placement.address(made[kind].metrics_port) for kind in (stores.traces, stores.logs)} < targets
        (others,) = {GRAFANA, PERMISSIVE} - {stores}
        assert not {placement.address(str(kind)) for kind in (others.traces, others.logs)} & targets


TOLD = dataclasses.replace(
    LOCAL, alert_webhook="https://x/told", dead_mans_switch_url="https://x/switch", alert_speed=60
)


def _files(deployment, placement) -> dict[str, str]:
    return {name: text for workload in workloads(deployment, placement) for name, text in workload.files.items()}


def test_alerts_are_shown_only_unless_the_operator_names_a_webhook(placement):
    receivers = yaml.safe_load(_files(LOCAL, placement)["alertmanager.yml"])["receivers"]
    assert receivers == [{"name": "show"}, {"name": "dead-mans-switch"}]


def test_pages_and_tickets_go_to_the_webhook_and_the_watchdog_to_its_switch(placement):
    show, switch = yaml.safe_load(_files(TOLD, placement)["alertmanager.yml"])["receivers"]
    assert [told["url"] for told in show["webhook_configs"]] == ["https://x/told"]
    assert [told["url"] for told in switch["webhook_configs"]] == ["https://x/switch"]


def test_the_message_templates_lie_where_alertmanager_looks(placement):
    files = _files(LOCAL, placement)
    (name,) = yaml.safe_load(files["alertmanager.yml"])["templates"]
    assert 'define "agentobs.title"' in files[name]


def test_a_rehearsal_speeds_up_alertmanager_and_rules(placement):
    slow, fast = (_files(deployment, placement) for deployment in (LOCAL, TOLD))
    routes = [yaml.safe_load(files["alertmanager.yml"])["route"]["group_interval"] for files in (slow, fast)]
    evaluated = [yaml.safe_load(files["prometheus.yml"])["global"]["evaluation_interval"] for files in (slow, fast)]
    intervals = [
        {group["interval"] for group in yaml.safe_load(files["rules.yml"])["groups"]} for files in (slow, fast)
    ]
    assert routes == ["5m", "5s"]
    assert evaluated == ["5s", "1s"]
    assert ("15s" in intervals[0], "15s" in intervals[1], "1s" in intervals[1]) == (True, False, True)


@pytest.mark.parametrize(("deployment", "passes"), [(LOCAL, "1m"), (TOLD, "1s")])
def test_alertmanager_starts_with_all_alerts_that_prometheus_repeats(placement, deployment, passes):
    flags = [flag for workload in workloads(deployment, placement) for flag in workload.command]
    assert {f"--dispatch.start-delay={passes}", f"--rules.alert.resend-delay={passes}"} <= set(flags)


@pytest.fixture
def spec(placement, tmp_path) -> ProcessSpec:
    workload = workloads(LOCAL, placement)[0]
    binaries = {name: tmp_path / "bin 100%" / name for name in workload.binaries}
    return ProcessSpec.from_workload(workload, StackDir(tmp_path), PORTS, binaries, "127.0.0.1")


def test_a_spec_survives_the_way_through_pulumi_which_makes_numbers_floats(spec):
    props = spec.to_props()
    floats = {
        **props,
        "ports": {k: float(v) for k, v in props["ports"].items()},
        "stop_s": 20.0,
        "ready_timeout_s": 60.0,
    }
    assert ProcessSpec.from_props(floats) == spec


def test_the_configuration_folder_is_named_by_its_content(spec):
    changed = dataclasses.replace(spec, files={**spec.files, "more": "x"})
    assert changed.config_dir != spec.config_dir
    assert dataclasses.replace(spec, stop_s=99).config_dir == spec.config_dir


def test_the_program_section_is_escaped_and_complete(spec):
    text = program(spec)
    assert CONFIG_DIR not in text
    assert "bin 100%%" in text, "supervisord expands a single percent sign"
    assert f"command='{spec.layout.root}/bin 100%%/prometheus'" in text, "a space in a path stays one word"
    assert "autorestart=true" in text


def test_supervisord_has_a_private_socket_and_no_tcp_port(tmp_path):
    text = supervisord(StackDir(tmp_path))
    assert "chmod=0700" in text
    assert "inet_http_server" not in text


def test_a_deep_state_folder_gets_a_socket_path_that_fits(tmp_path):
    deep = StackDir(tmp_path / ("d" * 120))
    assert len(str(deep.socket)) < 100
    assert deep.socket != StackDir(tmp_path / ("e" * 120)).socket
