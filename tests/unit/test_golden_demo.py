"""The gate on the sample system and its dataset, and every step of it on the command line."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from delivery.golden import baseline, dataset, files
from delivery.golden.gate import Answer
from delivery.golden.session import Session
from demo import golden as demo_golden
from demo.scenarios import HEALTHY
from stacks.cli.golden import app

ROOT = Path(__file__).resolve().parents[2]
DESK = ROOT / "examples" / "golden" / "support-desk"


@pytest.fixture(scope="module")
def some_of_the_demo(tmp_path_factory):
    """30 of the demo's cases, those with broken tools among them, frozen and blessed."""
    folder = tmp_path_factory.mktemp("desk")
    lines = (DESK / "cases.jsonl").read_bytes().splitlines(keepends=True)
    files.write(folder / "cases.jsonl", b"".join(lines[:20] + lines[-10:]))
    for path in (DESK / "tapes").iterdir():
        files.write(folder / "tapes" / path.name, path.read_bytes())
    told = CliRunner().invoke(app, ["freeze", str(folder), "--version", "1", "--reason", "some"])
    assert told.exit_code == 0, told.output
    Session(folder=folder, system="demo.golden:healthy", out=folder / "out").bless(5, "ada")
    return folder


@pytest.mark.parametrize(
    ("scenario", "answer", "rule"),
    [
        ("healthy", Answer.PASSED, ""),
        ("prompt_regression", Answer.REGRESSED, "G2"),
        ("graph_change", Answer.REGRESSED, "G5"),
        ("model_swap", Answer.REGRESSED, "G5"),
        ("policy_violation", Answer.REGRESSED, "G1"),
    ],
)
def test_the_gate_finds_what_a_scenario_of_the_demo_breaks(scenario, answer, rule, some_of_the_demo, tmp_path):
    found = Session(folder=some_of_the_demo, system=f"demo.golden:{scenario}", out=tmp_path).gate(1, 0.1)
    assert found.answer is answer
    assert rule in {reason.rule for reason in found.reasons if reason.blocks} | {""}


def test_a_little_less_skill_is_found_too(some_of_the_demo, tmp_path, monkeypatch):
    monkeypatch.setattr(
        demo_golden, "a_little_worse", demo_golden.SupportDesk(replace(HEALTHY, skill=0.9)), raising=False
    )
    found = Session(folder=some_of_the_demo, system="demo.golden:a_little_worse", out=tmp_path).gate(1, 0.1)
    assert found.answer is Answer.REGRESSED


def test_the_same_seed_twice_is_the_same_but_for_times(some_of_the_demo, tmp_path):
    made = []
    for name in ("a", "b"):
        Session(folder=some_of_the_demo, system="demo.golden:healthy", out=tmp_path / name).run(1)
        text = json.loads((tmp_path / name / "run.json").read_text())
        del text["times"]
        made.append(json.dumps(text))
    assert made[0] == made[1]


def test_the_dataset_of_the_repository_is_frozen_and_its_baseline_fits():
    found = dataset.load(DESK)
    past = baseline.read(DESK / "baseline.json")
    assert (len(found.cases), found.frozen, past.digest) == (200, True, found.digest)
    assert past.deterministic
    assert all(each.passed == each.runs == 10 for each in past.cases.values())


def test_from_nothing_to_a_gate_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def said(code, *words):
        done = CliRunner().invoke(app, [*words])
        assert done.exit_code == code, done.output
        return done.output

    said(0, "init", ".")
    assert "not frozen" in said(0, "check", ".")
    said(0, "run", "system:answer", ".")
    said(3, "gate", "system:answer", ".")  # not frozen
    Path("broken.py").write_text("def answer(:")
    assert "SyntaxError" in said(3, "run", "broken:answer", ".")
    with monkeypatch.context() as broken:
        broken.setattr(Session, "run", lambda *_, **__: 1 / 0)
        said(3, "run", "system:answer", ".")  # a defect of ours is no regression
    said(0, "freeze", ".", "--version", "1", "--reason", "first", "--by", "ada")
    said(3, "gate", "system:answer", ".")  # no baseline
    said(0, "bless", "system:answer", ".")
    assert "57 more cases would decide" in said(2, "gate", "system:answer", ".")
    Path("system.py").write_text(Path("system.py").read_text().replace("I cannot", "done:"))
    sys.modules.pop("system")
    assert "regressed" in said(1, "gate", "system:answer", ".")
    Path("cases.jsonl").write_text(Path("cases.jsonl").read_text().replace("politely", "kindly"))
    said(3, "gate", "system:answer", ".")
    assert "changed greets" in said(1, "diff", ".")
    said(3, "init", ".")
    assert json.loads(said(0, "check", "--schema"))["properties"]["input"]
