"""Names that the GenAI conventions themselves changed in the last two years.

Not here: names of other vocabularies (`openinference`, `openllmetry`, `langfuse_sdk`).
"""

from typing import Any, Final

from collector import ottl
from collector.normalise import steps
from collector.normalise.steps import IS_INFERENCE, present, span
from collector.signals import Attr

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
)
# The names that emitters without `gen_ai.system` and without a dialect of their own still use.
_USAGE_OF_TODAY: Final = ("gen_ai.usage.prompt_tokens", "gen_ai.usage.cache_creation.input_tokens")


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
            *usage(),
            when=present(SYSTEM),
        ),
        steps.group(*usage(), when=f"{IS_INFERENCE} and ({' or '.join(map(present, _USAGE_OF_TODAY))})"),
    ]
