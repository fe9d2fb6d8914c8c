"""`pulumi up` and what follows: no-op, one-setting change, crash, drift, destroy, and errors that start nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests
from support.stores import LOGS, TRACES, ports

from stacks import gated, release_controller
from stacks.process.layout import StackDir
from stacks.process.supervisor import Supervisor, members

GATE = {gated.NAME} if sys.platform == "linux" else set()
BACKENDS = {"alertmanager", "collector", "prometheus", release_controller.NAME, LOGS, TRACES} | GATE
UNCHANGED = f"{3 + len(BACKENDS)} unchanged"
"""The stack, its component, supervisord and each process."""


def _layout(stack) -> StackDir:
    return StackDir(stack.home / "stacks" / "local")


def _supervisor(stack) -> Supervisor:
    return Supervisor(_layout(stack))


@pytest.fixture(scope="module", name="running")
def _running(own_stack):
    own_stack.up()
    return own_stack


def _resources(output: str) -> str:
    """The closing tally; a preview before it has one of its own."""
    return output.rsplit("Resources:", 1)[1].split("Duration", maxsplit=1)[0]


def test_up_starts_every_backend(running):
    assert set(_supervisor(running).pids()) == BACKENDS


def test_every_listener_is_bound_to_loopback_and_in_the_table_of_ports(running):
    listening = [
        connection.laddr
        for process in members(_layout(running))
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    inside = gated.inside(_layout(running)) or "127.0.0.1"
    assert {address.ip for address in listening} == {"127.0.0.1", inside}
    assert {address.port for address in listening} == {running.ports[name] for name in ports()}
    behind = {running.ports[name] for name in ports() if name in gated.BEHIND}
    assert {address.port for address in listening if address.ip == inside} >= behind


def test_a_second_up_changes_nothing(running):
    before = _supervisor(running).pids()
    assert UNCHANGED in _resources(running.up().stdout)
    assert _supervisor(running).pids() == before


def test_a_preview_of_a_running_stack_finds_no_change(running):
    assert UNCHANGED in _resources(running.agentobs("pulumi", "preview").stdout)


def test_one_changed_retention_restarts_one_process(running):
    before = _supervisor(running).pids()
    running.set("tracesRetention", "48h")
    assert "1 updated" in _resources(running.up().stdout)
    after = _supervisor(running).pids()
    assert {name for name in BACKENDS if after[name] != before[name]} == {TRACES}


def test_a_killed_process_comes_back(running, eventually):
    old = _supervisor(running).pids()[LOGS]
    psutil.Process(old).kill()
    new = eventually(lambda: _supervisor(running).pids().get(LOGS), lambda pid: pid not in {None, old})
    assert new not in {None, old}


def test_refresh_sees_a_process_that_is_gone_and_up_brings_it_back(running):
    with _supervisor(running).exclusive():
        _supervisor(running).remove(TRACES)
    assert "1 deleted" in _resources(running.agentobs("pulumi", "refresh", "--yes").stdout)
    assert "1 created" in _resources(running.up().stdout)
    assert set(_supervisor(running).pids()) == BACKENDS


def test_up_mends_the_stack_after_supervisord_was_killed(running):
    pid = int((_layout(running).run / "supervisord.pid").read_text())
    psutil.Process(pid).kill()
    orphans = {process.pid for process in members(_layout(running))}
    running.up()
    assert set(_supervisor(running).pids()) == BACKENDS
    assert not orphans & {process.pid for process in members(_layout(running))}


def test_up_works_after_a_pulumi_that_died_holding_its_lock(running):
    folder = running.home / "pulumi/state/.pulumi/locks/organization/agentobs/local"
    folder.mkdir(parents=True, exist_ok=True)
    lock = {"pid": 2**22 + 1, "username": "x", "hostname": "x", "timestamp": "2026-01-01T00:00:00Z"}
    (folder / "dead.json").write_text(json.dumps(lock))
    assert UNCHANGED in _resources(running.up().stdout)


def test_up_finishes_what_a_killed_up_began(own_stack, tmp_path, eventually):
    stack, output, creating = type(own_stack)(tmp_path), tmp_path / "output", f"Process {LOGS} creating"
    stack.use_stores()
    command = [str(Path(sys.executable).parent / "agentobs"), *stack.up_arguments]
    with output.open("w") as file:
        killed = subprocess.Popen(command, env=stack.env(), stdout=file, stderr=file, start_new_session=True)
    assert creating in eventually(output.read_text, lambda text: creating in text)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    try:
        assert stack.up().returncode == 0
        assert set(_supervisor(stack).pids()) == BACKENDS
        checkpoint = json.loads((stack.home / "pulumi/state/.pulumi/stacks/agentobs/local.json").read_text())
        assert not checkpoint["checkpoint"]["latest"].get("pending_operations")
        assert UNCHANGED in _resources(stack.up().stdout)
    finally:
        stack.down()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("metricsRetenton", "7d", "did you mean agentobs:metricsRetention?"),
        ("tracesRetention", "soon", "'soon' is not a duration; write whole hours or days"),
        ("logsRetention", "3h", "3h is shorter than the 24h that stores of logs accept"),
        ("ports", "[1]", "agentobs:ports of stack local"),
    ],
)
def test_a_bad_setting_is_one_error_and_touches_nothing(running, key, value, said):
    before = _supervisor(running).pids()
    settings = running.home / "project" / "Pulumi.local.yaml"
    good = settings.read_text()
    try:
        running.set(key, value)
        failed = running.agentobs("pulumi", "up", "--yes", "--skip-preview", ok=False)
    finally:
        settings.write_text(good)
    output = failed.stdout + failed.stderr
    assert failed.returncode != 0
    assert said in output
    assert "Traceback" not in output
    assert _supervisor(running).pids() == before


def test_a_missing_binary_is_one_error_with_the_fix(running, tmp_path):
    environment = {**running.env(), "AGENTOBS_CACHE": str(tmp_path), "AGENTOBS_TOOLCHAIN_SOURCE": "cache"}
    command = [str(Path(sys.executable).parent / "agentobs"), "pulumi", "preview"]
    failed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "pulumi" in failed.stderr
    assert "python -m toolchain build" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_taken_port_is_one_error_that_names_it_and_nothing_is_started(tmp_path, own_stack):
    stack = type(own_stack)(tmp_path)
    stack.use_stores()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", stack.ports[LOGS]))
        taken.listen()
        failed = stack.up(ok=False)
    output = failed.stdout + failed.stderr
    assert failed.returncode == 1
    assert f"port {stack.ports[LOGS]} ({LOGS}) is taken by" in output
    assert f"agentobs:ports.{LOGS}" in output
    assert "Traceback" not in output
    assert not members(_layout(stack))
    assert not _layout(stack).run.exists() or not list(_layout(stack).programs.glob("*"))
    stack.down()


def test_commands_work_from_any_folder(running, tmp_path):
    assert UNCHANGED in _resources(running.agentobs("pulumi", "preview", cwd=tmp_path).stdout)


def test_status_and_why_say_so_where_nothing_was_measured(running):
    assert "Nothing measured" in running.agentobs("status").stderr
    assert json.loads(running.agentobs("why", "--json").stdout)["verdict"] == "no_data"


def test_up_runs_the_sample_and_writes_the_boards_as_a_page(running):
    said = running.agentobs("up", "--tasks", "20").stdout
    page = _layout(running).root / "report.html"
    assert page.as_uri() in said
    assert "Task success" in page.read_text()
    assert "agentobs report --since 1h" in said


def _answers(stack, at: float) -> list[object]:
    """What Prometheus says of a moment, all series of ours."""
    params = {"query": '{__name__=~"agentic_.*"}', "time": str(at)}
    found = requests.get(f"{stack.url('prometheus')}/api/v1/query", params=params, timeout=20).json()["data"]["result"]
    return sorted(found, key=str)


def test_a_backup_gives_the_same_answers_after_everything_was_deleted(running, tmp_path):
    at = time.time()
    before = _answers(running, at)
    assert before
    torn = running.agentobs("backup", "create", "--out", str(tmp_path), ok=False)
    assert "is running, and a copy of files in use is torn. Fix: agentobs down" in torn.stderr
    running.agentobs("down")
    assert running.agentobs("backup", "create", "--out", str(tmp_path)).returncode == 0
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    refused = running.agentobs("backup", "restore", str(file), ok=False)
    assert "has data in" in refused.stderr
    running.agentobs("down", "--delete-data")
    running.agentobs("backup", "restore", str(file))
    running.up()
    assert _answers(running, at) == before


# Last in the module: they take the stack down.


def test_destroy_leaves_no_process_port_or_file_and_keeps_data_unless_told(running):
    running.agentobs("down")
    assert members(_layout(running)) == []
    assert sorted(path.name for path in _layout(running).root.iterdir()) == ["data"]
    for number in running.ports.values():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", number))
    running.agentobs("down")  # twice is fine
    running.agentobs("down", "--delete-data")
    assert not _layout(running).data.exists()


def test_a_stack_that_the_project_does_not_have_is_refused_and_not_made(own_stack, tmp_path):
    fresh = type(own_stack)(tmp_path)
    failed = fresh.agentobs("up", "-s", "production", ok=False)
    assert failed.returncode != 0
    assert "'production' is not one of 'local', 'dev', 'staging', 'prod'" in failed.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("verb", "instead"), [("up", "pulumi up -s dev"), ("down", "pulumi destroy -s dev")])
def test_what_runs_on_kubernetes_is_left_to_pulumi(own_stack, tmp_path, verb, instead):
    failed = type(own_stack)(tmp_path).agentobs(verb, "-s", "dev", ok=False)
    assert failed.returncode == 1
    assert f"dev runs on Kubernetes. Fix: {instead}" in failed.stderr
    assert not list(tmp_path.iterdir())


def test_down_where_nothing_was_ever_up_is_fine(own_stack, tmp_path):
    fresh = type(own_stack)(tmp_path)
    assert "nothing to take down" in fresh.agentobs("down").stdout


def test_status_says_that_the_stack_is_not_up(running):
    failed = running.agentobs("status", ok=False)
    assert failed.returncode == 1
    assert "is not up; start it with `agentobs up`" in failed.stderr
