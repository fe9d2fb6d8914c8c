"""Prices of models: the table that turns tokens into US dollars.

The collector pipeline renders its cost statements from this table, so an application never prices its own model calls.
The three `sim-*` models belong to the demo and their prices are invented. Not here: budgets and ceilings (`alerts`).
"""

from dataclasses import dataclass
from typing import Final

_TOKENS_PER_UNIT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """List price of one model, in US dollars per million tokens. Cached input is not discounted."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float


PRICES: Final[dict[str, Price]] = {
    "sim-small-1": Price(input_usd_per_mtok=0.25, output_usd_per_mtok=1.0),
    "sim-large-1": Price(input_usd_per_mtok=2.5, output_usd_per_mtok=10.0),
    "sim-xl-2": Price(input_usd_per_mtok=15.0, output_usd_per_mtok=60.0),
}


def cost_usd(model: str, input_tokens: int, output_tokens: int) -> float | None:
    """Return the price of one model call in US dollars, or None for a model without a known price."""
    price = PRICES.get(model)
    if price is None:
        return None
    dollars = input_tokens * price.input_usd_per_mtok + output_tokens * price.output_usd_per_mtok
    return dollars / _TOKENS_PER_UNIT


class PriceTable:
    """Placeholder."""


def load(overrides: object = None, on: object = None) -> PriceTable:
    return PriceTable()
