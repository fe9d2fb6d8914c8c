"""What an observation can be filtered, grouped and linked by: versions, session, user, environment, prompt, failure.

Langfuse reads session, user, tags and metadata from span attributes only, so what a resource says is copied down.
Metadata can be filtered by but not grouped by; only the prompt link, tags, version and release can.
"""

from typing import Any, Final

from agentobs.contract import Attr, ErrorClass, Label
from collector import ottl
from collector.langfuse.names import AGENT_VERSIONS, METADATA, TRACE_METADATA, Kind, Langfuse, metadata
from collector.langfuse.observations import TYPE
from collector.normalise.steps import IS_ERROR, fill, group, present, span

_ENTRIES: Final[dict[str, tuple[str, ...]]] = {
    Label.AGENT: (Attr.AGENT_NAME,),
    "agent_version": AGENT_VERSIONS,
    Label.PROMPT: (Attr.PROMPT_NAME,),
    Label.PROMPT_VERSION: (Attr.PROMPT_VERSION,),
    Label.TOOL: (Attr.TOOL_NAME,),
    Label.TOOL_VERSION: (Attr.TOOL_VERSION,),
    Label.MODEL: (Attr.REQUEST_MODEL,),
    Label.GRAPH_VERSION: (Attr.GRAPH_VERSION,),
    Label.ERROR_CLASS: (Label.ERROR_CLASS,),
    Label.TRACK: (Attr.TRACK,),
    Label.WORKFLOW: (Attr.WORKFLOW_NAME,),
    Label.OUTCOME: (Attr.TASK_OUTCOME,),
}
_EXCEPTION: Final = metadata("exception_message")
_EXCEPTION_TYPE: Final = metadata("exception_type")
# A version of a prompt in Langfuse; its parser would take 3 for "3-canary" and for "3.7".
_PROMPT_VERSION: Final = "^[1-9][0-9]{0,4}$"
_LAST_PROMPT_VERSION: Final = 65_535
_VALID_ENVIRONMENT: Final = "^[a-z0-9_-]+$"
# Metadata keys that would wipe the block in which Langfuse keeps all other attributes.
_RESERVED: Final = tuple(f"{prefix}.{key}" for prefix in (METADATA, TRACE_METADATA) for key in ("attributes", "scope"))
_LISTS: Final = (Langfuse.TRACE_TAGS, Langfuse.TAGS, "gen_ai.response.finish_reasons", "gen_ai.request.stop_sequences")
_INHERITED: Final = (
    r"^(?:(?:langfuse\\.)?(?:session|user)\\.id|enduser\\.id|langfuse\\.(?:tags|version|release)"
    r"|langfuse\\.trace\\.(?:name|tags)|langfuse\\.(?:observation\\.|trace\\.)?metadata\\..+)$"
)
_INHERITED_IN_LIST: Final = r"\"(?:(?:langfuse\\.)?(?:session|user)\\.id|enduser\\.id|langfuse\\.[^\"]+)\""
# Says for the time of this processor that a resource has something to hand down; saves the search on every span.
_HANDS_DOWN: Final = "agentobs.langfuse.hands_down"


def _resource(key: str) -> str:
    return ottl.attribute("resource", key)


def resources() -> list[dict[str, Any]]:
    """Statement groups that run once per resource, before all others."""
    given, target = _resource(Attr.ENVIRONMENT), _resource(Langfuse.ENVIRONMENT)
    invalid = f'{target} != nil and not IsMatch({target}, "{_VALID_ENVIRONMENT}")'
    return [
        group(
            # Langfuse files whatever is not [a-z0-9_-] under "default".
            ottl.copy(target, given, condition=f"{target} == nil", as_string=True),
            f"set({target}, ToLowerCase(String({target}))) where {invalid}",
            f'replace_pattern({target}, "[^a-z0-9_-]+", "-") where {invalid}',
            f"set({_resource(_HANDS_DOWN)}, true)"
            f' where IsMatch(String(Keys(resource.attributes)), "{_INHERITED_IN_LIST}")',
        )
    ]


def resources_after() -> list[dict[str, Any]]:
    """Statement groups that run once per resource, after all others."""
    return [group(f'delete_key(resource.attributes, "{_HANDS_DOWN}")')]


def inherited() -> list[dict[str, Any]]:
    """Statement groups that bring a resource's session, user, tags and metadata down to its spans."""
    handed = 'span.cache["handed"]'
    user = "user.id"
    return [
        group(
            f"set({handed}, resource.attributes)",
            f'keep_matching_keys({handed}, "{_INHERITED}")',
            # A process-wide session must not win over the span's own conversation.
            f'delete_matching_keys({handed}, "session") where {present(Attr.CONVERSATION_ID)}',
            f'merge_maps(span.attributes, {handed}, "insert")',
            when=f"{_resource(_HANDS_DOWN)} == true",
        ),
        group(*fill(user, span("enduser.id")), when=f"{present('enduser.id')} and {span('langfuse.user.id')} == nil"),
        group(
            *(
                f'delete_key(span.attributes, "{key}") where IsList({span(key)}) and Len({span(key)}) == 0'
                for key in _LISTS
            ),
            when=tuple(present(key) for key in _LISTS),
        ),
    ]


def _metadata() -> list[dict[str, Any]]:
    entries = [
        statement
        for entry, keys in _ENTRIES.items()
        for statement in fill(metadata(entry), *map(span, keys), as_string=True)
    ]
    renamed = [
        statement
        for key in _RESERVED
        for statement in (ottl.copy(span(f"{key}_"), span(key)), f'delete_key(span.attributes, "{key}")')
    ]
    return [
        group(*entries, *fill(metadata(Label.TRACK), _resource(Attr.TRACK), as_string=True)),
        group(*renamed, when=tuple(present(key) for key in _RESERVED)),
    ]


def _prompt() -> list[dict[str, Any]]:
    """The link to a prompt of Langfuse, on model calls only: Langfuse ignores it elsewhere."""
    version, linked = span(Attr.PROMPT_VERSION), span(Langfuse.PROMPT_VERSION)
    wrong = f'not IsMatch({linked}, "{_PROMPT_VERSION}") or Int({linked}) > {_LAST_PROMPT_VERSION}'
    return [
        group(
            *fill(Langfuse.PROMPT_NAME, span(Attr.PROMPT_NAME)),
            f'set({linked}, Int({version})) where {linked} == nil and IsMatch({version}, "{_PROMPT_VERSION}")',
            when=f'{TYPE} == "{Kind.GENERATION}" and {present(Attr.PROMPT_NAME)}',
        ),
        group(
            f'delete_key(span.attributes, "{Langfuse.PROMPT_VERSION}") where {wrong}',
            when=f"{linked} != nil",
        ),
    ]


def _failures() -> list[dict[str, Any]]:
    """Langfuse stores no span events: the last exception's message becomes the status message."""
    level, message, kind = span(Langfuse.LEVEL), span(Langfuse.STATUS_MESSAGE), span(Attr.ERROR_TYPE)
    error_class = span(Label.ERROR_CLASS)
    handled = f'({error_class} == nil or {error_class} == "{ErrorClass.NONE}")'
    unsaid = f'{message} == nil and span.status.message == ""'
    return [
        group(
            ottl.copy(span(_EXCEPTION), 'spanevent.attributes["exception.message"]', as_string=True),
            ottl.copy(span(_EXCEPTION_TYPE), 'spanevent.attributes["exception.type"]', as_string=True),
            when='spanevent.name == "exception"',
        ),
        group(
            ottl.constant(level, "ERROR", f"{level} == nil and not {IS_ERROR}"),
            ottl.copy(message, span(_EXCEPTION), condition=unsaid),
            ottl.copy(message, kind, condition=unsaid, as_string=True),
            when=(IS_ERROR, f"{kind} != nil", f"not {handled}"),
        ),
    ]


def groups() -> list[dict[str, Any]]:
    """Statement groups of slices; they run when the type is known and before anything is deleted."""
    return [*_metadata(), *_prompt(), *_failures()]
