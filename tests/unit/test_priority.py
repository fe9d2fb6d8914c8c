"""Tests that can wait give way to those that are judged by their latency, and what they start gives way with them."""

import os
import subprocess
import sys
from pathlib import Path

from support.priority import LATER, niceness

_TESTS = Path(__file__).resolve().parents[1]
_ASKED = "import os; print(os.nice(0), flush=True)"
_GIVES_WAY = f"""
import subprocess, sys
from support.priority import give_way
give_way()
give_way()
subprocess.run([sys.executable, "-c", {_ASKED!r}], check=True)
"""


def _niceness_inside(*before: str) -> int:
    env = {**os.environ, "PYTHONPATH": str(_TESTS)}
    command = [*before, sys.executable, "-c", _GIVES_WAY]
    return int(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)


def test_a_unit_test_gives_way():
    assert niceness() >= LATER


def test_what_is_started_gives_way_too_and_once_is_enough():
    assert _niceness_inside() == max(niceness(), LATER)


def test_who_was_behind_already_is_not_brought_forward():
    assert _niceness_inside("nice", "-n", "19") == 19
