"""Tokens, money and model of an observation, so that Langfuse's sums are those of the KPIs.

Only model calls carry tokens: agents and workflows repeat their children's. One cost value that is no number makes
Langfuse lose every row that is written with it, so anything doubtful leaves. Not here: prices.
"""

from typing import Any, Final

from agentobs.contract import Attr
from agentobs.contract.kinds import OPENINFERENCE_KIND
from collector import ottl
from collector.langfuse.names import CACHE_CREATION_TOKENS, USAGE_COST, Kind, Langfuse
from collector.langfuse.observations import TYPE
from collector.normalise.steps import IS_ERROR, cached, fill, group, present, span

_COUNTS: Final = (
    Attr.INPUT_TOKENS,
    Attr.OUTPUT_TOKENS,
    Attr.CACHE_READ_TOKENS,
    CACHE_CREATION_TOKENS,
    Attr.REASONING_TOKENS,
)
_MOST_TOKENS: Final = 10**12
_MOST_USD: Final = "1000000.0"
_IS_MODEL_CALL: Final = f'({TYPE} == "{Kind.GENERATION}" or {TYPE} == "{Kind.EMBEDDING}")'
# Their cost is the sum of their children's.
_NEVER_BILLED: Final = " or ".join(f'{TYPE} == "{kind}"' for kind in (Kind.AGENT, Kind.CHAIN, Kind.SPAN))
# One literal prefix: this pattern meets every attribute of every span.
_USAGE_KEYS: Final = r"^gen_ai\\.usage\\."
_OPENINFERENCE_USAGE: Final = r"^llm\\.token_count"
_MODEL_CALL_KEYS: Final = (
    Attr.REQUEST_MODEL,
    Attr.RESPONSE_MODEL,
    "model",
    "llm.model_name",
    "llm.response.model",
    Langfuse.MODEL,
    Langfuse.USAGE_DETAILS,
)
_ENTRY: Final = r"\\s*\"[^\"]+\"\\s*:\\s*{}\\s*"
_COUNT: Final = "[0-9]{1,12}"
_MONEY: Final = r"[0-9]{1,9}(?:\\.[0-9]{1,18})?(?:[eE]-?[0-9]{1,2})?"
# Names by which model families are known. Any other response model is an alias, which has no price in Langfuse.
_FAMILIES: Final = (
    r"(?i)(?:^|[/.:])(?:gpt-|chatgpt-|o[1-9](?:-|$)|text-embedding|claude-|gemini-|gemma|mi[sx]tral|codestral|llama"
    r"|command|deepseek|qwen|grok|nova-|titan|phi-)"
)


def _flat_object(value: str) -> str:
    entry = _ENTRY.format(value)
    return rf"^\\{{{entry}(?:,{entry})*\\}}$"


def _delete(key: str, where: str) -> str:
    return f'delete_key(span.attributes, "{key}") where {where}'


def _not_a_model_call() -> dict[str, Any]:
    return group(
        *(f'delete_key(span.attributes, "{key}")' for key in _MODEL_CALL_KEYS),
        f'delete_matching_keys(span.attributes, "{_USAGE_KEYS}")',
        _delete(Langfuse.COST_DETAILS, _NEVER_BILLED),
        when=f"not {_IS_MODEL_CALL}",
    )


def _other_vocabulary() -> dict[str, Any]:
    """The normaliser copied these counts; Langfuse would add the originals to the copies."""
    return group(f'delete_matching_keys(span.attributes, "{_OPENINFERENCE_USAGE}")', when=present(OPENINFERENCE_KIND))


def _tokens() -> dict[str, Any]:
    """Langfuse counts every `gen_ai.usage.*` it does not know as tokens of a further kind."""
    keep = []
    for key in _COUNTS:
        count = cached(key)
        keep.append(f"set({span(key)}, {count}) where {count} >= 0 and {count} < {_MOST_TOKENS}")
    total, read, written = cached(Attr.INPUT_TOKENS), cached(Attr.CACHE_READ_TOKENS), cached(CACHE_CREATION_TOKENS)
    parts = cached("parts")
    return group(
        *fill(CACHE_CREATION_TOKENS, span(Attr.CACHE_WRITE_TOKENS)),
        *(f"set({cached(key)}, Int({span(key)})) where {present(key)}" for key in _COUNTS),
        # Parts larger than the whole: this provider counts cached input apart from input.
        f"set({parts}, {read}) where {read} > 0",
        f"set({parts}, {written}) where {written} > 0 and {parts} == nil",
        f"set({parts}, {read} + {written}) where {read} > 0 and {written} > 0",
        f"set({total}, {total} + {parts}) where {total} < {parts}",
        f"set({cached(USAGE_COST)}, {span(USAGE_COST)}) where {present(USAGE_COST)}",
        f'delete_matching_keys(span.attributes, "{_USAGE_KEYS}")',
        *keep,
        ottl.copy(span(USAGE_COST), cached(USAGE_COST)),
        when=_IS_MODEL_CALL,
    )


def _details() -> dict[str, Any]:
    """What the Langfuse SDK sends itself: flat JSON objects of numbers, with a total beside any third cost."""
    usage, cost = span(Langfuse.USAGE_DETAILS), span(Langfuse.COST_DETAILS)
    statements = [
        f"set({usage}, String({usage})) where IsMap({usage})",
        f"set({cost}, String({cost})) where IsMap({cost})",
        _delete(Langfuse.USAGE_DETAILS, f'{usage} != nil and not IsMatch({usage}, "{_flat_object(_COUNT)}")'),
        _delete(Langfuse.COST_DETAILS, f'{cost} != nil and not IsMatch({cost}, "{_flat_object(_MONEY)}")'),
        f"set({cached('cost')}, ParseJSON({cost})) where IsString({cost})",
        _delete(
            Langfuse.COST_DETAILS, f'{cost} != nil and {cached("cost")}["total"] == nil and Len({cached("cost")}) > 2'
        ),
    ]
    return group(*statements, when=(present(Langfuse.USAGE_DETAILS), present(Langfuse.COST_DETAILS)), quiet=True)


def _is_money(value: str) -> str:
    """Condition: a finite amount. Comparisons with NaN are false."""
    return f"{value} >= 0.0 and {value} < {_MOST_USD}"


def _cost() -> list[dict[str, Any]]:
    details, cost = span(Langfuse.COST_DETAILS), span(USAGE_COST)
    amount = cached("amount")

    def number(target: str, key: str) -> str:
        source = span(key)
        return f"set({target}, Double({source})) where {target} == nil and {source} != nil and not IsBool({source})"

    unpriced = f"{cost} == nil and {details} == nil"
    failed = f"({IS_ERROR} or {span(Attr.ERROR_TYPE)} != nil)"
    no_usage = f"{span(Attr.INPUT_TOKENS)} == nil and {span(Attr.OUTPUT_TOKENS)} == nil"
    return [
        group(
            number(amount, Attr.COST),
            number(amount, USAGE_COST),
            _delete(USAGE_COST, f"{cost} != nil"),
            f"set({cost}, {amount}) where {details} == nil and {_is_money(amount)}",
            when=(
                f"{present(Attr.COST)} and not ({_NEVER_BILLED})",
                f"{cost} != nil",
            ),
            quiet=True,
        ),
        # Langfuse would tokenise the input of a failed call itself and book the result.
        group(
            f"set({cost}, 0.0) where {unpriced} and {no_usage} and {details} == nil",
            when=f"{_IS_MODEL_CALL} and {failed}",
        ),
    ]


def _model() -> list[dict[str, Any]]:
    request, response, bare = span(Attr.REQUEST_MODEL), span(Attr.RESPONSE_MODEL), span("model")
    start = span(Langfuse.COMPLETION_START)
    wait = f'Duration(Concat([String({span(Attr.FIRST_CHUNK)}), "s"], ""))'
    return [
        group(
            *fill(Attr.REQUEST_MODEL, bare),
            'delete_key(span.attributes, "model")',
            when=f"{_IS_MODEL_CALL} and {bare} != nil",
        ),
        group(
            f'set({span(Langfuse.MODEL)}, {request}) where not IsMatch({response}, "{_FAMILIES}")',
            when=f"{_IS_MODEL_CALL} and {response} != nil and {request} != nil and {response} != {request}"
            f" and {span(Langfuse.MODEL)} == nil",
        ),
        group(
            f'set({start}, FormatTime(span.start_time + {wait}, "%Y-%m-%dT%H:%M:%S.%LZ")) where {start} == nil',
            when=present(Attr.FIRST_CHUNK),
            quiet=True,
        ),
    ]


def groups() -> list[dict[str, Any]]:
    """Statement groups of usage, cost and model; they run when the type is known and metadata has the model."""
    return [_not_a_model_call(), _other_vocabulary(), _details(), _tokens(), *_cost(), *_model()]
