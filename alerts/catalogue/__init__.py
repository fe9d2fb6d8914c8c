"""The KPI catalogue: every KPI once, with its meaning, direction, counters and what it promises.

A KPI is one entry in the file of its family; recording rules, alerts, boards and runbooks follow from it.
Not here: PromQL (`alerts.promql`), names of series (`agentobs.contract`), alerts about no KPI (`alerts.alerting`).
"""

from collections import Counter
from typing import Final

from alerts.catalogue import agents, cost, models, quality, safety, tasks, tools
from alerts.catalogue.agents import AGENT_LATENCY, AGENT_RETRIES, AGENT_SUCCESS
from alerts.catalogue.cost import CACHE_HITS, MODEL_COST, REQUEST_TOKENS, TASK_COST, UNPRICED
from alerts.catalogue.dimensions import DIMENSIONS
from alerts.catalogue.model import (
    CatalogueError,
    Dimension,
    Direction,
    Group,
    Kpi,
    Objective,
    Owner,
    Selector,
    Severity,
    Slo,
    Unit,
    activity,
    counter,
)
from alerts.catalogue.models import FALLBACKS, MODEL_LATENCY, MODEL_SUCCESS, RATE_LIMITED
from alerts.catalogue.quality import EVALUATION_PASS, HALLUCINATION, HUMAN_SCORE, JUDGE_SCORE
from alerts.catalogue.safety import POLICY_VIOLATIONS, VIOLATIONS_PASSED
from alerts.catalogue.statistics import (
    BLIND,
    CONFIDENCE,
    DRIFT,
    FALSE_ALARMS,
    FAMILY_LEVEL,
    HALVES,
    LIKELY,
    LOOK_LEVEL,
    MIN_BAD,
    MIN_EVENTS,
    POSSIBLE,
    POWER,
    PROBABLE,
    RESTLESS,
    SUGGESTIVE_P,
    TAIL,
    VERSION_LEVEL,
)
from alerts.catalogue.tasks import AGENT_RUNS_PER_TASK, PLAN_COMPLETION, TASK_LATENCY, TASK_SUCCESS, TASK_TIMEOUTS
from alerts.catalogue.tools import (
    AGENT_TOOL_SUCCESS,
    MCP_SERVER_SUCCESS,
    TOOL_LATENCY,
    TOOL_RETRIES,
    TOOL_SUCCESS,
    TOOL_TIMEOUTS,
)

CATALOGUE: Final[tuple[Kpi, ...]] = (
    *tasks.KPIS,
    *agents.KPIS,
    *tools.KPIS,
    *models.KPIS,
    *quality.KPIS,
    *safety.KPIS,
    *cost.KPIS,
)
_twice = [key for key, count in Counter(kpi.key for kpi in CATALOGUE).items() if count > 1]
if _twice:
    raise CatalogueError(f"keys used twice: {', '.join(_twice)}")

DIAGNOSED: Final = tuple(kpi for kpi in CATALOGUE if kpi.diagnosed)

__all__ = [
    "AGENT_LATENCY",
    "AGENT_RETRIES",
    "AGENT_RUNS_PER_TASK",
    "AGENT_SUCCESS",
    "AGENT_TOOL_SUCCESS",
    "BLIND",
    "CACHE_HITS",
    "CATALOGUE",
    "CONFIDENCE",
    "DIAGNOSED",
    "DIMENSIONS",
    "DRIFT",
    "EVALUATION_PASS",
    "FALLBACKS",
    "FALSE_ALARMS",
    "FAMILY_LEVEL",
    "HALLUCINATION",
    "HALVES",
    "HUMAN_SCORE",
    "JUDGE_SCORE",
    "LIKELY",
    "LOOK_LEVEL",
    "MCP_SERVER_SUCCESS",
    "MIN_BAD",
    "MIN_EVENTS",
    "MODEL_COST",
    "MODEL_LATENCY",
    "MODEL_SUCCESS",
    "PLAN_COMPLETION",
    "POLICY_VIOLATIONS",
    "POSSIBLE",
    "POWER",
    "PROBABLE",
    "RATE_LIMITED",
    "REQUEST_TOKENS",
    "RESTLESS",
    "SUGGESTIVE_P",
    "TAIL",
    "TASK_COST",
    "TASK_LATENCY",
    "TASK_SUCCESS",
    "TASK_TIMEOUTS",
    "TOOL_LATENCY",
    "TOOL_RETRIES",
    "TOOL_SUCCESS",
    "TOOL_TIMEOUTS",
    "UNPRICED",
    "VERSION_LEVEL",
    "VIOLATIONS_PASSED",
    "CatalogueError",
    "Dimension",
    "Direction",
    "Group",
    "Kpi",
    "Objective",
    "Owner",
    "Selector",
    "Severity",
    "Slo",
    "Unit",
    "activity",
    "counter",
]
