"""Cost of a model call, from its tokens and the price table, as statements of the normaliser.

An application's own `agentic.cost.usd` wins. Then the price table, or what the instrumentation or gateway states,
whichever is the authority; where that one knows nothing the other counts, and where both know they are compared. A call
with tokens and no price is marked, so that it is counted instead of looking free. Only model calls are priced: agent
spans may carry the sum of their children's usage.
"""

import json
from enum import StrEnum
from typing import Any, Final

from agentobs.contract import INFERENCE, Attr
from collector import ottl
from collector.normalise.usage import CACHE_ABOVE_INPUT, LARGEST, REASONING_ABOVE_OUTPUT
from collector.prices import Price, PriceTable


class Authority(StrEnum):
    """Whose cost counts where both the price table and the sender know one."""

    TABLE = "table"
    SENDER = "sender"


# Where OpenLIT and Laminar state the cost of a call in US dollars (report); what others call it: the normaliser.
_STATED_IN: Final = "gen_ai.usage.cost"
_LITELLM_COST: Final = "gen_ai.cost.total_cost"
_LITELLM: Final = 'instrumentation_scope.name == "litellm"'
_TOLERANCE: Final = 0.02
_STATED: Final = ottl.attribute("span", Attr.COST_STATED)
_COST: Final = ottl.attribute("span", Attr.COST)
_OPERATION: Final = ottl.attribute("span", Attr.OPERATION)
_MODEL_CALL: Final = "(" + " or ".join(f'{_OPERATION} == "{name}"' for name in INFERENCE) + ")"
_HAS_TOKENS: Final = " or ".join(
    f"{ottl.attribute('span', key)} != nil" for key in (Attr.INPUT_TOKENS, Attr.OUTPUT_TOKENS)
)
# openai/gpt-4.1, models/gemini-2.5-pro; gpt-4.1-2025-04-14, claude-sonnet-4-5-20250929
_ROUTE: Final = "^.*/"
_RELEASE: Final = "[-@]20[0-9]{2}-?[0-9]{2}-?[0-9]{2}$$"
_PRICED: Final = (
    Attr.INPUT_TOKENS,
    Attr.OUTPUT_TOKENS,
    Attr.CACHE_READ_TOKENS,
    Attr.CACHE_WRITE_TOKENS,
    Attr.REASONING_TOKENS,
)
# Around a model's name in the table; no name holds them.
_START: Final = "|"
_END: Final = "="
_FREE: Final = Price(provider="", model="", input=0, output=0, cache_read=0, cache_write=0, reasoning=0)


def _cache(name: str) -> str:
    return f'span.cache["{name}"]'


def _span(key: str) -> str:
    return ottl.attribute("span", key)


def _model() -> list[str]:
    model = _cache("model")
    return [
        f"set({model}, Coalesce([{_span(Attr.REQUEST_MODEL)}, {_span(Attr.RESPONSE_MODEL)}]))",
        f'replace_pattern({model}, "{_ROUTE}", "") where IsString({model}) and Index({model}, "/") >= 0',
        f'replace_pattern({model}, "{_RELEASE}", "") where IsString({model}) and Index({model}, "20") > 0',
    ]


def _rows(table: PriceTable) -> str:
    """The price table as one text: finding a row in it costs one search, however many models there are.

    A row is the name and five numbers of equal width: input, output, and what a token more of the cache read, the cache
    written and the reasoning costs than one of its whole.
    """
    return _START + "".join(f"{name}{_END}{_numbers(price)}{_START}" for name, price in sorted(table.prices.items()))


def _numbers(price: Price) -> str:
    read, written = price.cache_read - price.input, price.cache_write - price.input
    columns = (price.input, price.output, read, written, price.reasoning - price.output)
    return ",".join(f"{amount:+.15f}" for amount in columns)


def _price(table: PriceTable) -> list[str]:
    model, place, rows = _cache("model"), _cache("place"), json.dumps(_rows(table), ensure_ascii=False)
    numbers = f"Substring({rows}, {place} + Len({model}) + {len(_START + _END)}, {len(_numbers(_FREE))})"
    return [
        f'set({place}, Index({rows}, Concat(["{_START}", {model}, "{_END}"], ""))) where IsString({model})',
        f'set({_cache("price")}, Split({numbers}, ",")) where {place} >= 0',
    ]


def _amount() -> list[str]:
    """What the table says: the whole, then what its parts cost more or less."""
    ours = _cache("ours")
    made, thought, read, written, reasoned = (f"Coalesce([{_span(key)}, 0])" for key in _PRICED)
    whole = " + ".join(
        f"Double({tokens}) * {_column(position)}"
        for position, tokens in enumerate((made, thought, read, written, reasoned))
    )
    # A part that is larger than its whole: the whole has nothing besides.
    excess = (
        (CACHE_ABOVE_INPUT, f"{read} + {written} - {made}", _column(0)),
        (REASONING_ABOVE_OUTPUT, f"{reasoned} - {thought}", _column(1)),
    )
    return [
        f"set({ours}, {whole}) where {_cache('price')} != nil and ({_HAS_TOKENS})",
        *(
            f"set({ours}, {ours} + Double({tokens}) * {price})"
            f' where {_span(Attr.USAGE_DOUBTFUL)} == "{why}" and {ours} != nil'
            for why, tokens, price in excess
        ),
    ]


def _column(position: int) -> str:
    return f"Double({_cache('price')}[{position}])"


def _stated() -> dict[str, Any]:
    """What the sender states, under one name, and an application's own cost, where they are usable.

    A stated zero states nothing: gateways write it where they know no price.
    """
    text = f'(IsString({_STATED}) and IsMatch({_STATED}, "^[0-9.eE+-]+$"))'
    usable = f"{_STATED} > 0 and {_STATED} <= {LARGEST}"
    there = " or ".join(f"{ottl.attribute('span', key)} != nil" for key in (_STATED_IN, Attr.COST_STATED))
    return {
        "conditions": [f"{_COST} != nil", f"({there} or {_LITELLM}) and {_MODEL_CALL}"],
        "statements": [
            ottl.copy(_STATED, _span(_STATED_IN), condition=f"{_STATED} == nil"),
            ottl.copy(_STATED, _span(_LITELLM_COST), condition=f"{_STATED} == nil and {_LITELLM}"),
            f"set({_STATED}, Double({_STATED})) where IsInt({_STATED}) or {text}",
            f'delete_key(span.attributes, "{Attr.COST_STATED}") where {_STATED} != nil and not ({usable})',
            f'delete_key(span.attributes, "{Attr.COST}") where not (IsDouble({_COST}) or IsInt({_COST}))',
            # NaN is neither above nor below zero.
            f'delete_key(span.attributes, "{Attr.COST}") where not ({_COST} >= 0)',
        ],
    }


def cost_groups(table: PriceTable, authority: Authority = Authority.TABLE) -> list[dict[str, Any]]:
    """Statement groups for `transform`: drop an unusable cost, price what has none, mark what has no price."""
    ours = _cache("ours")
    preferred, other = (ours, _STATED) if authority is Authority.TABLE else (_STATED, ours)
    differs = ottl.attribute("span", Attr.COST_DIFFERS)
    apart = f"({ours} > {_STATED} * {1 + _TOLERANCE} or {ours} < {_STATED} * {1 - _TOLERANCE})"
    return [
        _stated(),
        {
            "conditions": [f"{_MODEL_CALL} and {_COST} == nil and ({_HAS_TOKENS} or {_STATED} != nil)"],
            "statements": [
                *_model(),
                *_price(table),
                *_amount(),
                f"set({_COST}, Coalesce([{preferred}, {other}])) where {preferred} != nil or {other} != nil",
                f"set({differs}, true) where {_STATED} != nil and {ours} != nil and {apart}",
                f"set({ottl.attribute('span', Attr.COST_UNPRICED)}, true) where {_COST} == nil and ({_HAS_TOKENS})",
            ],
        },
    ]
