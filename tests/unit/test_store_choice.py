"""Which stores a first `up` takes, why, and what it says."""

from types import SimpleNamespace

import pytest

import toolchain
from collector.stores import GRAFANA, PERMISSIVE
from stacks import store_choice as stores
from toolchain import Reporter, ToolchainError


def workspace(tmp_path, config: str = "", endpoints: dict[str, str] | None = None):
    file = tmp_path / "Pulumi.local.yaml"
    if config:
        file.write_text(f"config:\n{config}")
    written: list[tuple[str, ...]] = []
    return SimpleNamespace(
        settings=file,
        outputs=lambda: {"endpoints": endpoints or {}},
        pulumi=lambda *words, quiet: written.append(words) if quiet else None,
        written=written,
    )


def chosen(given) -> stores.Choice:
    return stores.choose(given, Reporter())


@pytest.fixture
def publishers(monkeypatch):
    """Whether Tempo and Loki can be had."""

    def say(*, there: bool) -> None:
        monkeypatch.setattr(toolchain, "unobtainable", lambda _: [] if there else ["tempo 2.10.8"])
        monkeypatch.setattr(toolchain, "ensure", lambda _names, _reporter: {})

    return say


def test_what_is_set_counts_whatever_is_there(tmp_path, publishers):
    publishers(there=True)
    found = chosen(workspace(tmp_path, "  agentobs:traces: jaeger\n  agentobs:logs: loki\n"))
    assert (found.stores.traces, found.stores.logs) == ("jaeger", "loki")
    assert "as the settings of this stack say" in str(found)


def test_programs_of_the_publishers_are_taken_where_they_are(tmp_path, publishers):
    publishers(there=True)
    assert chosen(workspace(tmp_path)).stores == GRAFANA


def test_without_them_it_is_the_other_pair_and_said_why(tmp_path, publishers):
    publishers(there=False)
    found = chosen(workspace(tmp_path))
    assert found.stores == PERMISSIVE
    assert str(found) == ("Traces go to Jaeger, logs to VictoriaLogs: no tempo 2.10.8 is here, and none is ever built.")
    assert found.binaries == ["jaeger", "victoria-logs"]


def test_a_download_that_fails_is_a_reason_too(tmp_path, monkeypatch):
    def refuse(_names, _reporter):
        raise ToolchainError("loki 3.7.8 cannot be had, as the host is away")

    monkeypatch.setattr(toolchain, "unobtainable", lambda _: [])
    monkeypatch.setattr(toolchain, "ensure", refuse)
    assert chosen(workspace(tmp_path)).stores == PERMISSIVE


def test_what_runs_already_stays(tmp_path, publishers):
    publishers(there=True)
    running = {"jaeger": "http://127.0.0.1:1", "victorialogs": "http://127.0.0.1:2"}
    assert chosen(workspace(tmp_path, endpoints=running)).stores == PERMISSIVE


def test_one_that_is_set_leaves_the_other_to_be_decided(tmp_path, publishers):
    publishers(there=False)
    given = workspace(tmp_path, "  agentobs:logs: loki\n")
    found = chosen(given)
    assert (found.stores.traces, found.stores.logs) == ("jaeger", "loki")
    stores.keep(given, found)
    assert given.written == [("config", "set", "agentobs:traces", "jaeger")]


def test_a_value_that_is_no_store_is_left_to_the_settings_to_name(tmp_path, publishers):
    publishers(there=False)
    given = workspace(tmp_path, "  agentobs:traces: zipkin\n")
    stores.keep(given, chosen(given))
    assert given.written == [("config", "set", "agentobs:logs", "victorialogs")]


def test_what_is_neither_here_nor_to_be_had_is_told_without_a_network(monkeypatch, tmp_path):
    monkeypatch.setenv("AGENTOBS_CACHE", str(tmp_path))
    monkeypatch.setenv("AGENTOBS_TOOLCHAIN_SOURCE", "cache")
    assert toolchain.unobtainable(["tempo", "loki", "jaeger"]) == ["tempo 2.10.8", "loki 3.7.8"]
