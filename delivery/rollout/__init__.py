"""Decisions about canaries: from counts of both tracks to hold, advance, pause, end, roll back. Pure but `query`.

`guardrails`: which KPIs guard. `plan`: what is fixed at the start. `query`: reads Prometheus. `evidence`, `state`: what
is known so far. `limits`: how often a machine may act. `decide`: one look. Not here: moving the pointer.
"""

from delivery.rollout.decide import Looked, decide
from delivery.rollout.decision import FINAL, Action, Decision, Finding, Standing
from delivery.rollout.evidence import Reading, Sides, Tick
from delivery.rollout.guardrails import GUARDRAILS, TASKS, Effect, Guardrail
from delivery.rollout.limits import Acted, Ledger
from delivery.rollout.plan import SHARES, Plan, Watched
from delivery.rollout.state import State, begin, from_json, resumed, to_json

__all__ = [
    "FINAL",
    "GUARDRAILS",
    "SHARES",
    "TASKS",
    "Acted",
    "Action",
    "Decision",
    "Effect",
    "Finding",
    "Guardrail",
    "Ledger",
    "Looked",
    "Plan",
    "Reading",
    "Sides",
    "Standing",
    "State",
    "Tick",
    "Watched",
    "begin",
    "decide",
    "from_json",
    "resumed",
    "to_json",
]
