"""Prices of models: the dated table that turns tokens into US dollars, read strictly, with an operator's own on top.

The collector renders its cost statements from it (`cost.py`), so an application never prices its own model calls.
Not here: budgets and ceilings (`alerts`).
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agentobs.errors import AgentobsError

BUILT_IN: Final = Path(__file__).with_name("prices.yaml")
_TOKENS_PER_UNIT: Final = 1_000_000
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PriceError(AgentobsError, ValueError):
    """A price table that cannot be used; the message names the file, the entry, what was expected and the fix."""


class _Entry(BaseModel):
    """One line of a table: prices per million tokens in `currency`, from `valid_from` on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str
    models: list[str] = Field(min_length=1)
    valid_from: dt.date
    input: _Amount
    output: _Amount
    cache_read: _Amount | None = None
    cache_write: _Amount | None = None
    reasoning: _Amount | None = None
    currency: str = "USD"
    free: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _zero_is_meant(self) -> "_Entry":
        if (self.input == 0 or self.output == 0) and not self.free:
            raise ValueError("a price of zero; expected more than 0, or `free: true` where it is meant")
        return self


class _Document(BaseModel):
    """A price file. `rates` gives US dollars per unit of every other currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prices: list[_Entry]
    rates: dict[str, _Rate] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Price of one model, in US dollars per token."""

    provider: str
    model: str
    input: float
    output: float
    cache_read: float
    cache_write: float
    reasoning: float


@dataclass(frozen=True, slots=True)
class PriceTable:
    """What every model costs, by the model's name without provider prefix and release date."""

    prices: Mapping[str, Price] = field(default_factory=dict)

    def cost_usd(  # noqa: PLR0913 the token kinds that are priced apart
        self, model: str, input_tokens: int, output_tokens: int, *, cache_read: int = 0, cache_write: int = 0,
        reasoning: int = 0,
    ) -> float | None:  # fmt: skip
        """Return the price of one model call in US dollars, or None for a model without a price.

        Input includes the cached tokens and output the reasoning tokens; what a faulty client reports beyond the
        total is not charged twice.
        """
        price = self.prices.get(model)
        if price is None:
            return None
        plain, spoken = max(input_tokens - cache_read - cache_write, 0), max(output_tokens - reasoning, 0)
        return (
            plain * price.input
            + cache_read * price.cache_read
            + cache_write * price.cache_write
            + spoken * price.output
            + reasoning * price.reasoning
        )


def load(overrides: Path | None = None, on: dt.date | None = None) -> PriceTable:
    """Read the built-in table and, on top, an operator's file of the same form.

    A price counts from its `valid_from`; the newest that is not after `on` applies. Without `on` all dates count, so
    that a rendered file does not change with the calendar. Raises PriceError.
    """
    prices: dict[str, Price] = {}
    for path in (BUILT_IN, *([overrides] if overrides else [])):
        prices |= _read(path, on)
    return PriceTable(prices)


def _read(path: Path, on: dt.date | None) -> dict[str, Price]:
    document = _parse(path)
    dated: dict[str, tuple[dt.date, Price]] = {}
    seen = Counter((model, entry.valid_from) for entry in document.prices for model in entry.models)
    for (model, day), count in seen.items():
        if count > 1:
            raise PriceError(f"{path}: {model} has {count} prices from {day}; fix: keep one of them")
    for entry in document.prices:
        if on is not None and entry.valid_from > on:
            continue
        for model in entry.models:
            if model not in dated or entry.valid_from > dated[model][0]:
                dated[model] = entry.valid_from, _price(path, entry, model, document.rates)
    return {model: price for model, (_, price) in dated.items()}


def _price(path: Path, entry: _Entry, model: str, rates: Mapping[str, float]) -> Price:
    rates = {"USD": 1.0, **rates}
    if entry.currency not in rates:
        raise PriceError(
            f"{path}: {model} is priced in {entry.currency} and `rates` has no {entry.currency};"
            f" fix: add the dollars per {entry.currency}, for example rates: {{{entry.currency}: 1.1}}"
        )
    unit = rates[entry.currency] / _TOKENS_PER_UNIT

    def per_token(amount: float | None, otherwise: float) -> float:
        return (otherwise if amount is None else amount) * unit

    return Price(
        provider=entry.provider,
        model=model,
        input=entry.input * unit,
        output=entry.output * unit,
        cache_read=per_token(entry.cache_read, entry.input),
        cache_write=per_token(entry.cache_write, entry.input),
        reasoning=per_token(entry.reasoning, entry.output),
    )


def _parse(path: Path) -> _Document:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PriceError(f"{path}: cannot be read as YAML: {error}") from None
    try:
        return _Document.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise PriceError(f"{path}: {_place(first['loc'], raw)}{first['msg'].removeprefix('Value error, ')}") from None


def _place(where: tuple[int | str, ...], raw: Any) -> str:  # noqa: ANN401 a YAML document
    """`prices[3] (gpt-4.1) input: `: the number for the program, the name for the person."""
    if len(where) > 1 and where[0] == "prices" and isinstance(where[1], int):
        entry = raw["prices"][where[1]]
        named = ", ".join(map(str, entry.get("models") or [])) if isinstance(entry, dict) else ""
        rest = "".join(f" {part}" for part in where[2:])
        return f"prices[{where[1]}] ({named}){rest}: "
    return f"{'.'.join(map(str, where))}: " if where else ""
