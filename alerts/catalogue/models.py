"""KPIs of model calls and of the providers that serve them."""

from typing import Final

from agentobs import contract
from agentobs.contract import ErrorClass, Label
from alerts.catalogue.build import DOWN, UP, mean, share
from alerts.catalogue.model import HOUR, MINUTE, Group, Kpi, Objective, Severity, Unit

_PROVIDER: Final = (Label.ENVIRONMENT, Label.PROVIDER)

MODEL_SUCCESS: Final = share(
    "model_success",
    "Model call success",
    contract.LLM_CALLS,
    {Label.ERROR_CLASS: ErrorClass.NONE},
    UP,
    meaning="Share of model calls that returned without an error.",
    group=Group.MODELS,
    by=_PROVIDER,
    board="agent",
    tolerance=0.03,
    regression=Severity.PAGE,
    objectives=(
        Objective(alert="ProviderFailing", target=0.9, window_s=5 * MINUTE, hold_s=2 * MINUTE, severity=Severity.PAGE),
    ),
)
RATE_LIMITED: Final = share(
    "rate_limited",
    "Model calls refused for their rate",
    contract.LLM_CALLS,
    {Label.ERROR_CLASS: ErrorClass.RATE_LIMITED},
    DOWN,
    meaning="Share of model calls that the provider refused because there were too many.",
    group=Group.MODELS,
    by=_PROVIDER,
    board="agent",
    tolerance=0.03,
    diagnosed=False,
    objectives=(
        Objective(
            alert="ProviderRateLimiting",
            target=0.05,
            window_s=5 * MINUTE,
            hold_s=10 * MINUTE,
            severity=Severity.TICKET,
            min_events=50,
        ),
    ),
)
FALLBACKS: Final = share(
    "fallbacks",
    "Model calls to a fallback",
    contract.LLM_CALLS,
    {Label.IS_FALLBACK: "true"},
    DOWN,
    meaning="Share of model calls that went to another model because the wanted one failed.",
    group=Group.MODELS,
    by=(Label.ENVIRONMENT, Label.AGENT),
    board="agent",
    tolerance=0.1,
    diagnosed=False,
    objectives=(
        Objective(alert="FallbackActive", target=0.2, window_s=HOUR, hold_s=30 * MINUTE, severity=Severity.TICKET),
    ),
)
MODEL_LATENCY: Final = mean(
    "model_latency",
    "Time per model call",
    Unit.SECONDS,
    contract.LLM_DURATION,
    meaning="Seconds of one model call.",
    group=Group.MODELS,
    by=(Label.ENVIRONMENT, Label.MODEL),
    board="agent",
    tolerance=0.3,
    quantiles=(0.5, 0.95),
    objectives=(
        Objective(
            alert="ModelSlow", target=30, window_s=HOUR, hold_s=15 * MINUTE, severity=Severity.TICKET, quantile=0.95
        ),
    ),
)

KPIS: Final[tuple[Kpi, ...]] = (MODEL_SUCCESS, RATE_LIMITED, FALLBACKS, MODEL_LATENCY)
