"""Names of operations that are not the conventions': a table, one row per sender, before anything reads an operation.

Sources: *captured* is a run of the framework with the version of November 2026, *source* its published code, *report*
a public report with its telemetry. Not here: spans without any operation (`ai_sdk`, `frameworks`, `openinference`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from agentobs.contract import EMBEDDINGS, Operation
from agentobs.contract.kinds import GENAI_KIND, KINDS, SPRING_KIND
from collector import ottl
from collector.normalise import steps
from collector.normalise.steps import NAME, NO_OPERATION, OPERATION, SCOPE

_SPRING_KIND: Final = steps.span(SPRING_KIND)
_LITELLM: Final = f'{SCOPE} == "litellm"'
_FREQUENT: Final = (Operation.CHAT, Operation.EXECUTE_TOOL, Operation.INVOKE_AGENT)


@dataclass(frozen=True, slots=True)
class Row:
    """One sender's names for one operation; `where` tells them from somebody else's."""

    sender: str
    names: tuple[str, ...]
    operation: str
    source: str
    where: str = ""


ROWS: Final = (
    Row("Semantic Kernel before 1.30", ("chat.completions", "chat.streaming_completions"), Operation.CHAT, "source"),
    Row(
        "Semantic Kernel before 1.30",
        ("text.completions", "text.streaming_completions"),
        Operation.TEXT_COMPLETION,
        "source",
    ),
    Row("Spring AI 1", ("framework",), Operation.EXECUTE_TOOL, "report", f'{_SPRING_KIND} == "tool_call"'),
    Row("LiteLLM", ("completion", "acompletion"), Operation.CHAT, "captured", _LITELLM),
    Row("LiteLLM", ("responses", "aresponses", "anthropic_messages"), Operation.CHAT, "source", _LITELLM),
    Row("LiteLLM", ("atext_completion",), Operation.TEXT_COMPLETION, "source", _LITELLM),
    Row("LiteLLM", ("embedding", "aembedding"), EMBEDDINGS, "source", _LITELLM),
    # LiteLLM writes over the span that is current: an agent of somebody else then calls itself a completion.
    Row(
        "LiteLLM inside another's agent",
        ("completion", "acompletion", "responses", "aresponses"),
        Operation.INVOKE_AGENT,
        "captured",
        f'HasPrefix({NAME}, "{Operation.INVOKE_AGENT} ")',
    ),
    Row("Gemini CLI", ("llm_call",), Operation.CHAT, "source"),
    Row("Gemini CLI", ("tool_call",), Operation.EXECUTE_TOOL, "source"),
    Row("Gemini CLI", ("agent_call",), Operation.INVOKE_AGENT, "source"),
)


def _renamed(row: Row) -> str:
    named = " or ".join(f'{OPERATION} == "{name}"' for name in row.names)
    return steps.become(row.operation, ottl.all_of(f"({named})", row.where))


def _is_one_of(operations: Iterable[str]) -> str:
    return " or ".join(f'{OPERATION} == "{name}"' for name in operations)


def groups() -> list[dict[str, Any]]:
    """Statement groups that run first. Every span pays for the condition: what is frequent decides at once."""
    kind = steps.span(GENAI_KIND)
    kinds = (steps.become(name, f'{NO_OPERATION} and {kind} == "{own}"') for own, name in KINDS[GENAI_KIND].items())
    others = _is_one_of(name for name in Operation if name not in _FREQUENT)
    unknown = f"({NO_OPERATION} and {kind} != nil) or ({OPERATION} != nil and not ({others}))"
    return [
        steps.group(*map(_renamed, ROWS), *kinds, when=f"not ({_is_one_of(_FREQUENT)}) and ({unknown})"),
    ]
