"""Repeated calls: a call of the same tool by the same agent, begun after one of them had failed, is a retry.

So is a call of the same model below the same span: a client that tries again makes a span of each attempt. State lies
on the run's first span, or on the span around, and goes with it. Calls at the same time are no retries of each other.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from agentobs.context.dialects import json_value, tool_name
from agentobs.context.lineage import Node
from agentobs.contract import Attr
from agentobs.contract.failures import (
    FAILED_RESULT,
    HANDOVER,
    IS_ERROR_FLAG,
    ONLY_TIMED_OUT,
    PAUSE,
    RESULT_HEAD,
    RESULT_TAIL,
    SHORT_RESULT,
    STATUS_ERROR,
    SUSPICIOUS_WORDS,
    TOOL_ARGUMENTS,
    TOOL_RESULTS,
)

_ATTEMPT: Final[str] = Attr.RETRY_ATTEMPT.value
_ERROR_TYPE: Final[str] = Attr.ERROR_TYPE.value
_MODELS: Final = (Attr.REQUEST_MODEL.value, "llm.model_name")
_MESSAGES: Final = (Attr.INPUT_MESSAGES.value, "input.value", "traceloop.entity.input", "langfuse.observation.input")
_FAILED: Final = re.compile(f"{FAILED_RESULT}|{IS_ERROR_FLAG}|{STATUS_ERROR}|{ONLY_TIMED_OUT}")
_CONTROL_FLOW: Final = re.compile(f"{PAUSE}|{HANDOVER}")
_MOST_FAILED: Final = 256  # of one run; a root may stay open for days
_UNKNOWN: Final = ""


def of_tool(node: Node, span: ReadableSpan, agent: str, run: Node, *, failed: bool) -> int | None:
    """Return which attempt an ended tool call was, counted from 0; a failed one is remembered at the run's first span.

    None for a first one, and where the sender numbers attempts itself.
    """
    if run.failed_calls is None and not failed:
        return None
    what = node.arguments or _digest(node.attributes, TOOL_ARGUMENTS)
    return _number(run, node, span, (agent, tool_name(node.name, node.attributes), what), failed=failed)


def of_model(node: Node, span: ReadableSpan, agent: str) -> int | None:
    """Return the same of an ended model call; None for one without a span around it, too."""
    around = node.parent
    failed = span.status.status_code is StatusCode.ERROR or _ERROR_TYPE in node.attributes
    if around is None or (around.failed_calls is None and not failed):
        return None
    model = next((str(node.attributes[key]) for key in _MODELS if key in node.attributes), node.name)
    call = (agent, f"{node.scope} {model}", _digest(node.attributes, _MESSAGES))
    return _number(around, node, span, call, failed=failed)


def _number(run: Node, node: Node, span: ReadableSpan, call: tuple[str, str, str], *, failed: bool) -> int | None:
    if _ATTEMPT in node.attributes or span.start_time is None or span.end_time is None:
        return None
    if node.attempt is not None:
        return node.attempt or None
    if run.failed_calls is None:
        run.failed_calls = {}
    before = run.failed_calls.get(call)
    number = before[1] + 1 if before is not None and before[0] <= span.start_time else 0
    if failed:
        run.failed_calls[call] = (span.end_time, number)
        if len(run.failed_calls) > _MOST_FAILED:
            run.failed_calls.pop(next(iter(run.failed_calls)), None)
    elif number:
        run.failed_calls.pop(call, None)
    node.attempt = number
    return number or None


def has_failed(span: ReadableSpan, attributes: Mapping[str, Any]) -> bool:
    """Whether a tool call failed: by its status, its error type, or the text of its result. A pause is no failure."""
    if span.status.status_code is StatusCode.ERROR or attributes.get(_ERROR_TYPE) is not None:
        return not _CONTROL_FLOW.match(_raised(span, attributes))
    if attributes.get("gen_ai.tool.status") == "error" or attributes.get("langfuse.observation.level") == "ERROR":
        return True
    for key in TOOL_RESULTS:
        text = attributes.get(key)
        if isinstance(text, str):
            ends = _ends(text)
            return any(word in ends for word in SUSPICIOUS_WORDS) and _FAILED.search(ends) is not None
    return False


def _raised(span: ReadableSpan, attributes: Mapping[str, Any]) -> str:
    """The type of what a failed call raised."""
    stated = attributes.get(_ERROR_TYPE)
    kinds = (event.attributes.get("exception.type") for event in span.events if event.attributes)
    return str(stated if stated is not None else next((kind for kind in kinds if kind is not None), ""))


def _ends(text: str) -> str:
    """What of a result is read: what lies between its ends is somebody's data."""
    return text if len(text) <= SHORT_RESULT else f"{text[:RESULT_HEAD]}\n{text[-RESULT_TAIL:]}"


def _digest(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """What tells two calls apart; where content is hidden, all calls are alike."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, str) and value:
            # OpenLLMetry writes the arguments beside the number of the step, which differs each time.
            stated = json_value(value, "input_str") if value.startswith("{") else None
            text = stated if isinstance(stated, str) else value
            return hashlib.blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()
    return _UNKNOWN
