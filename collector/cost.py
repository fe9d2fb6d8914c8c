"""Cost of a model call, from its tokens and the price table, as statements of the normaliser.

An application's own `agentic.cost.usd` wins. A call with tokens and no price is marked, so that it is counted instead
of looking free. Only model calls are priced: agent spans may carry the sum of their children's usage.
"""

from typing import Any, Final

from collector import ottl
from collector.prices import Price, PriceTable
from collector.signals import INFERENCE, Attr

_COST: Final = ottl.attribute("span", Attr.COST)
_OPERATION: Final = ottl.attribute("span", Attr.OPERATION)
_MODEL_CALL: Final = "(" + " or ".join(f'{_OPERATION} == "{name}"' for name in INFERENCE) + ")"
_HAS_TOKENS: Final = " or ".join(
    f"{ottl.attribute('span', key)} != nil" for key in (Attr.INPUT_TOKENS, Attr.OUTPUT_TOKENS)
)
# openai/gpt-4.1, models/gemini-2.5-pro; gpt-4.1-2025-04-14, claude-sonnet-4-5-20250929
_ROUTE: Final = "^.*/"
_RELEASE: Final = "[-@]20[0-9]{2}-?[0-9]{2}-?[0-9]{2}$$"
_PARTS: Final = ("input", "cache_read", "cache_write", "output", "reasoning")


def _cache(name: str) -> str:
    return f'span.cache["{name}"]'


def _tokens() -> list[str]:
    keys = {
        "input": Attr.INPUT_TOKENS,
        "output": Attr.OUTPUT_TOKENS,
        "cache_read": Attr.CACHE_READ_TOKENS,
        "cache_write": Attr.CACHE_WRITE_TOKENS,
        "reasoning": Attr.REASONING_TOKENS,
    }
    found = [
        statement
        for name, key in keys.items()
        for statement in (
            f"set({_cache(name)}, 0.0)",
            f"set({_cache(name)}, Double({ottl.attribute('span', key)})) where {ottl.attribute('span', key)} != nil",
        )
    ]
    rest = (("input", ("cache_read", "cache_write")), ("output", ("reasoning",)))
    for whole, parts in rest:
        found.append(f"set({_cache(whole)}, {_cache(whole)} - {' - '.join(map(_cache, parts))})")
        found.append(f"set({_cache(whole)}, 0.0) where {_cache(whole)} < 0.0")
    return found


def _model() -> list[str]:
    model, request = _cache("model"), ottl.attribute("span", Attr.REQUEST_MODEL)
    response = ottl.attribute("span", Attr.RESPONSE_MODEL)
    return [
        f"set({model}, {response}) where {response} != nil",
        f"set({model}, {request}) where {request} != nil",
        f'replace_pattern({model}, "{_ROUTE}", "")',
        f'replace_pattern({model}, "{_RELEASE}", "")',
    ]


def _price(price: Price) -> str:
    amounts = ", ".join(f"{getattr(price, part):.15f}" for part in _PARTS)
    return f'set({_cache("price")}, [{amounts}]) where {_cache("model")} == "{price.model}"'


def cost_groups(table: PriceTable) -> list[dict[str, Any]]:
    """Statement groups for `transform`: drop an unusable cost, price what has none, mark what has no price."""
    price = _cache("price")
    amount = " + ".join(f"{_cache(part)} * {price}[{position}]" for position, part in enumerate(_PARTS))
    return [
        {
            "conditions": [f"{_COST} != nil"],
            "statements": [
                f'delete_key(span.attributes, "{Attr.COST}") where not (IsDouble({_COST}) or IsInt({_COST}))',
                # NaN is neither above nor below zero.
                f'delete_key(span.attributes, "{Attr.COST}") where not ({_COST} >= 0)',
            ],
        },
        {
            "conditions": [f"{_MODEL_CALL} and {_COST} == nil and ({_HAS_TOKENS})"],
            "statements": [
                *_model(),
                *(_price(entry) for _, entry in sorted(table.prices.items())),
                *_tokens(),
                f"set({_COST}, {amount}) where {price} != nil",
                f"set({ottl.attribute('span', Attr.COST_UNPRICED)}, true) where {price} == nil",
            ],
        },
    ]
