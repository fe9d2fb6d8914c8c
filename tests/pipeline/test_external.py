"""External stores: every configuration is accepted by its binary, and a collector logs in there."""

import base64
import os
import subprocess
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from support import known_keys, otlp
from support.capture import Capture, capturing
from support.clusters import EXTERNAL, PERMISSIVE, planned
from support.guard import Guard, guarded
from support.otelcol import Collector, running
from support.ports import free_ports
from support.profiles import single
from support.prometheus import Prometheus, prometheus_at
from support.truth import Traffic, differences

import toolchain
from collector.elsewhere import Destination, Scheme
from collector.pipeline import assemble
from collector.prices import load
from collector.stores import GRAFANA as GRAFANA_STORES
from collector.stores import PERMISSIVE as PERMISSIVE_STORES
from collector.tiers import Token
from stacks.components.external import FOLDER
from stacks.workload import CONFIG_DIR

_POD = {"POD_IP": "127.0.0.1", "POD_NAME": "collector-0", "OBJECTS_ACCESS_KEY": "a", "OBJECTS_SECRET_KEY": "b"}


# What differs because somebody else runs a part, or because the stores are others, each kind once.
CHECKED = {
    "everything in a cloud, prod": {"collector", "collector-sampler"},
    "Jaeger and VictoriaLogs in a cloud, prod": {"collector", "collector-sampler"},
    "a long-term store and an Alertmanager": {"prometheus"},
    "Jaeger and VictoriaLogs of ours, dev": {"collector", "jaeger"},
    "Jaeger and VictoriaLogs of ours, prod": {"collector", "collector-sampler", "jaeger"},
}
OURS = {f"Jaeger and VictoriaLogs of ours, {name}": (name, PERMISSIVE[name]) for name in PERMISSIVE}


@pytest.mark.parametrize("case", CHECKED)
def test_every_binary_accepts_its_configuration(case, tmp_path):
    """The logins are files that promtool looks for."""
    name, changed = {**EXTERNAL, **OURS}[case]
    checked = set()
    for workload in planned(name, **changed).workloads:
        if workload.name not in CHECKED[case]:
            continue
        folder, logins = tmp_path / workload.name, tmp_path / "secrets"
        logins.mkdir(exist_ok=True)
        for use in workload.secrets:
            (logins / use.value).write_text("login")
        for file, text in workload.files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(CONFIG_DIR, str(folder)).replace(FOLDER, str(logins)))
        for check in workload.checks:
            binary = toolchain.require([check[0]])[check[0]]
            words = [word.replace(CONFIG_DIR, str(folder)) for word in check[1:]]
            done = subprocess.run(
                [binary, *words], env={**os.environ, **_POD}, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{workload.name}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
            checked.add(workload.name)
    assert checked == CHECKED[case]


def test_tempo_of_which_there_is_no_binary_has_a_configuration_of_keys_that_it_knows():
    """Its service graph goes into a long-term store of somebody else."""
    name, changed = EXTERNAL["service graph into a long-term store"]
    (tempo,) = (each for each in planned(name, **changed).workloads if each.name == "tempo")
    assert known_keys.problems("tempo", yaml.safe_load(tempo.files["tempo.yaml"])) == []


@dataclass
class Elsewhere:
    """Three stores behind guards, and the collector that sends to them with logins from files."""

    collector: Collector
    prometheus: Prometheus
    store: Capture
    guards: dict[str, Guard]
    files: dict[str, Path]
    truth: Counter


USER_AND_PASSWORD = base64.b64encode(b"123:metrics-password").decode()
PAIRS = {"tempo, loki": GRAFANA_STORES, "jaeger, victorialogs": PERMISSIVE_STORES}
PATHS = {
    "prometheus": "/api/v1/otlp",
    "loki": "/otlp",
    "victorialogs": "/insert/opentelemetry",
    "tempo": "",
    "jaeger": "",
}


def _login(name: str) -> str:
    return USER_AND_PASSWORD if name == "prometheus" else f"{name}-token"


@pytest.fixture(params=PAIRS, scope="module")
def elsewhere(request, tmp_path_factory):
    folder, stores = tmp_path_factory.mktemp("elsewhere"), PAIRS[request.param]
    http, health, sink = free_ports(3)
    with ExitStack() as stack:
        prometheus = stack.enter_context(prometheus_at(folder / "prometheus"))
        store = stack.enter_context(capturing())
        upstream = {"prometheus": prometheus.url, str(stores.logs): store.url, str(stores.traces): store.url}
        guards, files, there = {}, {}, {}
        for name, url in upstream.items():
            scheme = Scheme.BASIC if name == "prometheus" else Scheme.BEARER
            guards[name] = stack.enter_context(guarded(url, f"{scheme} {_login(name)}"))
            files[name] = folder / name / "login" if name == "prometheus" else folder / f"{name}-login"
            files[name].parent.mkdir(exist_ok=True)
            files[name].write_text(_login(name))
            token = Token(file=str(files[name]))
            there[name] = Destination(url=guards[name].url + PATHS[name], token=token, scheme=scheme)
        profile = single(folder, http=http, health=health, sink_http=sink, sink_grpc=sink)
        backends = replace(profile.backends, elsewhere=there, stores=stores, langfuse_url=None)
        config = assemble(replace(profile, backends=backends), load())
        collector = stack.enter_context(running(config, folder / "collector", http, health))
        yield Elsewhere(collector, prometheus, store, guards, files, Counter())


def _send(at: Elsewhere, tasks: int = 5) -> int:
    """Tasks, the same each time, and one record of a log; returns the number of spans."""
    traffic = Traffic()
    request, adds = traffic.tasks(tasks)
    assert at.collector.send(request).ok
    assert at.collector.send(otlp.logs([otlp.record(body="hello")], traffic.resource)).ok
    at.truth.update(adds)
    return len(otlp.spans_of(request))


def _counted(at: Elsewhere, timeout_s: float = 20) -> list[str]:
    """What Prometheus still lacks after a while."""
    deadline = time.monotonic() + timeout_s
    while (found := differences(at.truth, at.prometheus.increases())) and time.monotonic() < deadline:
        time.sleep(0.3)
    return found


def test_with_the_right_login_all_three_get_everything(elsewhere):
    spans = _send(elsewhere)
    elsewhere.store.wait(lambda store: len(store.spans), spans)
    elsewhere.store.wait(lambda store: len(store.records), 1)
    assert _counted(elsewhere) == []
    assert all(guard.answered[200] and not guard.answered[401] for guard in elsewhere.guards.values())
    assert "password" not in elsewhere.collector.log
    assert "-token" not in elsewhere.collector.log


def test_with_a_wrong_login_nothing_is_stored_and_the_collector_says_so(elsewhere):
    had = len(elsewhere.store.spans)
    for file in elsewhere.files.values():
        file.write_text("wrong")
    time.sleep(1)  # a file that changed is read again at once
    truth = elsewhere.truth.copy()
    _send(elsewhere)
    deadline = time.monotonic() + 20
    while not all(guard.answered[401] for guard in elsewhere.guards.values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert all(guard.answered[401] for guard in elsewhere.guards.values())
    assert len(elsewhere.store.spans) == had
    assert differences(truth, elsewhere.prometheus.increases()) == []
    assert "401" in elsewhere.collector.log


def test_a_login_that_is_mended_counts_at_once_without_a_restart(elsewhere):
    """The counters are cumulative: what was counted while Prometheus refused is in the next point of a series."""
    had = len(elsewhere.store.spans)
    for name, file in elsewhere.files.items():
        file.write_text(_login(name))
    time.sleep(1)
    spans = _send(elsewhere)
    elsewhere.store.wait(lambda store: len(store.spans) - had, spans)
    assert _counted(elsewhere) == []
