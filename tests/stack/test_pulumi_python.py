"""A real Pulumi runs a real Python program with a dynamic resource, through the launchers where it needs them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

import toolchain
from toolchain.pulumi_python import launchers, needs_launchers

pytestmark = pytest.mark.stack

PROJECT = """
name: sample
main: sub
stackConfigDir: sub
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: .venv
"""

PROGRAM = """
import os
import sys
from pathlib import Path

import helper
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult


class NoteProvider(ResourceProvider):
    def create(self, props):
        Path(props["path"]).write_text(props["text"])
        return CreateResult(id_=props["path"], outs=props)

    def diff(self, id_, olds, news):
        return DiffResult(changes=olds["text"] != news["text"])

    def update(self, id_, olds, news):
        Path(news["path"]).write_text(news["text"])
        return UpdateResult(outs=news)

    def read(self, id_, props):
        return ReadResult(id_=id_, outs={**props, "text": Path(props["path"]).read_text()})

    def delete(self, id_, props):
        Path(props["path"]).unlink()


class Note(Resource):
    text: pulumi.Output[str]

    def __init__(self, name, path, text):
        super().__init__(NoteProvider(), name, {"path": path, "text": text})


config = pulumi.Config()
helper.check()
note = Note("note", config.require("path"), config.require("text"))
pulumi.export("text", note.text)
pulumi.export("secret", config.require_secret("token"))
pulumi.export("cwd", os.getcwd())
pulumi.export("root", pulumi.runtime.get_root_directory())
pulumi.export("stack", pulumi.get_stack())
pulumi.export("organization", pulumi.get_organization())
pulumi.export("python", sys.executable)
pulumi.export("path0", sys.path[0])
pulumi.export("argv", sys.argv)
pulumi.export("main", __name__)
pulumi.export("seen", helper.seen())
"""

# A module with state: preview and update of one command must each see a fresh one.
HELPER = """
_calls = []

def check():
    _calls.append(1)

def seen():
    return len(_calls)
"""


@dataclass(frozen=True)
class Sample:
    """A Pulumi project in a temporary folder and the environment of its commands."""

    root: Path
    note: Path
    env: dict[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = ["pulumi", *arguments, "--non-interactive", "--color=never"]
        return subprocess.Popen(
            command, cwd=self.root, env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def pulumi(self, *arguments: str, ok: bool = True) -> str:
        with self.start(*arguments) as process:
            output = process.communicate(timeout=240)[0]
        assert (process.returncode == 0) == ok, output
        return output

    def program(self, source: str) -> None:
        (self.root / "sub" / "__main__.py").write_text(source, encoding="utf-8")


def _made(folder: Path) -> Sample:
    """A project in `folder` and the environment of its commands; its stack is not made yet."""
    pulumi = toolchain.require(["pulumi"])["pulumi"]
    search = [str(pulumi.parent), os.environ["PATH"]]
    if needs_launchers(pulumi):
        search.insert(0, str(launchers(folder / "bin", Path(sys.executable), pulumi)))
    env = {
        **os.environ,
        "PATH": os.pathsep.join(search),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_STACK": "test",
    }
    return Sample(folder / "project", folder / "note.txt", env)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a configured stack that was not brought up, to copy: making it takes four commands."""
    folder = tmp_path_factory.mktemp("prepared")
    made = _made(folder)
    (made.root / "sub").mkdir(parents=True)
    (made.root / "Pulumi.yaml").write_text(PROJECT, encoding="utf-8")
    (made.root / "sub" / "helper.py").write_text(HELPER, encoding="utf-8")
    made.program(PROGRAM)
    (folder / "state").mkdir()
    made.pulumi("stack", "init", "test")
    made.pulumi("config", "set-all", "--plaintext", f"path={made.note}", "--plaintext", "text=first")
    made.pulumi("config", "set", "token", "hush", "--secret")
    return folder


@pytest.fixture
def sample(tmp_path: Path, prepared: Path) -> Iterator[Sample]:
    made = _made(tmp_path)
    shutil.copytree(prepared / "project", made.root)
    shutil.copytree(prepared / "state", tmp_path / "state")
    settings = made.root / "sub" / "Pulumi.test.yaml"
    settings.write_text(settings.read_text().replace(str(prepared), str(tmp_path)))
    # An official language host takes the program's Python from here; ours runs everything with its own.
    (made.root / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    yield made
    shutil.rmtree(made.root)


def test_a_dynamic_resource_lives_its_whole_life(sample: Sample) -> None:
    preview = sample.pulumi("preview")
    assert "+ 2 to create" in preview
    assert not sample.note.exists()

    up = sample.pulumi("up", "--yes")
    assert "+ 2 created" in up
    assert sample.note.read_text(encoding="utf-8") == "first"
    assert "warning" not in up.lower()

    again = sample.pulumi("up", "--yes")
    assert "2 unchanged" in again
    assert "created" not in again
    assert "updated" not in again

    sample.pulumi("config", "set", "text", "second")
    assert "~ 1 updated" in sample.pulumi("up", "--yes")
    assert sample.note.read_text(encoding="utf-8") == "second"

    sample.note.write_text("drifted", encoding="utf-8")
    assert "~ 1 updated" in sample.pulumi("refresh", "--yes")
    assert "~ 1 updated" in sample.pulumi("up", "--yes")
    assert sample.note.read_text(encoding="utf-8") == "second"

    assert "- 2 deleted" in sample.pulumi("destroy", "--yes")
    assert not sample.note.exists()


def test_a_program_sees_the_surroundings_of_an_official_install(sample: Sample) -> None:
    sample.pulumi("up", "--yes")

    outputs = json.loads(sample.pulumi("stack", "output", "--json"))

    sub = str((sample.root / "sub").resolve())
    assert outputs["secret"] == "[secret]"  # noqa: S105 - what Pulumi shows instead of the secret
    assert (sample.root / "sub" / "Pulumi.test.yaml").exists()
    assert {key: outputs[key] for key in ("stack", "organization", "main", "seen", "text")} == {
        "stack": "test",
        "organization": "organization",
        "main": "__main__",
        "seen": 1,
        "text": "first",
    }
    assert Path(outputs["python"]).resolve() == Path(sys.executable).resolve()
    assert outputs["cwd"] == outputs["path0"] == outputs["argv"][0] == sub
    assert outputs["root"] == str(sample.root.resolve())


def test_about_shows_the_python_and_its_packages(sample: Sample) -> None:
    about = json.loads(sample.pulumi("about", "--json"))

    assert about["runtime"]["language"] == "python"
    assert about["runtime"]["version"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert "agentobs" in {item["name"] for item in about["dependencies"]}


def test_a_run_error_shows_its_message_once_and_no_traceback(sample: Sample) -> None:
    sample.program("import pulumi\n\nraise pulumi.RunError('replicas: expected 1 to 9, got 0')\n")

    output = sample.pulumi("preview", ok=False)

    assert diagnostics(output).count("replicas: expected 1 to 9, got 0") == 1, output
    assert "Traceback" not in output
    assert "exited with" not in output


def test_another_exception_shows_its_traceback_once_from_the_program_on(sample: Sample) -> None:
    sample.program("def deep():\n    raise ValueError('seven is no port')\n\n\ndeep()\n")

    output = sample.pulumi("preview", ok=False)

    assert diagnostics(output).count("ValueError: seven is no port") == 1, output
    assert diagnostics(output).count("Traceback") == 1
    assert "__main__.py" in output
    assert "runpy" not in output
    assert "exited with" not in output


def test_a_program_that_dies_without_a_word_is_an_error_with_its_status(sample: Sample) -> None:
    sample.program("import os\n\nos._exit(7)\n")

    assert "status 7" in sample.pulumi("preview", ok=False)


PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy


def short(args, report):
    if len(args.props.get("text", "")) > 6:
        report(f"{args.name} is too long", None)


PolicyPack("texts", [ResourceValidationPolicy("short", "Texts are short.", short)], EnforcementLevel.MANDATORY)
"""


def test_a_policy_pack_refuses_what_breaks_its_rules_and_ends_with_pulumi(sample: Sample) -> None:
    pack = sample.root / "pack"
    pack.mkdir()
    (pack / "__main__.py").write_text(PACK, encoding="utf-8")
    (pack / "PulumiPolicy.yaml").write_text(PROJECT.replace("virtualenv: .venv", "virtualenv: ../.venv"))

    assert "texts" in sample.pulumi("preview", "--policy-pack", str(pack))
    sample.pulumi("config", "set", "text", "much too long")
    refused = sample.pulumi("up", "--yes", "--skip-preview", "--policy-pack", str(pack), ok=False)

    assert "[mandatory]  short" in refused
    assert "note is too long" in refused
    assert not sample.note.exists()
    wait_for(
        lambda: not [each for each in psutil.process_iter(["cmdline"]) if str(pack) in (each.info["cmdline"] or [])]
    )


def test_a_policy_pack_that_breaks_says_why(sample: Sample) -> None:
    pack = sample.root / "pack"
    pack.mkdir()
    (pack / "__main__.py").write_text("raise ValueError('no rules today')\n", encoding="utf-8")
    (pack / "PulumiPolicy.yaml").write_text(PROJECT, encoding="utf-8")

    output = sample.pulumi("preview", "--policy-pack", str(pack), ok=False)

    assert "ValueError: no rules today" in output
    assert 'policy pack "' in output


def test_every_stack_has_its_own_configuration(sample: Sample) -> None:
    sample.program("import pulumi\n\npulumi.export('seen', pulumi.Config().get('only-here', 'nothing'))\n")
    sample.pulumi("config", "set", "only-here", "first stack")
    sample.pulumi("stack", "init", "other")
    sample.pulumi("up", "--yes", "--stack", "other")
    sample.pulumi("up", "--yes", "--stack", "test")

    assert sample.pulumi("stack", "output", "seen", "--stack", "other").strip() == "nothing"
    assert sample.pulumi("stack", "output", "seen", "--stack", "test").strip() == "first stack"


def test_a_missing_program_is_named(sample: Sample) -> None:
    (sample.root / "sub" / "__main__.py").unlink()

    output = sample.pulumi("preview", ok=False)

    assert "__main__.py" in output
    assert "Traceback" not in output


def test_prints_of_a_program_reach_the_screen(sample: Sample) -> None:
    sample.program("import sys\n\nprint('hello from stdout')\nprint('hello from stderr', file=sys.stderr)\n")

    output = sample.pulumi("preview")

    assert "hello from stdout" in output
    assert "hello from stderr" in output


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind_when_pulumi_ends_early(sample: Sample, how: signal.Signals) -> None:
    pid_file = sample.root / "pid"
    sample.program(f"import os, time\n\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    process = sample.start("preview")
    wait_for(lambda: pid_file.exists() and pid_file.read_text(encoding="utf-8") != "")
    program = psutil.Process(int(pid_file.read_text(encoding="utf-8")))
    host = program.parent()
    assert host is not None

    process.send_signal(how)
    output = process.communicate(timeout=60)[0]

    wait_for(lambda: not alive(program) and not alive(host))
    assert "Traceback" not in output, output


def diagnostics(output: str) -> str:
    """Return what follows the resource lines, which repeat the first line of an error themselves."""
    return output.partition("Diagnostics:")[2]


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
