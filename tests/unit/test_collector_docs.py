"""What the documentation of traps points at exists."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TRAPS = TESTS.parent / "collector" / "docs" / "traps.md"
NAMED = re.findall(r"\| (\S+\.py)::(\w+) \|", TRAPS.read_text())


def test_every_trap_names_its_test():
    rows = [line for line in TRAPS.read_text().splitlines() if line.startswith("| ") and "| trap |" not in line]
    assert len(rows) == len(NAMED) > 20


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_the_test_of_a_trap_exists(file, test):
    assert f"\ndef {test}(" in TESTS.joinpath(file).read_text()
