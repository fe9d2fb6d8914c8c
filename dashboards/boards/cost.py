"""Cost and tokens: what costs how much, since when?"""

from typing import Final

from agentobs import contract
from agentobs.contract import Label
from alerts.catalogue import CACHE_HITS, MODEL_COST, REQUEST_TOKENS, TASK_COST, UNPRICED
from alerts.catalogue import counts as c
from alerts.catalogue.model import DAY, HOUR
from alerts.promql import matchers, sum_by
from alerts.recording import rule
from dashboards.boards import shared
from dashboards.lib import thresholds, variables
from dashboards.lib.model import Board, Format, Panel, Prom, Section, Stat, TimeSeries
from dashboards.lib.panels import Reader, legend

_SCOPE: Final = (Label.ENVIRONMENT, Label.AGENT, Label.MODEL)
_READ: Final = Reader((*_SCOPE, Label.WORKFLOW))
# A version is an agent's or a workflow's: narrowed to both, none would be left.
_VERSIONS: Final = Reader(_SCOPE)
_FREE: Final = "No model call with a price was made in this time range."
_BUDGET: Final = tuple(f"CostBudget{share}" for share in (50, 80, 100))


def _per_second(title: str, description: str, metric: contract.Metric, by: Label, form: Format) -> Panel:
    raw = f"rate({metric.series}{matchers(variables.scope(_SCOPE))}[$__rate_interval])"
    hourly = "" if form is Format.PER_SECOND else " * 3600"
    return TimeSeries(
        title=title,
        description=description,
        no_data=_FREE,
        queries=(Prom(expr=f"{sum_by([by], raw)}{hourly}", legend=legend((by,))),),
        format=form,
        stacked=True,
    )


_NOW: Final = Section(
    title="Now",
    panels=(
        Stat(
            title="Spent in the last hour",
            description="US dollars of model calls in the hour before.",
            no_data=_FREE,
            queries=(Prom(expr=f"sum({_READ.count(c.SPEND, HOUR)})"),),
            format=Format.USD,
            width=6,
            height=5,
        ),
        Stat(
            title="Spent in the last day",
            description="US dollars of model calls in the 24 hours before.",
            no_data=_FREE,
            queries=(Prom(expr=f"sum({_READ.count(c.SPEND, DAY)})"),),
            format=Format.USD,
            width=6,
            height=5,
            alerts=_BUDGET,
        ),
        Stat(
            title="Against last week",
            description="Spend of the last hour divided by that of the same hour a week ago.",
            no_data="There was no spend at this hour a week ago to compare with.",
            queries=(Prom(expr=f"max({_READ.narrowed(rule.SPEND_WEEK_RATIO, (Label.ENVIRONMENT,))})"),),
            format=Format.TIMES,
            width=6,
            height=5,
            alerts=("SpendSpike",),
        ),
        Stat(
            title="Daily budget used",
            description="Spend of the last 24 hours as a share of the budget that the operator set (dailyBudgetUsd).",
            no_data="No daily budget is set: `agentobs pulumi config set agentobs:dailyBudgetUsd 100` sets one.",
            queries=(Prom(expr=f"max({_READ.count(c.SPEND, DAY)} / on () group_left () {rule.DAILY_BUDGET})"),),
            format=Format.SHARE,
            steps=thresholds.budget(),
            width=6,
            height=5,
            alerts=_BUDGET,
        ),
    ),
)

BOARD: Final = Board(
    slug="cost",
    title="Cost and tokens",
    question="What costs how much, and since when?",
    variables=(variables.ENVIRONMENT, variables.WORKFLOW, variables.AGENT, variables.MODEL),
    sections=(
        _NOW,
        Section(
            title="Who spends",
            panels=(
                shared.regressions(_VERSIONS, width=24, height=6),
                _per_second(
                    "Dollars an hour by agent", "Spend rate of each agent.", contract.COST, Label.AGENT, Format.USD
                ),
                _per_second(
                    "Dollars an hour by model", "Spend rate of each model.", contract.COST, Label.MODEL, Format.USD
                ),
                _per_second(
                    "Dollars an hour by prompt version",
                    "Spend rate of each prompt version: a new one that costs more shows as a wider band.",
                    contract.COST,
                    Label.PROMPT_VERSION,
                    Format.USD,
                ),
            ),
        ),
        Section(
            title="What one costs",
            panels=(
                _READ.line(TASK_COST, alerts=("TaskCostJump",)),
                _READ.quantiles(TASK_COST),
                _READ.line(MODEL_COST),
            ),
        ),
        Section(
            title="Tokens",
            panels=(
                _READ.line(REQUEST_TOKENS, alerts=("RequestTokensJump",)),
                _READ.quantiles(REQUEST_TOKENS),
                _per_second(
                    "Tokens a second by type",
                    "Input, output, cached and reasoning tokens.",
                    contract.LLM_TOKENS,
                    Label.TOKEN_TYPE,
                    Format.PER_SECOND,
                ),
                _READ.line(CACHE_HITS, alerts=("CacheHitsDropped",), width=12),
                _READ.line(UNPRICED, width=12),
            ),
        ),
        Section(
            title="Jumps",
            collapsed=True,
            panels=(
                _READ.watching(
                    "TaskCostJump",
                    title="Task cost against an hour ago",
                    description="Cost of a task in the last five minutes divided by that of the hour before.",
                    no_data="Too few tasks ended in both periods.",
                    format=Format.TIMES,
                    width=12,
                ),
                _READ.watching(
                    "RequestTokensJump",
                    title="Tokens per call against an hour ago",
                    description="Tokens of a model call in the last five minutes divided by those of the hour before.",
                    no_data="Too few model calls were made in both periods.",
                    format=Format.TIMES,
                    width=12,
                ),
            ),
        ),
    ),
    next=("fleet", "agent", "versions", "explore"),
)
