"""The baseline of a dataset: how often each case passed, and what a run of it did and cost. Only `bless` moves it."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError

from delivery.golden import files, parsing
from delivery.golden.dataset import Dataset
from delivery.golden.errors import GoldenError
from delivery.golden.example import Amount, Count, Strict, Words
from delivery.golden.results import Result

FILE: Final = "baseline.json"
METRICS: Final = ("cost_usd", "tokens", "tool_calls", "model_calls")
_SCHEMA: Final = "agentobs/golden-baseline/1"


class Past(Strict):
    """One case as it was: runs, how many passed, means of use; `behaviour` where all runs did the same."""

    runs: Count
    passed: Count
    behaviour: str = ""
    path: tuple[tuple[str, ...], ...] = ()
    tools: tuple[str, ...] = ()
    cost_usd: Amount = 0.0
    tokens: Amount = 0.0
    tool_calls: Amount = 0.0
    model_calls: Amount = 0.0


class Baseline(Strict):
    """All cases as they were. `dataset` is `name@version#digest`."""

    form: Literal["agentobs/golden-baseline/1"] = Field(default=_SCHEMA, alias="schema")
    dataset: Words
    digest: Words
    system: Words
    by: Words
    at: str
    judge: Annotated[str, Field(description="Whose verdicts counted, and at which criteria")] = ""
    cases: dict[str, Past]

    @property
    def runs(self) -> int:
        """The fewest runs of a case."""
        return min(past.runs for past in self.cases.values())

    @property
    def deterministic(self) -> bool:
        """Whether every run of each case did the same; one run alone does not show it."""
        return self.runs > 1 and all(past.behaviour for past in self.cases.values())


def made(  # noqa: PLR0913 what a baseline says of itself
    dataset: Dataset, results: Sequence[Result], *, system: str, by: str, at: str, judge: str = ""
) -> Baseline:
    """The baseline that runs make. Raises GoldenError where one did what is never acceptable."""
    by_case: dict[str, list[Result]] = {}
    for result in results:
        by_case.setdefault(result.case, []).append(result)
    problems = [*_unacceptable(dataset, by_case)]
    if problems:
        raise GoldenError("\n".join(problems))
    return Baseline(
        dataset=dataset.reference,
        digest=dataset.digest,
        system=system,
        by=by,
        at=at,
        judge=judge,
        cases={case: _past(runs) for case, runs in sorted(by_case.items())},
    )


def _unacceptable(dataset: Dataset, by_case: dict[str, list[Result]]) -> Sequence[str]:
    found = []
    for case in dataset.cases:
        bad = [result for result in by_case[case.example.id] if result.hard]
        if bad and case.example.quarantine is None:
            check = bad[0].hard[0]
            found.append(
                f"{dataset.where(case)}: case {case.example.id} breaks {check.name} (expected {check.expected}, got "
                f"{check.got}), which no baseline may hold; fix: mend the system or the case, or quarantine it"
            )
    return found


def _past(runs: Sequence[Result]) -> Past:
    behaviours = {result.behaviour for result in runs}
    good = next((result for result in runs if result.passed), runs[0])
    valid = [result for result in runs if not result.invalid] or runs
    means = {metric: round(fmean(getattr(result, metric) for result in valid), 9) for metric in METRICS}
    return Past(
        runs=len(runs),
        passed=sum(result.passed for result in runs),
        behaviour=runs[0].behaviour if len(behaviours) == 1 else "",
        path=good.path,
        tools=good.tools,
        **means,
    )


def write(path: Path, baseline: Baseline) -> None:
    """Write the file, a line per case, so that a review shows which changed."""
    made = baseline.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    cases = made.pop("cases")
    head = json.dumps({"schema": _SCHEMA, **made}, ensure_ascii=False)[:-1]
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(cases[key], ensure_ascii=False)}" for key in sorted(cases))
    files.write(path, f'{head}, "cases": {{\n{lines}\n}}}}\n'.encode())


def read(path: Path) -> Baseline:
    """Read the file. Raises GoldenError naming it."""
    text = files.text_of(path, "make one where the system is known to be good: agentobs golden bless")
    parsing.strictly(text, str(path))
    try:
        return Baseline.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise GoldenError(f"{path}: {place}: {first['msg']}; fix: agentobs golden bless") from None
