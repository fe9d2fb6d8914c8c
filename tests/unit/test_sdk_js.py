"""The package for Node: its own tests, its types, and that it spells the contract as Python does."""

import json
import lzma
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Status
from support import npm
from support.dialects.failures import RESULTS
from support.replayed import RECORDED

from agentobs.context.retries import has_failed
from agentobs.contract import Attr

PACKAGE = Path(__file__).parents[2] / "sdk" / "js"
REPLAYED = ("ai-sdk.ai-sdk-5", "ai-sdk.ai-sdk-7", "mastra.otel-bridge")
READ = """
import { hasFailed } from "./src/retries.js";
const spans = JSON.parse(process.argv[1]).map((text) => ({ status: {}, attributes: { "output.value": text } }));
console.log(JSON.stringify(spans.map(hasFailed)));
"""


def events(name):
    return lzma.decompress((RECORDED / name / "events.jsonl.xz").read_bytes())


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package with what its tests need."""
    installed = npm.node_modules(PACKAGE)
    copy = tmp_path_factory.mktemp("node") / "js"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(installed)
    return copy


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The captures of Node programs; Node itself cannot unpack them."""
    folder = tmp_path_factory.mktemp("recorded")
    for name in REPLAYED:
        (folder / name).mkdir()
        (folder / name / "events.jsonl").write_bytes(
            lzma.decompress((RECORDED / name / "events.jsonl.xz").read_bytes())
        )
        shutil.copy(RECORDED / name / "truth.json", folder / name)
    return folder


def run(package, *command, **more):
    env = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "NODE_"))} | more
    done = subprocess.run(command, cwd=package, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_own_tests_pass_and_none_is_left_out(package, recorded):
    files = sorted(path.relative_to(package).as_posix() for path in (package / "test").glob("*.test.js"))
    arguments = ("--expose-gc", "--test", "--test-reporter=tap", *files)
    said = run(package, "node", *arguments, AGENTOBS_RECORDED=str(recorded))
    counts = {key: int(value) for key, value in re.findall(r"^# (pass|fail|skipped|todo) (\d+)$", said, re.MULTILINE)}
    assert counts.pop("pass") > 50  # a glob that finds nothing must not pass
    assert set(counts.values()) == {0}, said


def test_its_types_and_those_that_it_publishes_are_right(package):
    run(package, "node", "node_modules/typescript/bin/tsc", "-p", ".")


def test_a_failed_result_reads_alike_in_both_languages(package):
    """The expressions are the same text in two languages; what is in a tool's result must be the same to both."""
    texts = [text for _, text, _ in RESULTS]
    said = json.loads(run(package, "node", "--input-type=module", "-e", READ, json.dumps(texts)))
    ended = ReadableSpan(name="tool", status=Status())
    ours = [has_failed(ended, {Attr.TOOL_RESULT.value: text}) for text in texts]
    truth = [expected != "none" for _, _, expected in RESULTS]
    names = [name for name, *_ in RESULTS]
    node, python, wanted = (dict(zip(names, each, strict=True)) for each in (said, ours, truth))
    assert node == wanted
    assert python == wanted


def test_the_file_for_a_registry_holds_the_package_and_nothing_else(package):
    [packed] = json.loads(run(package, "npm", "pack", "--dry-run", "--json", "--ignore-scripts"))
    files = {each["path"] for each in packed["files"]}
    sources = {path.relative_to(package).as_posix() for path in package.glob("src/*")}
    assert files == {"package.json", "README.md"} | sources


def test_the_lock_names_no_registry():
    assert '"resolved"' not in (PACKAGE / "package-lock.json").read_text(encoding="utf-8")


def test_every_capture_of_a_node_program_that_a_processor_can_see_is_played_again():
    frameworks = {name.split(".")[0] for name in REPLAYED}
    captured = {folder.name for folder in RECORDED.iterdir() if folder.name.split(".")[0] in frameworks}
    text = (PACKAGE / "test" / "corpus.test.js").read_text(encoding="utf-8")
    played = set(re.findall(r'^  "([a-z.0-9-]+)": \{', text, re.MULTILINE))
    assert played == set(REPLAYED) == {name for name in captured if events(name)}
