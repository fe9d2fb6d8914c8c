"""Which agent: spans of models and tools get the name, prompt and graph of the agent whose work they are.

Many frameworks put the agent's name on one span only, its own; a collector sees one span at a time and cannot know.
`agentobs.emit.configure` installs this. For a tracer provider that somebody else has made, one line:

    agentobs.context.adopt()

What is added is listed in `lineage`; what a framework says itself is never overwritten, but placeholders.
"""

import logging
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, SynchronousMultiSpanProcessor, TracerProvider

from agentobs.context.logs import AgentContextLogProcessor
from agentobs.context.processor import AgentContextProcessor

_log: Final = logging.getLogger(__name__)
__all__ = ["AgentContextLogProcessor", "AgentContextProcessor", "adopt"]


def adopt(provider: trace.TracerProvider | None = None) -> None:
    """Put the processor in front of all that a tracer provider exports to; the global one where none is given.

    Call it after the program or its framework has added its exporters, and again where more of them came later.
    Raises TypeError where the provider is not the OpenTelemetry SDK's, or has no exporter yet.
    """
    found = _innermost(provider if provider is not None else trace.get_tracer_provider())
    active = getattr(found, "_active_span_processor", None)
    exporters = getattr(active, "_span_processors", None)
    if not isinstance(found, TracerProvider) or not isinstance(exporters, tuple) or not exporters:
        raise TypeError(
            f"agentobs.context.adopt: {type(found).__qualname__} is no tracer provider of the OpenTelemetry SDK with "
            "exporters; expected one that the program has set up. Fix: call agentobs.emit.configure(...) instead, or "
            "adopt() after trace.set_tracer_provider(...) and add_span_processor(...)"
        )
    first = next((one for one in exporters if isinstance(one, AgentContextProcessor)), None)
    others = tuple(one for one in exporters if one is not first)
    _tell_twice(others)
    if first is None:
        first = AgentContextProcessor(_together(others))
    elif others:
        first.wrap(_together((first.wrapped, *others)))
    active._span_processors = (first,)  # type: ignore[union-attr]  # noqa: SLF001 there is no public way


def _innermost(provider: trace.TracerProvider) -> trace.TracerProvider:
    """The provider that makes the spans: Pydantic Logfire's global one passes on to the SDK's."""
    inner = getattr(provider, "provider", None)
    while isinstance(inner, trace.TracerProvider) and not isinstance(provider, TracerProvider):
        provider, inner = inner, getattr(inner, "provider", None)
    return provider


def _tell_twice(exporters: tuple[SpanProcessor, ...]) -> None:
    """What is exported twice to one place counts twice there, and nothing at that place can tell."""
    places = [getattr(getattr(one, "span_exporter", None), "_endpoint", None) for one in exporters]
    for place in {place for place in places if place is not None and places.count(place) > 1}:
        _log.warning(
            "agentobs: %d exporters send every span to %s, so it counts as often; remove one",
            places.count(place),
            place,
        )


def _together(processors: tuple[SpanProcessor, ...]) -> SpanProcessor:
    if len(processors) == 1:
        return processors[0]
    both = SynchronousMultiSpanProcessor()  # type: ignore[no-untyped-call]
    for one in processors:
        both.add_span_processor(one)
    return both
