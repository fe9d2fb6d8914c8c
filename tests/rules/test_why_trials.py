"""`why` about random faults, on series that the real collector made of them, in a real Prometheus.

The recording guards what the method can do; `make bench-why` measures it on fresh seeds. What counts as right
is in `support.judging`.
"""

import io
import json
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console
from support.judging import Judgement, judge
from support.recorded import replayed
from support.trials import Trial, draw_all

from collector.signals import Label
from runbooks import text, wording
from runbooks.diagnosis import Window, diagnose
from runbooks.report import Diagnosis
from stacks.cli import show_why
from stacks.cli.prometheus import Prometheus

GOLDEN = Path(__file__).parent / "golden"
AGE_S = 900.0


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> list[tuple[Trial, Diagnosis, Judgement]]:
    """Every trial with what `why` says of it at the end, and the judgement."""
    facts = json.loads((GOLDEN / "trials.json").read_text())
    found = []
    with replayed(GOLDEN / "trials.om.xz", tmp_path_factory.mktemp("trials"), AGE_S) as (prometheus, start):
        source = Prometheus(prometheus.url)
        times = [start + at for at in facts["times"]]
        for trial in draw_all(facts["seed"], facts["scale"]):
            window = Window(start=start - 30, end=times[-1] + 20, where={Label.ENVIRONMENT: trial.environment})
            answer = diagnose(source, window)
            found.append((trial, answer, judge(trial, answer, times)))
    return found


def _described(asked, wrong) -> str:
    return "\n".join(
        f"{trial.environment} {trial.kind}: {trial.text}\n{text.plain(answer)}"
        for trial, answer, judgement in asked
        if wrong(judgement)
    )


def test_nine_times_of_ten_the_first_hypothesis_is_a_true_cause(asked):
    right = sum(judgement.top1 for _, _, judgement in asked)
    assert right >= 0.9 * len(asked), _described(asked, lambda judgement: not judgement.top1)


def test_nearly_always_every_true_cause_is_among_the_first_three(asked):
    right = sum(judgement.top3 for _, _, judgement in asked)
    assert right >= 0.95 * len(asked), _described(asked, lambda judgement: not judgement.top3)


def test_no_innocent_version_is_accused(asked):
    assert sum(judgement.wronged for _, _, judgement in asked) == 0, _described(asked, lambda j: j.wronged > 0)


def test_nothing_is_named_where_nothing_broke(asked):
    healthy = [(trial, answer) for trial, answer, _ in asked if not trial.faults]
    assert len(healthy) >= 3
    assert [text.plain(answer) for _, answer in healthy if answer.hypotheses] == []


def test_a_guilty_version_is_dated_to_seconds(asked):
    errors = [abs(j.since_s) for _, answer, j in asked if j.since_s is not None and answer.hypotheses[0].culprit]
    assert sorted(errors)[len(errors) // 2] < 10
    assert max(errors) < 30


def test_causes_that_no_data_can_tell_apart_are_said_to_be_so(asked):
    both = [answer for trial, answer, _ in asked if trial.kind == "same agent, same moment" and answer.hypotheses]
    assert both
    for answer in both:
        first = answer.hypotheses[0]
        assert first.confidence < 0.8
        assert {h.culprit.dimension for h in answer.hypotheses if h.culprit} >= {"prompt", "model"}
        assert first.inseparable_from


def test_two_causes_at_once_are_both_named(asked):
    pairs = [(trial, j) for trial, _, j in asked if len(trial.faults) == 2]
    assert pairs
    assert all(j.top3 for _, j in pairs)


def test_every_answer_says_how_sure_it_is_and_why(asked):
    for _, answer, _ in asked:
        for hypothesis in answer.hypotheses:
            assert 0 < hypothesis.confidence <= 1
            first = hypothesis.evidence[0]
            assert first.p is not None
            assert first.comparisons is not None
            assert first.comparisons >= 1
            assert hypothesis.fixes
            assert "p = " in " ".join(hypothesis.reasons) or "p < " in " ".join(hypothesis.reasons)


def test_every_answer_reads_as_a_page_as_text_and_as_json(asked):
    schema = Diagnosis.model_json_schema()
    for _, answer, _ in asked:
        with Console(width=120, record=True, file=io.StringIO()) as console:
            console.print(show_why.diagnosis(answer))
        page, lines = console.export_text(), text.plain(answer)
        for hypothesis in answer.hypotheses[:1]:
            assert wording.sure(hypothesis.confidence) in page
            assert hypothesis.fixes[0][:40] in page
            assert hypothesis.title in lines
            assert hypothesis.fixes[0] in lines
        jsonschema.validate(json.loads(answer.model_dump_json()), schema)
