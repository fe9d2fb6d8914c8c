"""Langfuse SDK: `langfuse.observation.type` says what a span is; usage is a JSON string.

Not here: what Langfuse itself is sent.
"""

from typing import Any, Final

from collector.normalise import steps
from collector.normalise.steps import EMBEDDINGS, IS_ROOT, NAME, NO_OPERATION, RETRIEVAL, cached, span
from collector.signals import Attr, Operation

_O: Final = "langfuse.observation"
_TYPE: Final = f"{_O}.type"
_OPERATIONS: Final = {
    "generation": Operation.CHAT,
    "agent": Operation.INVOKE_AGENT,
    "tool": Operation.EXECUTE_TOOL,
    "embedding": EMBEDDINGS,
    "retriever": RETRIEVAL,
}
# Keys of `usage_details`, most telling first. Providers' names are free text to Langfuse.
_USAGE: Final = {
    Attr.INPUT_TOKENS: ("input", "prompt_tokens", "input_tokens"),
    Attr.OUTPUT_TOKENS: ("output", "completion_tokens", "output_tokens"),
    Attr.CACHE_READ_TOKENS: ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read"),
    Attr.CACHE_WRITE_TOKENS: ("cache_creation_input_tokens", "input_cache_creation"),
    Attr.REASONING_TOKENS: ("output_reasoning_tokens", "reasoning_tokens"),
}


def _is(kind: str) -> str:
    return f'{span(_TYPE)} == "{kind}"'


def _usage() -> list[str]:
    # Beside `input` and `output` Langfuse keeps disjoint parts; the conventions count a part in its total.
    totals = [
        f"set({span(total)}, Int({cached(rest)}) + Int({cached(part)}))"
        f" where {span(total)} == nil and IsDouble({cached(rest)}) and IsDouble({cached(part)})"
        for total, rest, part in (
            (Attr.INPUT_TOKENS, "input", "input_cached_tokens"),
            (Attr.OUTPUT_TOKENS, "output", "output_reasoning_tokens"),
        )
    ]
    fills = [
        f"set({span(target)}, Int({cached(key)})) where {span(target)} == nil and IsDouble({cached(key)})"
        for target, keys in _USAGE.items()
        for key in keys
    ]
    return [steps.merge_json(span(f"{_O}.usage_details")), *totals, *fills]


def groups() -> list[dict[str, Any]]:
    """Statement groups of this dialect."""
    failed = f'{span(f"{_O}.level")} == "ERROR" and {span(Attr.ERROR_TYPE)} == nil and not {steps.IS_ERROR}'
    message = span(f"{_O}.status_message")
    is_root = f"({_is('span')} or {_is('chain')}) and {NO_OPERATION} and {IS_ROOT}"
    return [
        steps.group(
            *(steps.become(operation, f"{_is(kind)} and {NO_OPERATION}") for kind, operation in _OPERATIONS.items()),
            steps.become(Operation.INVOKE_WORKFLOW, is_root),
            *steps.fill(Attr.REQUEST_MODEL, span(f"{_O}.model.name")),
            *steps.fill(Attr.AGENT_NAME, NAME, where=_is("agent")),
            *steps.fill(Attr.TOOL_NAME, NAME, where=_is("tool")),
            *steps.fill(Attr.PROMPT_NAME, span(f"{_O}.prompt.name")),
            *steps.fill(Attr.PROMPT_VERSION, span(f"{_O}.prompt.version"), as_string=True),
            *steps.fill(Attr.CONVERSATION_ID, span("session.id"), span("langfuse.session.id")),
            *_usage(),
            f"set(span.status.message, {message}) where {failed} and IsString({message})",
            f"set(span.status.code, STATUS_CODE_ERROR) where {failed}",
            when=steps.present(_TYPE),
            quiet=True,
        )
    ]
