"""Small builders shared by the parts of the normaliser: statement groups and the ways an attribute gets a value."""

from typing import Any, Final

from agentobs.contract import AGENT_HANDOFF, INFERENCE, Attr, Operation
from collector import ottl

HANDOFF: Final = AGENT_HANDOFF
_MAX_JSON: Final = 16_384

SCOPE: Final = "instrumentation_scope.name"
NAME: Final = "span.name"
IS_ROOT: Final = "IsRootSpan()"
IS_ERROR: Final = "span.status.code == STATUS_CODE_ERROR"


def span(key: str) -> str:
    """Return the path of a span attribute."""
    return ottl.attribute("span", key)


def cached(key: str) -> str:
    """Return the path of a value that lives while one group runs on one span."""
    return f'span.cache["{key}"]'


OPERATION: Final = span(Attr.OPERATION)
NO_OPERATION: Final = f"{OPERATION} == nil"
# Comparisons, not a regular expression: the first one already decides for most model calls.
IS_INFERENCE: Final = "(" + " or ".join(f'{OPERATION} == "{operation}"' for operation in INFERENCE) + ")"
IS_TOOL: Final = f'{OPERATION} == "{Operation.EXECUTE_TOOL}"'
IS_AGENT: Final = f'{OPERATION} == "{Operation.INVOKE_AGENT}"'


def group(*statements: str, when: str | tuple[str, ...] = (), quiet: bool = False) -> dict[str, Any]:
    """One statement group that runs where any condition of `when` holds.

    `quiet` drops the log line of a failing statement: for parsing what applications write freely.
    """
    conditions = (when,) if isinstance(when, str) else when
    made: dict[str, Any] = {"conditions": list(conditions)} if conditions else {}
    if quiet:
        made["error_mode"] = "silent"
    return made | {"statements": list(statements)}


def present(key: str) -> str:
    """Condition: the span has the attribute."""
    return f"{span(key)} != nil"


def fill(target: str, *sources: str, where: str = "", as_string: bool = False) -> list[str]:
    """Give an attribute its first value in the order of `sources` (OTTL expressions), if it has none."""
    empty = ottl.all_of(f"{span(target)} == nil", where)
    return [ottl.copy(span(target), source, condition=empty, as_string=as_string) for source in sources]


def become(operation: str, where: str) -> str:
    """Set the operation of spans."""
    return ottl.constant(OPERATION, operation, where)


def rename(old: str, new: str) -> list[str]:
    """Move an attribute to its name of today; a value that is already there wins."""
    return [*fill(new, span(old)), f'delete_key(span.attributes, "{old}") where {present(old)}']


def merge_json(text: str) -> str:
    """Parse a JSON object into the group's cache. A large one is content, and parsing it would cost too much."""
    small = f"IsString({text}) and Len({text}) <= {_MAX_JSON}"
    return f'merge_maps(span.cache, ParseJSON({text}), "upsert") where {small} and HasPrefix({text}, "{{")'


def prompt_hash(text: str, where: str = "") -> str:
    """Hash a system prompt, where no hash came with the span."""
    target = span(Attr.PROMPT_HASH)
    return f"set({target}, SHA256({text})) where {ottl.all_of(f'{target} == nil', f'IsString({text})', where)}"
