"""The demo's command: clear refusals, and an end without leftovers however it comes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

from demo import progress

DEMO = [sys.executable, "-m", "demo"]


def test_ctrl_c_ends_a_run_with_a_summary_and_leaves_no_process(otlp, tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    command = [*DEMO, "run", "--endpoint", otlp.endpoint, "--tasks", "5000", "--rate", "20", "--truth", str(truth)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        _wait_for(lambda: any("invoke_workflow" in span["name"] for span in otlp.spans))
        family = psutil.Process(process.pid).children(recursive=True)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        seconds = time.monotonic() - began
    assert process.returncode == 0, errors
    assert "telemetry lost: 0" in output
    assert seconds < 15, "ends within seconds, with room for a slow machine"
    assert len(family) >= 3
    assert not [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert json.loads(truth.read_text())["tasks"]["cancelled"] > 0


def test_a_killed_run_leaves_no_process(otlp) -> None:
    command = [*DEMO, "run", "--endpoint", otlp.endpoint, "--tasks", "5000", "--rate", "20", "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _wait_for(lambda: any("invoke_workflow" in span["name"] for span in otlp.spans))
        family = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
    assert len(family) >= 8
    gone, left = psutil.wait_procs(family, timeout=60)
    assert left == []
    assert len(gone) == len(family)


def test_a_missing_collector_is_one_clear_error_before_any_work() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = [*DEMO, "run", "--endpoint", f"http://127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"nothing listens at 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_tool_server_that_cannot_start_is_one_clear_error(otlp, tmp_path: Path) -> None:
    # Children search where the demo searches, so that what stands there reaches the servers.
    broken = "import os, sys\nif 'demo.tools' in sys.orig_argv:\n    os.write(2, b'no licence')\n    os._exit(3)\n"
    (tmp_path / "sitecustomize.py").write_text(broken)
    command = [*DEMO, "run", "--endpoint", otlp.endpoint]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)
    assert done.returncode == 1
    assert "did not start; the end of its output:\nno licence" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_scenario_names_the_known_ones() -> None:
    done = subprocess.run(
        [*DEMO, "run", "--scenario", "chaos"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "'chaos'" in done.stderr
    assert "crash-loop" in done.stderr


def test_the_scenarios_are_listed_with_what_they_change() -> None:
    done = subprocess.run([*DEMO, "scenarios"], capture_output=True, text=True, timeout=60, check=True)
    assert "crash-loop         the orders server dies" in done.stdout
    assert len(done.stdout.splitlines()) == 12


def _wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def test_progress_names_outcomes_once_there_are_some():
    assert progress._line("healthy", 60, Counter()) == "healthy: 0 of 60 tasks"
    assert progress._line("healthy", 60, Counter(success=2, error=1)) == "healthy: 3 of 60 tasks; 1 error, 2 success"
