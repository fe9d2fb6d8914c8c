"""Langfuse SDK: `langfuse.observation.type` says what a span is; usage is a JSON string.

Not here: what Langfuse itself is sent.
"""

from typing import Any, Final

from agentobs.contract import Attr, Operation
from agentobs.contract.kinds import KINDS, LANGFUSE_TYPE
from collector import ottl
from collector.normalise import steps
from collector.normalise.steps import IS_ROOT, NAME, NO_OPERATION, cached, span

_O: Final = "langfuse.observation"
# Keys of `usage_details`, most telling first. Providers' names are free text to Langfuse: what an answer of OpenAI or
# Anthropic says is passed on as it is.
_PARTS: Final = {
    Attr.CACHE_READ_TOKENS: (
        cached("input_cached_tokens"),
        cached("cache_read_input_tokens"),
        cached("input_cache_read"),
        cached("prompt_tokens_details") + '["cached_tokens"]',
        cached("input_tokens_details") + '["cached_tokens"]',
    ),
    Attr.CACHE_WRITE_TOKENS: (cached("cache_creation_input_tokens"), cached("input_cache_creation")),
    Attr.REASONING_TOKENS: (
        cached("output_reasoning_tokens"),
        cached("reasoning_tokens"),
        cached("completion_tokens_details") + '["reasoning_tokens"]',
        cached("output_tokens_details") + '["reasoning_tokens"]',
    ),
}
_TOTALS: Final = {
    Attr.INPUT_TOKENS: ("input", "prompt_tokens", "input_tokens"),
    Attr.OUTPUT_TOKENS: ("output", "completion_tokens", "output_tokens"),
}
# Beside these keys Langfuse, and the API of Anthropic, keep parts that the conventions count in the total.
_DISJOINT: Final = (
    (
        Attr.INPUT_TOKENS,
        Attr.CACHE_READ_TOKENS,
        ("input", "input_tokens"),
        ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read"),
    ),
    (
        Attr.INPUT_TOKENS,
        Attr.CACHE_WRITE_TOKENS,
        ("input", "input_tokens"),
        ("cache_creation_input_tokens", "input_cache_creation"),
    ),
    (Attr.OUTPUT_TOKENS, Attr.REASONING_TOKENS, ("output",), ("output_reasoning_tokens", "reasoning_tokens")),
)
_OURS: Final = "summed"


def _is(kind: str) -> str:
    return f'{span(LANGFUSE_TYPE)} == "{kind}"'


def _number(target: str, source: str, where: str = "") -> str:
    return f"set({target}, Int({source})) where {ottl.all_of(f'{target} == nil', f'IsDouble({source})', where)}"


def _stated(keys: tuple[str, ...]) -> str:
    return f"({' or '.join(f'IsDouble({cached(key)})' for key in keys)})"


def _usage() -> list[str]:
    parts = [_number(span(target), source) for target, sources in _PARTS.items() for source in sources]
    # A total that came under the conventions' own name is one already.
    open_totals = [f"set({cached(f'{_OURS}.{total}')}, true) where {span(total)} == nil" for total in _TOTALS]
    totals = [_number(span(target), cached(key)) for target, keys in _TOTALS.items() for key in keys]
    sums = [
        f"set({span(total)}, {span(total)} + {span(part)}) where {span(total)} != nil and {span(part)} != nil"
        f" and {cached(f'{_OURS}.{total}')} == true and {_stated(wholes)} and {_stated(names)}"
        for total, part, wholes, names in _DISJOINT
    ]
    return [steps.merge_json(span(f"{_O}.usage_details")), *parts, *open_totals, *totals, *sums]


def _cost() -> str:
    details, stated = span(f"{_O}.cost_details"), span(Attr.COST_STATED)
    return f'set({stated}, ParseJSON({details})["total"]) where {stated} == nil and IsString({details})'


def groups() -> list[dict[str, Any]]:
    """Statement groups of this dialect."""
    failed = f'{span(f"{_O}.level")} == "ERROR" and {span(Attr.ERROR_TYPE)} == nil and not {steps.IS_ERROR}'
    message = span(f"{_O}.status_message")
    is_root = f"({_is('span')} or {_is('chain')}) and {NO_OPERATION} and {IS_ROOT}"
    return [
        steps.group(
            *(
                steps.become(operation, f"{_is(kind)} and {NO_OPERATION}")
                for kind, operation in KINDS[LANGFUSE_TYPE].items()
            ),
            steps.become(Operation.INVOKE_WORKFLOW, is_root),
            *steps.fill(Attr.REQUEST_MODEL, span(f"{_O}.model.name")),
            *steps.fill(Attr.AGENT_NAME, NAME, where=_is("agent")),
            *steps.fill(Attr.TOOL_NAME, NAME, where=_is("tool")),
            *steps.fill(Attr.PROMPT_NAME, span(f"{_O}.prompt.name")),
            *steps.fill(Attr.PROMPT_VERSION, span(f"{_O}.prompt.version"), as_string=True),
            *steps.fill(Attr.CONVERSATION_ID, span("session.id"), span("langfuse.session.id")),
            *_usage(),
            _cost(),
            f"set(span.status.message, {message}) where {failed} and IsString({message})",
            f"set(span.status.code, STATUS_CODE_ERROR) where {failed}",
            when=steps.present(LANGFUSE_TYPE),
            quiet=True,
        )
    ]
