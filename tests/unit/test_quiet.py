"""Quiet is for one alone, whoever waits for it is not overtaken, and a process that dies leaves no lock."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support import quiet

_TESTS = Path(__file__).resolve().parents[1]
_HOLDS = "import time; from support.quiet import at_work\nwith at_work():\n print('held', flush=True); time.sleep(60)"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.setenv(quiet.FOLDER, str(tmp_path))


def _started(body) -> threading.Thread:
    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread


def test_many_are_at_work_and_quiet_is_for_one():
    order = []

    def wants_quiet():
        with quiet.quiet():
            order.append("quiet")
            time.sleep(0.2)
            order.append("over")

    def works():
        with quiet.at_work():
            order.append("work")

    with quiet.at_work(), quiet.at_work():
        waiting = _started(wants_quiet)
        time.sleep(0.2)
        late = _started(works)  # does not overtake who waits
        time.sleep(0.2)
        assert order == []
    waiting.join(10)
    late.join(10)
    assert order == ["quiet", "over", "work"]


def test_a_process_that_dies_at_work_leaves_no_lock():
    environment = {**os.environ, "PYTHONPATH": str(_TESTS)}
    with subprocess.Popen([sys.executable, "-c", _HOLDS], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.send_signal(signal.SIGKILL)
    with quiet.quiet():
        pass


def test_the_folder_of_a_run_goes_with_it_and_one_that_was_given_stays(monkeypatch, tmp_path):
    with quiet.shared_folder():
        pass
    assert tmp_path.exists()
    monkeypatch.delenv(quiet.FOLDER)
    with quiet.shared_folder():
        made = Path(os.environ[quiet.FOLDER])
        with quiet.at_work():
            assert made.is_dir()
    assert not made.exists()
    assert quiet.FOLDER not in os.environ
