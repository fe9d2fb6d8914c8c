"""The platform as an installed package: whole, outside of a checkout, in an environment with its locked packages."""

import json
import os
import subprocess
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest
from support.wheel import PLATFORM, ROOT, SDK, environment

from stacks.cli.verbs import VERBS

# Read by people, or written by `agentobs render`; no code of ours opens them.
_LEFT_OUT = ("*.md", "*/generated/*", "*/docs/*", "stacks/examples/*")
_PAGES = ("runbooks/guide/*", "runbooks/pages/*", "runbooks/procedures/*")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment and of the wheels that are in it."""
    folder = tmp_path_factory.mktemp("installed")
    environment(folder, [SDK, PLATFORM])
    return folder


def _run(installed: Path, *command: str, code: int = 0) -> str:
    """A command of the environment, in a folder without a project, with a home of its own."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "AGENTOBS_HOME", "XDG_"))}
    env |= {"HOME": str(installed), "AGENTOBS_CACHE": str(installed / "cache"), "NO_COLOR": "1", "COLUMNS": "200"}
    program = installed / "environment" / "bin" / command[0]
    done = subprocess.run(
        [program, *command[1:]], cwd=installed, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def _tracked() -> set[str]:
    folders = {each.name for each in ROOT.iterdir() if (each / "__init__.py").exists()}
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


def test_every_file_that_code_needs_is_in_it(installed):
    (wheel,) = (installed / "wheels" / PLATFORM).iterdir()
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    left_out = {name for name in _tracked() - packed if not any(fnmatch(name, each) for each in _LEFT_OUT)}
    assert left_out == set()
    assert {name for name in _tracked() if any(fnmatch(name, each) for each in _PAGES)} <= packed
    assert packed <= _tracked()


def test_help_shows_every_verb(installed):
    said = _run(installed, "agentobs", "--help")
    assert all(f" {verb} " in said for verb in VERBS)


def test_a_runbook_page_is_shown(installed):
    assert "agentobs runbooks run ToolFailing" in _run(installed, "agentobs", "runbooks", "show", "ToolFailing")


def test_manifests_are_rendered(installed):
    settings = ROOT / "stacks" / "examples" / "Pulumi.dev.yaml"
    arguments = ("render", "manifests", "-s", "dev", "--settings", str(settings), "--out", str(installed / "dev"))
    assert " manifests and " in _run(installed, "agentobs", *arguments)
    assert "kind: Namespace" in "".join(path.read_text() for path in (installed / "dev").glob("*.yaml"))


def test_files_of_a_checkout_are_not_written_where_there_is_none(installed):
    said = " ".join(_run(installed, "agentobs", "render", code=2).split())
    assert "agentobs is installed without one" in said


def test_settings_and_state_lie_in_the_folder_of_the_user(installed):
    code = "from stacks import paths; print(paths.home(), paths.stack_file('local'))"
    folder = installed / ".local" / "share" / "agentobs"
    assert _run(installed, "python", "-c", code).split() == [str(folder), str(folder / "project/Pulumi.local.yaml")]


def test_what_up_says_to_try_next_is_there(installed):
    code = "from stacks.cli import lifecycle; print(*(line for _, line in lifecycle._next(':4318')), sep='\\n')"
    programs = [line.split()[0] for line in _run(installed, "python", "-c", code).splitlines()]
    assert len(programs) == 4
    assert all(Path(program).is_file() for program in programs), programs


def test_native_programs_are_made_of_the_same_sources(installed):
    code = "import json; from toolchain.table import RECIPES; print(json.dumps({r.name: r.digest() for r in RECIPES}))"
    from toolchain.table import RECIPES  # noqa: PLC0415 beside the same line in the other environment

    assert json.loads(_run(installed, "python", "-c", code)) == {each.name: each.digest() for each in RECIPES}


def test_the_sample_agents_and_their_tools_are_there(installed):
    assert "tool-regression" in _run(installed, "python", "-m", "demo", "scenarios")
    assert "usage" in _run(installed, "python", "-m", "demo.tools", "--help").lower()
