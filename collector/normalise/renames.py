"""Names that the GenAI conventions themselves changed in the last two years.

Not here: names of other vocabularies (`openinference`, `openllmetry`, `langfuse_sdk`).
"""

from typing import Any, Final

from agentobs.contract import Attr
from collector import ottl
from collector.normalise import steps
from collector.normalise.steps import IS_INFERENCE, present, span

SYSTEM: Final = "gen_ai.system"
_OLD_ENVIRONMENT: Final = "deployment.environment"

# Emitters that use one of these also set `gen_ai.system`, so one check decides for all of them.
_WITH_SYSTEM: Final = (
    (SYSTEM, Attr.PROVIDER),
    ("gen_ai.openai.request.seed", "gen_ai.request.seed"),
    ("gen_ai.openai.request.response_format", "gen_ai.output.type"),
    ("gen_ai.openai.request.service_tier", "openai.request.service_tier"),
    ("gen_ai.openai.response.service_tier", "openai.response.service_tier"),
    ("gen_ai.openai.response.system_fingerprint", "openai.response.system_fingerprint"),
    ("gen_ai.thread.id", Attr.CONVERSATION_ID),
)
_PROVIDERS: Final = {
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "vertex_ai": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "xai": "x_ai",
}
# Strands sends old and new names side by side; an old key left behind would be counted a second time downstream.
_USAGE: Final = (
    ("gen_ai.usage.prompt_tokens", Attr.INPUT_TOKENS),
    ("gen_ai.usage.completion_tokens", Attr.OUTPUT_TOKENS),
    ("gen_ai.usage.cache_creation.input_tokens", Attr.CACHE_WRITE_TOKENS),
    ("gen_ai.usage.cache_creation_input_tokens", Attr.CACHE_WRITE_TOKENS),
    ("gen_ai.usage.cache_write_input_tokens", Attr.CACHE_WRITE_TOKENS),
    ("gen_ai.usage.cache_read_input_tokens", Attr.CACHE_READ_TOKENS),
    ("gen_ai.usage.reasoning_tokens", Attr.REASONING_TOKENS),
    ("gen_ai.usage.details.reasoning_tokens", Attr.REASONING_TOKENS),
    ("gen_ai.usage.experimental.reasoning_tokens", Attr.REASONING_TOKENS),
    ("gen_ai.usage.details.cache_read_tokens", Attr.CACHE_READ_TOKENS),  # pydantic-ai, these four
    ("gen_ai.usage.details.cache_write_tokens", Attr.CACHE_WRITE_TOKENS),
    ("gen_ai.usage.details.cache_read_input_tokens", Attr.CACHE_READ_TOKENS),
    ("gen_ai.usage.details.cache_creation_input_tokens", Attr.CACHE_WRITE_TOKENS),
    ("gen_ai.usage.prompt_tokens_details.cached_tokens", Attr.CACHE_READ_TOKENS),  # OpenAI's answer, flattened
    ("gen_ai.usage.completion_tokens_details.reasoning_tokens", Attr.REASONING_TOKENS),
    ("gen_ai.usage.cached_input_tokens", Attr.CACHE_READ_TOKENS),
    ("gen_ai.usage.input_tokens.cached", Attr.CACHE_READ_TOKENS),  # Sentry, these two
    ("gen_ai.usage.output_tokens.reasoning", Attr.REASONING_TOKENS),
    ("gen_ai.usage.cache_read_tokens", Attr.CACHE_READ_TOKENS),
    ("gen_ai.usage.cache_write_tokens", Attr.CACHE_WRITE_TOKENS),
    ("gen_ai.response.prompt_tokens", Attr.INPUT_TOKENS),  # Semantic Kernel before 1.30, these two
    ("gen_ai.response.completion_tokens", Attr.OUTPUT_TOKENS),
)
_ON_AGENTS: Final = 9  # the first so many names: Strands', pydantic-ai's
# Names of today's emitters, so that every model call is looked at for them; for the others only one without a count of
# the cache under today's name.
_USAGE_OF_TODAY: Final = (
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
)


def _has_old_usage() -> str:
    """Condition: a count under an old name."""
    rarely = " or ".join(present(old) for old, _ in _USAGE if old not in _USAGE_OF_TODAY)
    return f"{' or '.join(map(present, _USAGE_OF_TODAY))} or ({span(Attr.CACHE_READ_TOKENS)} == nil and ({rarely}))"


def usage() -> list[str]:
    """Statements that rename token counts; a dialect that uses old names includes them."""
    return [statement for pair in _USAGE for statement in steps.rename(*pair)]


def groups() -> list[dict[str, Any]]:
    """Statement groups that run before the dialects."""
    old, new = ottl.attribute("resource", _OLD_ENVIRONMENT), ottl.attribute("resource", Attr.ENVIRONMENT)
    provider = span(Attr.PROVIDER)
    return [
        steps.group(ottl.copy(new, old, condition=f"{new} == nil")),
        steps.group(
            *(statement for pair in _WITH_SYSTEM for statement in steps.rename(*pair)),
            *(ottl.constant(provider, name, f'{provider} == "{old_name}"') for old_name, name in _PROVIDERS.items()),
            # Sums on agents too: an old name left behind would be counted a second time downstream.
            *(statement for pair in _USAGE[:_ON_AGENTS] for statement in steps.rename(*pair)),
            when=present(SYSTEM),
        ),
        steps.group(*usage(), when=f"{IS_INFERENCE} and ({_has_old_usage()})"),
    ]
