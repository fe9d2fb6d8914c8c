"""Quality and safety: are the answers good, and do we still look?"""

from typing import Final

from agentobs import contract
from agentobs.contract import Label
from alerts.catalogue import (
    EVALUATION_PASS,
    HALLUCINATION,
    HUMAN_SCORE,
    JUDGE_SCORE,
    POLICY_VIOLATIONS,
    TASK_SUCCESS,
    VIOLATIONS_PASSED,
)
from alerts.catalogue import counts as c
from alerts.catalogue.model import HOUR
from alerts.promql import matchers, sum_by
from dashboards.boards import shared
from dashboards.lib import variables
from dashboards.lib.model import Board, Format, Prom, Section, TimeSeries
from dashboards.lib.panels import Reader

_SCOPE: Final = (Label.ENVIRONMENT, Label.AGENT)
_READ: Final = Reader(_SCOPE)


def _verdicts() -> TimeSeries:
    by = (Label.EVALUATION, Label.EVALUATION_LABEL)
    raw = f"increase({contract.EVAL_RESULTS.series}{matchers(variables.scope(_SCOPE))}[$__rate_interval])"
    return TimeSeries(
        title="Verdicts",
        description="Evaluations and what they found, raw counts in each step.",
        no_data="Nothing was evaluated in this time range.",
        queries=(Prom(expr=sum_by(by, raw), legend="{{eval_name}} {{label}}"),),
        stacked=True,
    )


def _by_policy() -> TimeSeries:
    by = (Label.POLICY, Label.POLICY_ACTION)
    raw = f"increase({contract.POLICY_VIOLATIONS.series}{matchers(variables.scope(_SCOPE))}[$__rate_interval])"
    return TimeSeries(
        title="Violations by policy",
        description="Which policy was violated, and what was done about it, raw counts in each step.",
        no_data="No policy was violated in this time range, or none is watched.",
        queries=(Prom(expr=sum_by(by, raw), legend="{{policy_id}} {{action}}"),),
        stacked=True,
    )


def _coverage() -> TimeSeries:
    evaluated = _READ.count(c.EVALUATIONS, 6 * HOUR)
    tasks = f"sum by (environment) ({_READ.events(TASK_SUCCESS, 6 * HOUR)})"
    return TimeSeries(
        title="Evaluations per task",
        description=(
            "Evaluations of the last six hours divided by the tasks of the same hours: how much of the traffic somebody"
            " or something judges. At 0 the quality panels show old data."
        ),
        no_data="No evaluation or no task in six hours: nothing on this board is current.",
        queries=(Prom(expr=f"{evaluated} / {tasks}", legend="evaluations per task"),),
        format=Format.TIMES,
        width=12,
        alerts=("EvaluationsStale",),
    )


BOARD: Final = Board(
    slug="quality",
    title="Quality and safety",
    question="Are the answers good and within the rules, and do we still look?",
    variables=(variables.ENVIRONMENT, variables.AGENT),
    sections=(
        Section(
            title="Verdicts",
            panels=(
                shared.regressions(_READ, width=24, height=6),
                _READ.line(EVALUATION_PASS),
                _READ.line(HALLUCINATION),
                _verdicts(),
            ),
        ),
        Section(
            title="Scores",
            panels=(
                _READ.line(HUMAN_SCORE, width=12, maximum=1),
                _READ.line(JUDGE_SCORE, width=12, maximum=1),
            ),
        ),
        Section(
            title="Coverage",
            panels=(_coverage(), _READ.traffic(EVALUATION_PASS, "Evaluations", width=12)),
        ),
        Section(
            title="Policies",
            panels=(_READ.line(POLICY_VIOLATIONS), _READ.line(VIOLATIONS_PASSED), _by_policy()),
        ),
    ),
    next=("fleet", "agent", "versions", "explore"),
)
