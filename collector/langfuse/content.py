"""Input and output of an observation: nothing that names a prompt or a dialect may displace the messages.

Langfuse reads input and output from the first vocabulary it recognises, and then from that one only: one
`gen_ai.prompt.version` beside the messages, copied there by baggage, and the messages are gone. So every rival key
leaves; what it holds is kept where the span has no messages of its own. Not here: redaction, which comes before.
"""

from typing import Any, Final

from agentobs.contract import Attr
from agentobs.contract.kinds import OPENINFERENCE_KIND
from collector import ottl
from collector.langfuse.names import Langfuse
from collector.normalise.steps import fill, group, present, span

# Rival pairs in the order in which Langfuse reads them.
_RIVALS: Final = (
    ("prompt", "all_messages_events"),
    ("traceloop.entity.input", "traceloop.entity.output"),
    ("input.value", "output.value"),
    ("input", "output"),
    ("tool_arguments", "tool_response"),
)
_RIVAL_INPUTS: Final = tuple(source for source, _ in _RIVALS)
_RIVAL_OUTPUTS: Final = tuple(result for _, result in _RIVALS)
_DETAILS_EVENT: Final = "gen_ai.client.inference.operation.details"
# Input and output in one list: without rivals Langfuse tells them apart itself.
_EVENTS: Final = "events"
_STRUCTURED: Final = (
    Attr.INPUT_MESSAGES,
    Attr.OUTPUT_MESSAGES,
    Attr.SYSTEM_INSTRUCTIONS,
    Attr.TOOL_DEFINITIONS,
    Attr.TOOL_ARGUMENTS,
    Attr.TOOL_RESULT,
    Langfuse.INPUT,
    Langfuse.OUTPUT,
)
_INPUT: Final = span(Langfuse.INPUT)
_OUTPUT: Final = span(Langfuse.OUTPUT)
_SYSTEM: Final = span(Attr.SYSTEM_INSTRUCTIONS)
_OWN_CONTENT: Final = (
    Attr.INPUT_MESSAGES,
    Attr.OUTPUT_MESSAGES,
    Attr.TOOL_ARGUMENTS,
    Attr.TOOL_RESULT,
    Langfuse.INPUT,
    Langfuse.OUTPUT,
)
# Messages in numbered keys (`gen_ai.prompt.0.content`): Langfuse rebuilds these, if nothing unnumbered is among them.
_NUMBERED: Final = ("gen_ai.prompt.0.role", "gen_ai.prompt.0.content", "llm.input_messages.0.message.role")
_ALL_PROMPTS: Final = r"^gen_ai\\.(?:prompt|completion)"
_OPENINFERENCE_MESSAGES: Final = r"^llm\\.(?:input|output)_messages"
_UNNUMBERED: Final = r"^gen_ai\\.(?:prompt|completion)(?:$|[^.]|\\.(?:$|[^0-9]))"


def _absent(*keys: str) -> str:
    return " and ".join(f"{span(key)} == nil" for key in keys)


def _as_json() -> dict[str, Any]:
    """Langfuse shows a structured attribute as raw protobuf text."""
    shaped = [f"{present(key)} and not IsString({span(key)})" for key in _STRUCTURED]
    statements = [
        f"set({span(key)}, String({span(key)})) where {is_shaped}"
        for key, is_shaped in zip(_STRUCTURED, shaped, strict=True)
    ]
    return group(*statements, when=tuple(shaped))


def _events_as_json() -> dict[str, Any]:
    """The event that carries the messages of a model call wins over the span's attributes."""
    statements = []
    for key in (Attr.INPUT_MESSAGES, Attr.OUTPUT_MESSAGES, Attr.SYSTEM_INSTRUCTIONS, Attr.TOOL_DEFINITIONS):
        value = ottl.attribute("spanevent", key)
        statements.append(f"set({value}, String({value})) where {value} != nil and not IsString({value})")
    return group(*statements, when=f'spanevent.name == "{_DETAILS_EVENT}"')


def _rivals() -> dict[str, Any]:
    """Rival keys give way to the span's own messages, and stand in where it has none."""
    keys = (*_RIVAL_INPUTS, *_RIVAL_OUTPUTS)
    sources, results = map(span, _RIVAL_INPUTS), map(span, _RIVAL_OUTPUTS)
    return group(
        *fill(Langfuse.INPUT, *sources, where=_absent(Attr.INPUT_MESSAGES, Attr.TOOL_ARGUMENTS), as_string=True),
        *fill(Langfuse.OUTPUT, *results, where=_absent(Attr.OUTPUT_MESSAGES, Attr.TOOL_RESULT), as_string=True),
        *(f'delete_key(span.attributes, "{key}")' for key in keys),
        when=tuple(present(key) for key in keys),
    )


def _system() -> dict[str, Any]:
    """Instructions without messages are not stored, so they become the input."""
    messages = span(Attr.INPUT_MESSAGES)
    return group(
        f'set({messages}, Concat(["[{{\\"role\\":\\"system\\",\\"parts\\":", {_SYSTEM}, "}}]"], ""))'
        f' where HasPrefix({_SYSTEM}, "[")',
        f'set({messages}, Concat(["[", String({{"role": "system", "content": {_SYSTEM}}}), "]"], ""))'
        f" where {messages} == nil",
        when=f"{_SYSTEM} != nil and {_absent(Attr.INPUT_MESSAGES, Langfuse.INPUT, *_NUMBERED)}",
    )


def _both_sides() -> dict[str, Any]:
    """Where Langfuse's own key has one side, the other side is read from Langfuse's own key too."""
    messages = span(Attr.INPUT_MESSAGES)
    with_system = (
        f'Concat(["[{{\\"role\\":\\"system\\",\\"parts\\":", {_SYSTEM}, "}},", '
        f'Substring({messages}, 1, Len({messages}) - 1)], "")'
    )
    joinable = f'HasPrefix({_SYSTEM}, "[{{") and HasPrefix({messages}, "[{{")'
    return group(
        f"set({_INPUT}, {with_system}) where {_INPUT} == nil and {_SYSTEM} != nil and {messages} != nil and {joinable}",
        *fill(Langfuse.INPUT, messages, span(Attr.TOOL_ARGUMENTS)),
        *fill(Langfuse.OUTPUT, span(Attr.OUTPUT_MESSAGES), span(Attr.TOOL_RESULT)),
        when=(f"{_INPUT} != nil and {_OUTPUT} == nil", f"{_OUTPUT} != nil and {_INPUT} == nil"),
    )


def _prompt_keys() -> list[dict[str, Any]]:
    return [
        group(
            f'delete_matching_keys(span.attributes, "{_ALL_PROMPTS}")',
            f'delete_key(span.attributes, "{_EVENTS}")',
            when=tuple(present(key) for key in _OWN_CONTENT),
        ),
        group(
            f'delete_matching_keys(span.attributes, "{_OPENINFERENCE_MESSAGES}")',
            when=tuple(f"{present(OPENINFERENCE_KIND)} and {present(key)}" for key in _OWN_CONTENT),
        ),
        group(f'delete_matching_keys(span.attributes, "{_UNNUMBERED}")', when=_absent(*_OWN_CONTENT)),
    ]


def groups() -> list[dict[str, Any]]:
    """Statement groups of content; they run when nothing needs the prompt's name and version any more."""
    return [_as_json(), _events_as_json(), _rivals(), _system(), _both_sides(), *_prompt_keys()]
