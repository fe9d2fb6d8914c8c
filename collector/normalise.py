"""Normaliser: one vocabulary for names, error classes and prices before anything is counted or stored.

Runs first in every pipeline. What it maps: renamed GenAI keys, `error.type` to `error_class`, usage to cost.
"""

from typing import Any, Final

from collector import ottl
from collector.prices import PRICES, Price
from collector.signals import INFERENCE, Attr, ErrorClass, Label

_TOKENS_PER_PRICE: Final = 1_000_000

# Order matters: the first class that matches wins. Spellings seen in the wild: telemetry contract P16.
_ERROR_CLASSES: Final[tuple[tuple[ErrorClass, str], ...]] = (
    (ErrorClass.TIMEOUT, r"(?i)(timeout|timed.?out|deadline|^504$|^408$|^-32001$)"),
    (ErrorClass.RATE_LIMITED, r"(?i)(rate.?limit|too.?many.?requests|quota|overloaded|^429$|^529$)"),
    (ErrorClass.CANCELLED, r"(?i)(cancel|abort)"),
    (ErrorClass.INVALID_INPUT, r"(?i)(invalid|validation|valueerror|bad.?request|^400$|^422$|^-32602$|^-32600$)"),
    (ErrorClass.TOOL_ERROR, r"(?i)tool.?(error|exception|execution)"),
)
_RENAMED: Final = (
    ("gen_ai.system", Attr.PROVIDER),
    ("gen_ai.usage.prompt_tokens", Attr.INPUT_TOKENS),
    ("gen_ai.usage.completion_tokens", Attr.OUTPUT_TOKENS),
    ("deployment.environment", Attr.ENVIRONMENT),
)


def _span(key: str) -> str:
    return ottl.attribute("span", key)


def _renamed() -> list[str]:
    statements = []
    for old, new in _RENAMED:
        scope = "resource" if new is Attr.ENVIRONMENT else "span"
        target = ottl.attribute(scope, new)
        statements.append(ottl.copy(target, ottl.attribute(scope, old), condition=f"{target} == nil"))
    return statements


def _error_class() -> list[str]:
    target, error_type = _span(Label.ERROR_CLASS), _span(Attr.ERROR_TYPE)
    unset = f"{target} == nil"
    healthy = f"{error_type} == nil and span.status.code != STATUS_CODE_ERROR"
    matches = [
        ottl.constant(target, name, f'{unset} and IsMatch({error_type}, "{pattern}")')
        for name, pattern in _ERROR_CLASSES
    ]
    return [ottl.constant(target, ErrorClass.NONE, healthy), *matches, ottl.constant(target, ErrorClass.OTHER, unset)]


def _cost(model: str, price: Price) -> str:
    """Cost on inference spans only: agent spans may carry the sum of their children's usage."""
    tokens_in, tokens_out = _span(Attr.INPUT_TOKENS), _span(Attr.OUTPUT_TOKENS)
    amount = (
        f"Double({tokens_in}) * {price.input_usd_per_mtok / _TOKENS_PER_PRICE:.12f}"
        f" + Double({tokens_out}) * {price.output_usd_per_mtok / _TOKENS_PER_PRICE:.12f}"
    )
    where = ottl.all_of(
        f"{_span(Attr.COST)} == nil",
        f'{_span(Attr.REQUEST_MODEL)} == "{model}"',
        f"{tokens_in} != nil and {tokens_out} != nil",
        ottl.equals_any(_span(Attr.OPERATION), INFERENCE),
    )
    return f"set({_span(Attr.COST)}, {amount}) where {where}"


def _prompt_hash() -> str:
    instructions, target = _span(Attr.SYSTEM_INSTRUCTIONS), _span(Attr.PROMPT_HASH)
    return f"set({target}, SHA256({instructions})) where {target} == nil and IsString({instructions})"


def processor() -> dict[str, Any]:
    """Configuration of the `transform/normalise` processor."""
    name = 'log.attributes["event.name"]'
    return {
        "error_mode": "ignore",
        "trace_statements": [
            *_renamed(),
            _prompt_hash(),
            *(_cost(model, price) for model, price in sorted(PRICES.items())),
            *_error_class(),
        ],
        "log_statements": [
            f'set(log.event_name, {name}) where log.event_name == "" and IsString({name})',
            # Loki does not store the OTLP event name, so it is kept as an attribute too.
            'set(log.attributes["event_name"], log.event_name) where log.event_name != ""',
        ],
    }
