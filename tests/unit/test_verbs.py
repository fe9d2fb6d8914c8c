"""The table of verbs is true, and a verb imports what it needs and no more."""

import os
import subprocess
import sys

import pytest

from agentobs.scores import ScoreError
from stacks.cli.errors import is_expected
from stacks.cli.verbs import VERBS, load
from stacks.settings import SettingsError
from toolchain import MissingBinaryError

_HEAVY = {"pulumi", "pulumi_kubernetes", "kubernetes", "plotly", "testinfra", "grafanalib"}
_RUNS = """
import sys
from stacks.cli.main import main
try:
    main()
except SystemExit:
    print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("name", VERBS)
def test_the_table_shows_the_first_line_of_a_verb_s_own_help(name):
    own = load(name)
    assert own.name == name
    assert own.help.split("\n\n")[0].replace("\n", " ") == VERBS[name].help


@pytest.mark.parametrize("error", [ScoreError(), SettingsError(), MissingBinaryError({"promtool": ""})])
def test_an_error_that_names_its_fix_is_expected(error):
    assert is_expected(error)


def test_a_defect_is_not_expected():
    assert not is_expected(ValueError())


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        ([], {*_HEAVY, "scipy", "numpy", "requests", "yaml"}),
        (["--help"], {*_HEAVY, "scipy", "numpy", "requests", "yaml"}),
        (["status", "--help"], {*_HEAVY, "scipy", "numpy"}),
        (["why", "--help"], _HEAVY),
        # Not only how they are called: what they do until they find that the stack is not up.
        (["status"], {*_HEAVY, "scipy", "numpy"}),
        (["why"], _HEAVY),
        (["pulumi", "--help"], {*_HEAVY, "scipy", "numpy"}),
        (["down", "--help"], {"pulumi_kubernetes", "kubernetes", "testinfra"}),
        (["telemetry", "check"], {"pulumi", "pulumi_kubernetes", "kubernetes", "testinfra", "grafanalib"}),
    ],
)
def test_a_command_does_not_import_what_it_does_not_need(words, absent, tmp_path):
    environment = {**os.environ, "AGENTOBS_HOME": str(tmp_path)}
    command = [sys.executable, "-c", _RUNS, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "stacks.cli.main" in loaded
    assert sorted(loaded & absent) == []
