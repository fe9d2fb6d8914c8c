"""The requests that customers send: drawn from (seed, number), so that a run can be repeated.

Not here: what agents make of a request (`brains`).
"""

import random
from dataclasses import dataclass
from typing import Final

from demo.scenarios import Conditions
from demo.system import KNOWN_TYPES, UNKNOWN_TYPES, TaskType

_TEXTS: Final = {
    TaskType.ORDER_STATUS: "Where is my order {order}? It should have arrived by now.",
    TaskType.REFUND: "Order {order} came damaged. I want my money back.",
    TaskType.HOW_TO: "How do I reset my password and download the invoice?",
    TaskType.WARRANTY_CLAIM: "The hinge of order {order} broke after a year. Does the warranty cover it?",
    TaskType.BULK_ORDER: "We want 400 pieces of what we got with {order}. What is the price?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One customer request. `number` is its place in the run, `context_tokens` the size of what comes with it."""

    number: int
    type: TaskType
    order: str
    text: str
    context_tokens: int


def draws(seed: int, number: int, *place: object) -> random.Random:
    """Return the random numbers of one decision: the same for the same seed, task and place, in any order."""
    return random.Random(f"{seed}/{number}/{place}")  # noqa: S311 a repeatable sequence, not a secret


def request(seed: int, number: int, conditions: Conditions) -> Request:
    """Return the request that comes as the `number`-th."""
    random_numbers = draws(seed, number, "request")
    unknown = random_numbers.random() < conditions.unknown_type_rate
    kind = random_numbers.choice(UNKNOWN_TYPES if unknown else KNOWN_TYPES)
    order = f"A{random_numbers.randrange(10_000, 99_999)}"
    tokens = round(random_numbers.lognormvariate(6.2, 0.35) * conditions.context_factor)
    return Request(number=number, type=kind, order=order, text=_TEXTS[kind].format(order=order), context_tokens=tokens)
