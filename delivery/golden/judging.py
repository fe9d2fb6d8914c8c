"""Verdicts on what runs answered: checks where the judge is good enough at the criterion, advice where it is not."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

from delivery.golden.calibration import asked
from delivery.golden.criteria import Check
from delivery.golden.dataset import Dataset
from delivery.golden.judge import Judge, Judgement, Verdict
from delivery.golden.results import Result


async def judged(dataset: Dataset, results: Sequence[Result], judge: Judge, trusted: Collection[str]) -> list[Result]:
    """The same results with their verdicts. A run that is invalid has nothing to judge."""
    examples = {case.example.id: case.example for case in dataset.cases}

    async def one(result: Result) -> Result:
        made = result
        for rule in examples[result.case].success_criteria.judge if not result.invalid else ():
            question = asked(dataset, examples[result.case], result, rule.id)
            if question is not None:
                made = _with(made, rule.id, await judge.ask(question), gates=rule.id in trusted)
        return made

    return await asyncio.gather(*map(one, results))


def _with(result: Result, criterion: str, said: Judgement, *, gates: bool) -> Result:
    advice = f"judge {criterion}{'' if gates else ' (advice)'}: {said.verdict}: {said.reason}"[:300]
    made = replace(result, notes=(*result.notes, advice))
    if not gates:
        return made
    if said.verdict is Verdict.FAIL:
        check = Check(name=f"judge.{criterion}", passed=False, expected="pass", got=advice)
        return replace(made, passed=False, failed=(*made.failed, check))
    if said.verdict is not Verdict.PASS:
        return replace(made, unjudged=(*made.unjudged, criterion))
    return made
