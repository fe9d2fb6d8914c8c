"""How good a judge is, against labels of people. It takes part in the gate only where it is good enough.

`labels.jsonl`: one label per line, made by a person who did not see the judge's verdict. Labels of models do not count.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, ValidationError

from agentobs import canonical
from alerts.statistics.agreement import agreement
from delivery.golden import files, parsing
from delivery.golden.dataset import Dataset
from delivery.golden.errors import GoldenError
from delivery.golden.example import Digest, Example, JudgeRule, Strict, Words
from delivery.golden.judge import Judge, Question, Verdict
from delivery.golden.results import Result

LABELS: Final = "labels.jsonl"
FILE: Final = "calibration.json"
LEAST_LABELS: Final = 100
LEAST_KAPPA: Final = 0.6
LEAST_SELF: Final = 0.95
SAMPLES: Final = 5
SAMPLED: Final = 30


def _person(name: str) -> str:
    if name.lower().startswith(("model:", "llm:", "judge:")):
        raise ValueError("a model does not count")
    return name


class Label(Strict):
    """What a person says about one answer."""

    case: Words
    answer_digest: Digest
    criterion: Words
    label: Literal["pass", "fail"]
    labeller: Annotated[str, Field(min_length=1, description="A person, no model"), AfterValidator(_person)]
    at: Words


class Calibration(Strict):
    """How good the judge is at one criterion. `rubric` is the digest of what it is asked."""

    judge: Words
    rubric: Digest
    labels: int
    base_rate: float
    kappa: float
    kappa_interval: tuple[float, float]
    true_positive: tuple[float, float, float]
    true_negative: tuple[float, float, float]
    self_agreement: float
    cannot_tell: int
    errors: int

    @property
    def gates(self) -> bool:
        """Whether its verdicts count in the gate; else they are advice."""
        return not self.lacks

    @property
    def lacks(self) -> list[str]:
        """What is missing for that."""
        low = self.kappa_interval[0]
        bars = (
            (self.labels >= LEAST_LABELS, f"{self.labels} labels of people, {LEAST_LABELS} are needed"),
            (low >= LEAST_KAPPA, f"kappa may be {low:.2f}, at least {LEAST_KAPPA} is needed"),
            (self.self_agreement >= LEAST_SELF, f"it agrees with itself in {self.self_agreement:.0%} of answers"),
            (self.errors == 0, f"{self.errors} answers could not be judged"),
        )
        return [told for met, told in bars if not met]

    def told(self) -> tuple[str, str]:
        """How good it is, and what follows, for people."""
        low, high = self.kappa_interval
        good, bad = self.true_positive[0], self.true_negative[0]
        kappa = f"kappa {self.kappa:.2f} (90 % {low:.2f} to {high:.2f}, base rate {self.base_rate:.2f})"
        finds = (
            f"finds {good:.0%} of good and {bad:.0%} of bad answers, agrees with itself in {self.self_agreement:.0%}"
        )
        use = "takes part in the gate" if self.gates else f"advice only: {'; '.join(self.lacks)}"
        return f"{kappa}, {finds}, cannot tell {self.cannot_tell}", use


def labels(path: Path) -> list[Label]:
    """Read labels. Raises GoldenError naming file and line."""
    found = []
    for number, line in enumerate(
        files.text_of(path, "let a person label answers, see docs/golden.md").split("\n"), start=1
    ):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        parsing.strictly(line, where)
        try:
            found.append(Label.model_validate_json(line))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            fix = "labels of people only" if place == "labeller" else "see docs/golden.md"
            raise GoldenError(f"{where}: {place}: {first['msg']}; fix: {fix}") from None
    return found


async def calibrate(
    dataset: Dataset, results: Sequence[Result], given: Sequence[Label], judge: Judge
) -> dict[str, Calibration]:
    """Measure the judge at every criterion that has labels. Raises GoldenError where an answer is not there."""
    answers = {(result.case, result.answer_digest): result for result in results}
    examples = {case.example.id: case.example for case in dataset.cases}
    by_criterion: dict[str, list[tuple[Label, Question]]] = {}
    for label in given:
        result = answers.get((label.case, label.answer_digest))
        question = asked(dataset, examples.get(label.case), result, label.criterion)
        if question is None:
            raise GoldenError(
                f"{dataset.folder / LABELS}: nothing to judge for case {label.case}, criterion {label.criterion}, "
                f"answer {label.answer_digest[:12]}; fix: give the run.json that holds this answer with --answers"
            )
        by_criterion.setdefault(label.criterion, []).append((label, question))
    return {criterion: await _measured(judge, pairs) for criterion, pairs in sorted(by_criterion.items())}


def asked(dataset: Dataset, example: Example | None, result: Result | None, criterion: str) -> Question | None:
    """The question about a result, where its case asks it."""
    rule = next((rule for rule in example.success_criteria.judge if rule.id == criterion), None) if example else None
    if example is None or result is None or rule is None:
        return None
    tape = dataset.tapes.get(example.tape or "")
    return Question(
        rubric=rule.rubric,
        input=example.input,
        expected=example.expected_behavior,
        answer=result.answer,
        tools=tuple(call.result for call in tape.calls if call.result) if tape else (),
    )


def rubrics(rules: Sequence[str]) -> str:
    """The digest of what a judge is asked under one criterion: several cases may word it differently."""
    return canonical.digest(sorted(set(rules)))


async def _measured(judge: Judge, pairs: Sequence[tuple[Label, Question]]) -> Calibration:
    said = await asyncio.gather(*(judge.ask(question) for _, question in pairs))
    verdicts = [(label, each.verdict) for (label, _), each in zip(pairs, said, strict=True)]
    decided = [(label.label == "pass", verdict is Verdict.PASS) for label, verdict in verdicts
               if verdict in {Verdict.PASS, Verdict.FAIL}]  # fmt: skip
    if not decided:
        raise GoldenError("the judge gave no verdict on any labelled answer; fix: look at its endpoint and model")
    same = await asyncio.gather(*(_repeats(judge, question) for _, question in pairs[:SAMPLED]))
    found = agreement(decided)
    return Calibration(
        judge=judge.model,
        rubric=rubrics([question.rubric for _, question in pairs]),
        labels=found.count,
        base_rate=found.base_rate,
        kappa=found.kappa,
        kappa_interval=found.interval,
        true_positive=found.true_positive,
        true_negative=found.true_negative,
        self_agreement=sum(same) / len(same),
        cannot_tell=sum(verdict is Verdict.CANNOT_TELL for _, verdict in verdicts),
        errors=sum(verdict is Verdict.ERROR for _, verdict in verdicts),
    )


async def _repeats(judge: Judge, question: Question) -> bool:
    """Whether the judge says the same each time that it is asked."""
    said = await asyncio.gather(*(judge.ask(replace(question, sample=sample)) for sample in range(SAMPLES)))
    return len({each.verdict for each in said}) == 1


def write(folder: Path, found: Mapping[str, Calibration]) -> None:
    """Write `calibration.json`."""
    made = {criterion: each.model_dump(mode="json") for criterion, each in found.items()}
    files.write(folder / FILE, f"{json.dumps(made, indent=1, sort_keys=True)}\n".encode())


def read(folder: Path) -> dict[str, Calibration]:
    """What was measured; nothing where nobody measured. Raises GoldenError."""
    path = folder / FILE
    if not path.exists():
        return {}
    made = parsing.strictly(files.text_of(path, "agentobs golden calibrate"), str(path))
    try:
        return {criterion: Calibration.model_validate_json(json.dumps(each)) for criterion, each in made.items()}
    except (ValidationError, AttributeError) as error:
        raise GoldenError(f"{path}: is no calibration ({error}); fix: agentobs golden calibrate") from None


def trusted(dataset: Dataset, judge: Judge, found: Mapping[str, Calibration]) -> set[str]:
    """Criteria at which this judge takes part in the gate: measured with this model and these rubrics, and good."""
    asked_now: dict[str, list[str]] = {}
    rules: list[JudgeRule] = [rule for case in dataset.cases for rule in case.example.success_criteria.judge]
    for rule in rules:
        asked_now.setdefault(rule.id, []).append(rule.rubric)
    return {
        criterion
        for criterion, each in found.items()
        if each.gates and each.judge == judge.model and each.rubric == rubrics(asked_now.get(criterion, []))
    }
