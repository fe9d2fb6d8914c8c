"""The closing line of CI adds up all runs, and nothing that broke looks like success."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.tally import tally

_TESTS = Path(__file__).resolve().parents[1]


def report(folder: Path, name: str, **counts: int) -> None:
    said = " ".join(f'{key}="{count}"' for key, count in counts.items())
    (folder / f"{name}.xml").write_text(f'<testsuites><testsuite name="pytest" {said}></testsuite></testsuites>')


def test_all_runs_are_added_up(tmp_path):
    report(tmp_path, "test", tests=10, failures=1, errors=2, skipped=3)
    report(tmp_path, "test-cluster", tests=5, failures=0, errors=0, skipped=1)
    assert tally(1, tmp_path) == (8, 3)


def test_runs_without_a_failure_are_a_success(tmp_path):
    report(tmp_path, "test", tests=10, failures=0, errors=0, skipped=0)
    assert tally(0, tmp_path) == (10, 0)


@pytest.mark.parametrize("status", [1, 2, 137])
def test_a_status_that_no_file_explains_is_a_failure(tmp_path, status):
    report(tmp_path, "test", tests=10, failures=0, errors=0, skipped=0)
    assert tally(status, tmp_path) == (10, 1)


def test_nothing_that_ran_is_a_failure(tmp_path):
    assert tally(0, tmp_path) == (0, 1)
    assert tally(0, tmp_path / "missing") == (0, 1)
    report(tmp_path, "test", tests=2, failures=0, errors=0, skipped=2)
    assert tally(0, tmp_path) == (0, 1)


def test_a_torn_file_is_a_failure(tmp_path):
    report(tmp_path, "test", tests=10, failures=0, errors=0, skipped=0)
    (tmp_path / "test-cluster.xml").write_text("<testsuites><testsuite name=")
    assert tally(0, tmp_path) == (10, 1)


def test_the_line_is_the_last_and_the_status_says_the_same(tmp_path):
    report(tmp_path, "test", tests=10, failures=1, errors=0, skipped=0)
    command = [sys.executable, "-m", "support.tally", "1", str(tmp_path)]
    done = subprocess.run(command, env={"PYTHONPATH": str(_TESTS)}, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("9 passed, 1 failed\n", 1)


def test_what_pytest_itself_writes_is_understood(tmp_path):
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 0\n"
        "def test_skipped(): pytest.skip()\n"
        "@pytest.fixture\ndef broken(): raise ValueError\n"
        "def test_error(broken): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", f"--junitxml={tmp_path}/some.xml", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert tally(done.returncode, tmp_path) == (1, 2)
