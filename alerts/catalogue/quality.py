"""KPIs of quality: verdicts and scores of people, judges and programs."""

from typing import Final

from agentobs import contract
from agentobs.contract import EvaluationSource, Label
from alerts.catalogue.build import DOWN, UP, mean, share
from alerts.catalogue.model import HOUR, MINUTE, Group, Kpi, Objective, Severity, Unit

_AGENT: Final = (Label.ENVIRONMENT, Label.AGENT)
_WINDOWS_S: Final = (5 * MINUTE, HOUR, 6 * HOUR)

EVALUATION_PASS: Final = share(
    "evaluation_pass",
    "Evaluations passed",
    contract.EVAL_RESULTS,
    {Label.EVALUATION_LABEL: "pass"},
    UP,
    meaning="Share of evaluations with the verdict pass, over all kinds of judges.",
    group=Group.QUALITY,
    board="quality",
    tolerance=0.05,
    windows_s=_WINDOWS_S,
    regression=Severity.PAGE,
    objectives=(
        Objective(
            alert="EvaluationsFailing",
            target=0.8,
            window_s=HOUR,
            hold_s=15 * MINUTE,
            severity=Severity.TICKET,
            min_events=20,
        ),
    ),
)
HALLUCINATION: Final = share(
    "hallucination",
    "Hallucination rate",
    contract.EVAL_RESULTS,
    {Label.EVALUATION_LABEL: "fail"},
    DOWN,
    among={Label.EVALUATION: "hallucination"},
    meaning="Share of answers checked for hallucination that are not grounded in what the tools returned.",
    group=Group.QUALITY,
    by=_AGENT,
    board="quality",
    tolerance=0.05,
    windows_s=_WINDOWS_S,
    regression=Severity.PAGE,
    objectives=(
        Objective(
            alert="Hallucinating",
            target=0.1,
            window_s=HOUR,
            hold_s=15 * MINUTE,
            severity=Severity.PAGE,
            min_events=20,
        ),
    ),
)


def _score(key: str, title: str, source: EvaluationSource, alert: str, by_whom: str) -> Kpi:
    return mean(
        key,
        title,
        Unit.SCORE,
        contract.EVAL_SCORE,
        among={Label.EVALUATION_SOURCE: source},
        direction=UP,
        meaning=f"Mean score, 0 to 1, given by {by_whom}.",
        group=Group.QUALITY,
        by=_AGENT,
        board="quality",
        tolerance=0.1,
        diagnosed=False,
        windows_s=_WINDOWS_S,
        objectives=(
            Objective(
                alert=alert,
                target=0.6,
                window_s=6 * HOUR,
                hold_s=30 * MINUTE,
                severity=Severity.TICKET,
                min_events=20,
            ),
        ),
    )


HUMAN_SCORE: Final = _score("human_score", "Human score", EvaluationSource.HUMAN, "HumanScoreLow", "people")
JUDGE_SCORE: Final = _score("judge_score", "Judge score", EvaluationSource.LLM_JUDGE, "JudgeScoreLow", "model judges")

KPIS: Final[tuple[Kpi, ...]] = (EVALUATION_PASS, HALLUCINATION, HUMAN_SCORE, JUDGE_SCORE)
