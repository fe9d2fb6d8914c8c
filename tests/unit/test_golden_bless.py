"""What a baseline may not hold, what it is made of, and what `run` reports without one."""

import datetime as dt
import itertools
import json
import xml.etree.ElementTree as ET

import pytest

from delivery.golden import baseline, dataset, freezing
from delivery.golden.errors import GoldenError
from delivery.golden.session import Session

NUMBERS = itertools.count()  # a module of a name is imported once
TODAY = dt.date(2026, 5, 1)
PROGRAM = """
from agentobs import emit
def answer(case):
    with emit.task(workflow="w", type="t", graph_version="1"), emit.agent("desk", emit.Prompt("d", "1")):
        if case.input == "tool":
            with emit.tool_call("delete", version="1"):
                pass
        if case.input == "policy":
            emit.policy_violation(policy_id="pii", action="flagged")
        return "no" if case.input == "wrong" else "yes"
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A frozen dataset of a good case and those that are given, and a session of it."""
    monkeypatch.chdir(tmp_path)
    module = f"blessed_{next(NUMBERS)}"
    (tmp_path / f"{module}.py").write_text(PROGRAM)

    def made(**more):
        cases = [
            {"id": name, "input": "", "expected_behavior": "x", "tools_allowed": [],
             "success_criteria": {"answer": {"equals": "yes"}}, "agent_path_expected": ["desk"], **each}
            for name, each in {"good": {}, **more}.items()
        ]  # fmt: skip
        (tmp_path / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
        freezing.freeze(
            dataset.draft(tmp_path),
            version=str(next(NUMBERS)),
            reason="r",
            by="ada",
            at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        )
        return Session(folder=tmp_path, system=f"{module}:answer", out=tmp_path / "out", today=TODAY)

    return made


QUARANTINE = {"quarantine": {"reason": "flaky", "until": "2026-06-01"}}


@pytest.mark.parametrize(("does", "rule"), [("tool", "tools_allowed"), ("policy", "violations")])
def test_a_baseline_holds_nothing_that_is_never_acceptable(does, rule, desk):
    session = desk(bad={"input": does})
    with pytest.raises(GoldenError, match=f"cases.jsonl:2.*case bad breaks {rule}.*no baseline may hold"):
        session.bless(1, "ada")
    assert not (session.folder / baseline.FILE).exists()
    assert desk(bad={"input": does, **QUARANTINE}).bless(1, "ada").cases["bad"].runs == 1


def test_a_baseline_holds_what_only_fails_and_what_is_in_quarantine_for_that_ends(desk):
    past = desk(wrong={"input": "wrong"}, flaky=QUARANTINE).bless(2, "ada").cases
    assert {name: (case.runs, case.passed) for name, case in past.items()} == {
        "good": (2, 2), "wrong": (2, 0), "flaky": (2, 2),
    }  # fmt: skip


@pytest.mark.parametrize("use", [lambda session: session.bless(1, "ada"), lambda session: session.gate(1)])
def test_cases_that_are_not_frozen_are_neither_blessed_nor_compared(use, desk):
    session = desk()
    session.bless(1, "ada")
    use(session)  # frozen, with a baseline: nothing else is wrong
    (session.folder / dataset.LOCK).unlink()
    before = (session.folder / baseline.FILE).read_bytes()
    with pytest.raises(GoldenError, match="frozen cases only; fix: agentobs golden freeze"):
        use(session)
    assert (session.folder / baseline.FILE).read_bytes() == before


def test_a_run_without_a_gate_reports_what_failed(desk):
    session = desk(wrong={"input": "wrong"}, flaky={"input": "wrong", **QUARANTINE})
    session.run(2)
    suite = ET.parse(session.out / "junit.xml").getroot()  # noqa: S314 our own document
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "2", "failures": "1", "errors": "0", "skipped": "1",
    }  # fmt: skip
    found = {case.get("name"): [child.tag for child in case] for case in suite}
    assert found == {"good": [], "wrong": ["failure"], "flaky": ["skipped"]}
    assert "answer.equals: expected" in suite.find("testcase[@name='wrong']/failure").text
