"""The committed files are what the code renders, and a real collector accepts every configuration."""

import os
import subprocess

import pytest

import toolchain
from collector.depth import FLAG
from stacks import generated

CONFIGURATIONS = sorted(path for path in generated.documents() if path.startswith("collector/generated/"))
RULES = sorted(path for path in generated.documents() if path.startswith("alerts/generated/"))
# What a pod or a person sets before the collector starts.
GIVEN = {"POD_IP": "127.0.0.1", "POD_NAME": "collector-0"}


def test_committed_files_are_current():
    assert generated.differences() == {}, "stale: run `agentobs render`"


def test_there_is_one_for_every_profile():
    names = {path.rsplit("/", 1)[1].removesuffix(".yaml") for path in CONFIGURATIONS}
    assert names == {"local", "dev", "staging-edge", "staging-sampler", "prod-edge", "prod-sampler"}
    assert {path.name for path in (generated.ROOT / "collector" / "generated").iterdir()} == {
        f"{n}.yaml" for n in names
    }


@pytest.mark.parametrize("path", CONFIGURATIONS)
def test_the_collector_accepts(path, tmp_path):
    binary = toolchain.require(["otelcol"])["otelcol"]
    done = subprocess.run(
        [str(binary), "validate", f"--config={generated.ROOT / path}", FLAG],
        env={**os.environ, **GIVEN, "AGENTOBS_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("path", RULES)
def test_prometheus_accepts(path):
    binary = toolchain.require(["promtool"])["promtool"]
    command = [str(binary), "check", "rules", "--lint=all", "--lint-fatal", str(generated.ROOT / path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stale_file_is_found_shown_and_mended(tmp_path):
    generated.write(tmp_path)
    assert generated.differences(tmp_path) == {}
    stale = tmp_path / CONFIGURATIONS[0]
    stale.write_text(stale.read_text().replace("max_stale: 2m", "max_stale: 9m"))
    ((path, diff),) = generated.differences(tmp_path).items()
    assert path == CONFIGURATIONS[0]
    assert "-    max_stale: 9m" in diff
    assert generated.write(tmp_path) == [path]
    assert generated.differences(tmp_path) == {}
