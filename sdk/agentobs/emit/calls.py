"""Tool and model calls: spans of our own, or the contract's attributes on a framework's span.

One span per attempt: a retry is a sibling span with `agentic.retry.attempt` >= 1, never a loop inside one span.
Not here: agents and tasks (`scopes`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from agentobs.context import detached
from agentobs.context.dialects import EMIT
from agentobs.context.stated import mark_attempt
from agentobs.contract import Attr, Operation

SCOPE: Final = EMIT


class ToolCall:
    """One attempt at a tool call, while it runs."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def fail(self, error_type: str) -> None:
        """Mark the attempt as failed although no exception is raised: an MCP result with `isError`, for instance."""
        mark_failed(self.span, error_type)


class ModelCall:
    """One model call, while it runs."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def usage(self, *, input_tokens: int, output_tokens: int, cache_read: int = 0, reasoning: int = 0) -> None:
        """Set token counts. `cache_read` is a part of `input_tokens` and `reasoning` a part of `output_tokens`."""
        self.span.set_attribute(Attr.INPUT_TOKENS.value, input_tokens)
        self.span.set_attribute(Attr.OUTPUT_TOKENS.value, output_tokens)
        if cache_read:
            self.span.set_attribute(Attr.CACHE_READ_TOKENS.value, cache_read)
        if reasoning:
            self.span.set_attribute(Attr.REASONING_TOKENS.value, reasoning)

    def response_model(self, model: str) -> None:
        """Set the model that answered, when it is not the one that was asked for."""
        self.span.set_attribute(Attr.RESPONSE_MODEL.value, model)


@contextmanager
def tool_call(
    name: str,
    *,
    version: str,
    attempt: int = 0,
    fallback_from: str | None = None,
    reason: str | None = None,
) -> Iterator[ToolCall]:
    """Wrap one attempt at a tool call in an `execute_tool` span; an exception marks it failed and passes on.

    `attempt` counts from 0. `fallback_from` names the tool this one stands in for, `reason` why it is tried again.
    """
    attributes = {Attr.OPERATION.value: Operation.EXECUTE_TOOL.value, Attr.TOOL_NAME.value: name}
    with _span(f"{Operation.EXECUTE_TOOL} {name}", SpanKind.INTERNAL, attributes) as span:
        annotate_tool(version=version, attempt=attempt, fallback_from=fallback_from, reason=reason)
        yield ToolCall(span)


@contextmanager
def model_call(
    model: str,
    provider: str,
    *,
    attempt: int = 0,
    fallback_from: str | None = None,
) -> Iterator[ModelCall]:
    """Wrap one model call in a `chat` span; an exception marks it failed and passes on."""
    attributes = {
        Attr.OPERATION.value: Operation.CHAT.value,
        Attr.PROVIDER.value: provider,
        Attr.REQUEST_MODEL.value: model,
    }
    with _span(f"{Operation.CHAT} {model}", SpanKind.CLIENT, attributes) as span:
        annotate_model(attempt=attempt, fallback_from=fallback_from)
        yield ModelCall(span)


def annotate_tool(
    *,
    version: str | None = None,
    attempt: int | None = None,
    fallback_from: str | None = None,
    reason: str | None = None,
) -> None:
    """Put the contract's tool attributes on the framework's span: inside a tool function, that of the tool.

    Without `attempt`, a call that follows a failed one with equal arguments is numbered by `agentobs.context`.
    """
    span = detached.innermost()
    if version is not None:
        span.set_attribute(Attr.TOOL_VERSION.value, version)
    mark_attempt(span, attempt, fallback_from, reason)


def annotate_model(
    *, attempt: int | None = None, fallback_from: str | None = None, reason: str | None = None, reasoning: int = 0
) -> None:
    """Put the contract's model attributes on the current span: inside a model client, the framework's chat span."""
    span = detached.innermost()
    mark_attempt(span, attempt, fallback_from, reason)
    if reasoning:
        span.set_attribute(Attr.REASONING_TOKENS.value, reasoning)


def annotate_error(error: BaseException | str) -> None:
    """Put `error.type` on the current span, for frameworks that mark a failed span without saying what failed.

    The status stays the framework's business. A string is taken as the error type itself.
    """
    error_type = error if isinstance(error, str) else error_type_of(error)
    detached.innermost().set_attribute(Attr.ERROR_TYPE.value, error_type)


def error_type_of(error: BaseException) -> str:
    """Return the low-cardinality `error.type` of an exception: its qualified name, without `builtins`."""
    kind = type(cause_of(error))
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def cause_of(error: BaseException) -> BaseException:
    """What a group of exceptions is about, if that is one thing: task groups wrap all that is raised inside them."""
    inside = getattr(error, "exceptions", None)
    while isinstance(inside, tuple) and inside and len({type(each) for each in inside}) == 1:
        error = inside[0]
        inside = getattr(error, "exceptions", None)
    return error


def is_failure(error: BaseException) -> bool:
    """Whether what ends a block is a failure: a program that exits as it means to is none."""
    return not (isinstance(error, SystemExit) and error.code in (None, 0))


def mark_failed(span: Span, error_type: str, message: str = "") -> None:
    """Set error status and `error.type`."""
    span.set_attribute(Attr.ERROR_TYPE.value, error_type)
    span.set_status(Status(StatusCode.ERROR, message or None))


def mark_raised(span: Span, error: BaseException) -> None:
    """Mark a span as failed by what was raised inside it."""
    if is_failure(error):
        mark_failed(span, error_type_of(error), text_of(error))


@contextmanager
def opened(name: str, kind: SpanKind, attributes: dict[str, str], inside: Context | None = None) -> Iterator[Span]:
    """Open a span as the current one, within a context; an exception is recorded on it, and passes on.

    OpenTelemetry's own would raise another one where the exception has no text, and complain at length where a
    generator is closed elsewhere.
    """
    span = trace.get_tracer(SCOPE).start_span(name, inside, kind, attributes)
    try:
        with attached(trace.set_span_in_context(span, inside)):
            yield span
    except Exception as error:
        with suppress(Exception):  # it may have no text
            span.record_exception(error)
        raise
    finally:
        span.end()


@contextmanager
def attached(inside: Context) -> Iterator[None]:
    """Make a context the current one. A generator may be closed in another, where there is nothing to go back to."""
    token = context.attach(inside)
    try:
        yield
    finally:
        with suppress(ValueError):
            token.var.reset(token)  # as OpenTelemetry does, but for what it says of a failure


def text_of(error: BaseException) -> str:
    """Return an exception's text; empty where it has none, which must not hide the exception itself."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 somebody else's __str__
        return ""


@contextmanager
def _span(name: str, kind: SpanKind, attributes: dict[str, str]) -> Iterator[Span]:
    with opened(name, kind, attributes) as span:
        try:
            yield span
        except BaseException as error:
            mark_raised(span, error)
            raise
