"""KPIs of tokens and money."""

from typing import Final

from agentobs import contract
from agentobs.contract import Label
from alerts.catalogue.build import DOWN, UP, mean, per
from alerts.catalogue.model import HOUR, MINUTE, Group, Kpi, Objective, Selector, Severity, Unit, counter

_AGENT: Final = (Label.ENVIRONMENT, Label.AGENT)

TASK_COST: Final = mean(
    "task_cost",
    "Cost per task",
    Unit.USD,
    contract.TASK_COST,
    meaning="US dollars that one task spent on model calls, over all of its agents.",
    group=Group.COST,
    board="cost",
    tolerance=0.3,
    quantiles=(0.5, 0.99),
    objectives=(
        Objective(
            alert="TasksCostly", target=5, window_s=HOUR, hold_s=15 * MINUTE, severity=Severity.TICKET, quantile=0.99
        ),
    ),
)
MODEL_COST: Final = per(
    "model_cost",
    "Cost per model call",
    Unit.USD,
    counter(contract.COST),
    # Calls that told how many tokens they used, because only these have a cost.
    Selector(series=contract.REQUEST_TOKENS.count, labels=contract.REQUEST_TOKENS.labels),
    meaning="US dollars of one model call.",
    group=Group.COST,
    by=_AGENT,
    board="cost",
    tolerance=0.3,
)
REQUEST_TOKENS: Final = mean(
    "request_tokens",
    "Tokens per model call",
    Unit.TOKENS,
    contract.REQUEST_TOKENS,
    meaning="Input and output tokens of one model call.",
    group=Group.COST,
    board="cost",
    tolerance=0.3,
    quantiles=(0.5, 0.95),
    objectives=(
        Objective(
            alert="RequestsLarge",
            target=100_000,
            window_s=HOUR,
            hold_s=15 * MINUTE,
            severity=Severity.TICKET,
            quantile=0.95,
        ),
    ),
)
CACHE_HITS: Final = per(
    "cache_hits",
    "Input tokens from the cache",
    Unit.RATIO,
    counter(contract.LLM_TOKENS, {Label.TOKEN_TYPE: "cache_read"}),
    counter(contract.LLM_TOKENS, {Label.TOKEN_TYPE: "input"}),
    direction=UP,
    meaning="Share of input tokens that the provider read from its cache.",
    group=Group.COST,
    by=_AGENT,
    board="cost",
    tolerance=0.2,
    diagnosed=False,
)
UNPRICED: Final = per(
    "unpriced",
    "Model calls without a price",
    Unit.RATIO,
    counter(contract.LLM_UNPRICED),
    counter(contract.LLM_CALLS),
    direction=DOWN,
    meaning="Share of model calls whose model is in no price table: their cost is missing from every sum.",
    group=Group.COST,
    by=(Label.ENVIRONMENT, Label.MODEL),
    board="cost",
    tolerance=0.01,
    diagnosed=False,
    objectives=(
        Objective(
            alert="ModelUnpriced",
            target=0,
            window_s=HOUR,
            hold_s=5 * MINUTE,
            severity=Severity.TICKET,
            min_events=1,
        ),
    ),
)

KPIS: Final[tuple[Kpi, ...]] = (TASK_COST, MODEL_COST, REQUEST_TOKENS, CACHE_HITS, UNPRICED)
