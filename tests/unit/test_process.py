"""One process under a real supervisord: start, readiness, restart, rollback, removal, and what is left behind."""

import dataclasses
import socket
import sys
from collections.abc import Iterator

import psutil
import pytest
import requests

from stacks.process import launch, preflight
from stacks.process.layout import StackDir
from stacks.process.spec import ProcessSpec
from stacks.process.supervisor import Supervisor, members

_SERVE = """
import http.server, pathlib, sys
folder, port = sys.argv[1:]
body = pathlib.Path(folder, "page").read_bytes()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""
_CHECK = "import sys; sys.exit('bad page' in open(sys.argv[1]).read())"


@pytest.fixture
def layout(tmp_path) -> Iterator[StackDir]:
    layout = StackDir(tmp_path / "a stack at 100%")
    Supervisor(layout).start()
    yield layout
    Supervisor(layout).stop()
    assert members(layout) == []


@pytest.fixture
def spec(layout) -> ProcessSpec:
    """A real HTTP server that shows its configuration."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return ProcessSpec(
        name="web",
        stack_dir=str(layout.root),
        data_dir=str(layout.data / "web"),
        command=[sys.executable, "{config_dir}/serve.py", "{config_dir}", str(port)],
        checks=[[sys.executable, "-c", _CHECK, "{config_dir}/page"]],
        files={"page": "first", "serve.py": _SERVE},
        env={"MARK": "100% fine"},
        ports={"web": port},
        ready_url=f"http://127.0.0.1:{port}/",
        ready_timeout_s=20,
        stop_s=5,
    )


def _page(spec: ProcessSpec) -> str:
    return requests.get(spec.ready_url, timeout=5).text


def test_a_process_is_ready_when_bring_up_returns(spec):
    launch.bring_up(spec)
    assert _page(spec) == "first"
    (process,) = [p for p in members(spec.layout) if p.pid == Supervisor(spec.layout).pids()["web"]]
    assert process.environ()["MARK"] == "100% fine"


def test_an_update_swaps_the_configuration_and_keeps_only_the_new_one(spec):
    launch.bring_up(spec)
    new = dataclasses.replace(spec, files={**spec.files, "page": "second"})
    launch.replace(spec, new)
    assert _page(new) == "second"
    assert list(spec.layout.workload("web").iterdir()) == [new.config_dir]


def test_a_refused_configuration_never_stops_the_running_process(spec):
    launch.bring_up(spec)
    pid = Supervisor(spec.layout).pids()["web"]
    with pytest.raises(launch.LaunchError, match=r"web: python.* refuses its configuration"):
        launch.replace(spec, dataclasses.replace(spec, files={**spec.files, "page": "bad page"}))
    assert Supervisor(spec.layout).pids()["web"] == pid


def test_an_update_that_cannot_start_brings_the_old_process_back(spec):
    launch.bring_up(spec)
    dying = dataclasses.replace(spec, command=[sys.executable, "-c", "print('no luck'); raise SystemExit(3)"])
    with pytest.raises(launch.LaunchError, match=r"web stopped while starting.*\n(.*\n)*.*no luck"):
        launch.replace(spec, dying)
    assert _page(spec) == "first"


def test_a_process_that_never_gets_ready_is_removed_and_its_words_are_shown(spec):
    silent = dataclasses.replace(
        spec,
        command=[sys.executable, "-u", "-c", "import time; print('waiting for godot'); time.sleep(600)"],
        ready_timeout_s=3,
    )
    with pytest.raises(launch.LaunchError, match=r"was not ready at .* within 3 s(.*\n)+.*godot"):
        launch.bring_up(silent)
    assert Supervisor(spec.layout).pids() == {}
    assert not spec.layout.program("web").exists()


def test_taking_down_leaves_no_file_and_twice_is_fine(spec):
    launch.bring_up(spec)
    launch.take_down(spec)
    launch.take_down(spec)
    assert not spec.layout.workload("web").exists()
    assert not spec.layout.program("web").exists()
    with pytest.raises(requests.ConnectionError):
        _page(spec)


def test_supervisord_that_was_killed_is_replaced_and_its_orphans_are_ended(spec):
    launch.bring_up(spec)
    orphan = psutil.Process(Supervisor(spec.layout).pids()["web"])
    psutil.Process(int((spec.layout.run / "supervisord.pid").read_text())).kill()
    supervisor = Supervisor(spec.layout)
    assert not supervisor.is_up("web")
    supervisor.start()
    assert not orphan.is_running()
    launch.bring_up(spec)
    assert _page(spec) == "first"


def test_preflight_accepts_our_own_listener_and_refuses_a_stranger(spec):
    launch.bring_up(spec)
    preflight.run([spec], spec.layout, "127.0.0.1", "local")
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]
        moved = dataclasses.replace(spec, ports={"web": taken})
        with pytest.raises(
            preflight.PreflightError, match=rf"port {taken} \(web\) is taken by .*pid {psutil.Process().pid}"
        ):
            preflight.run([moved], spec.layout, "127.0.0.1", "local")


def test_preflight_reports_a_refused_configuration_before_anything_starts(spec):
    refused = dataclasses.replace(spec, files={**spec.files, "page": "bad page"})
    with pytest.raises(preflight.PreflightError, match="refuses its configuration"):
        preflight.run([refused], spec.layout, "127.0.0.1", "local")
    assert Supervisor(spec.layout).pids() == {}
    assert not refused.config_dir.exists()
