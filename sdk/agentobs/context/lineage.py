"""A span's ancestors in this process, and what it takes from them: agent, prompt, graph, workflow, track.

Linked when a span starts, read when one ends: an ancestor's attributes are looked at as they are then, because most
frameworks say who the agent is only after the span has started, some only at its end.
"""

import weakref
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.baggage import get_all
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span

from agentobs.context.dialects import (
    EMIT,
    LANGCHAIN,
    PROMPT_IN_CONTEXT,
    Role,
    agent_of,
    handed_to,
    role_of,
    settled_role,
)
from agentobs.contract import ROLE_TASK, Attr

_AGENT: Final[str] = Attr.AGENT_NAME.value
_ROLE: Final[str] = Attr.SPAN_ROLE.value
_PROMPT_VERSION: Final[str] = Attr.PROMPT_VERSION.value
_OF_THE_RUN: Final[tuple[str, ...]] = (
    Attr.GRAPH_VERSION.value,
    Attr.TRACK.value,
    Attr.RELEASE.value,
    Attr.WORKFLOW_NAME.value,
    Attr.CONVERSATION_ID.value,
)
_PROMPT: Final = (Attr.PROMPT_NAME.value, _PROMPT_VERSION)
_OF_THE_AGENT: Final[tuple[str, ...]] = (*_PROMPT, *_OF_THE_RUN)
"""The prompt is one agent's; a nested agent does not take it over."""
_WORK: Final = (Role.MODEL, Role.TOOL, Role.HANDOFF, Role.AGENT, Role.WORKFLOW)
_OTHER: Final = Role.OTHER
_FAR: Final = 64
_NOTHING: Final[Mapping[str, Any]] = {}


class Node:
    """One span and its parent's node. The span itself is not kept: what has ended may go.

    `around` is the baggage that was set between the parent's start and this span's, at the root all of it; and the
    version of a prompt that OpenInference's context got there. `arguments` tell tool calls apart where known; `attempt`
    is counted once, however many processors ask. `post` is the closest one, itself included, of each 64th ancestor.
    `first` and `start` are `topmost` and `root` where those are other spans.
    """

    __slots__ = (
        "__weakref__", "_agent", "_name", "_role", "_seen", "_span", "arguments", "around", "attempt", "attributes",
        "baggage", "beyond", "depth", "ended", "failed_calls", "first", "in_context", "inner", "is_agent", "is_root",
        "is_task", "is_top", "last_agent_failed", "learnt", "lent", "parent", "post", "scope", "scopes", "start",
    )  # fmt: skip
    depth: int
    scopes: frozenset[str]
    is_top: bool
    first: "Node | None"
    post: "Node | None"
    start: "Node | None"

    def __init__(self, span: Span, parent: "Node | None", context: Context | None, *, is_root: bool) -> None:
        scope = span.instrumentation_scope
        self.scope = scope.name if scope is not None else ""
        self.parent = parent
        self.attributes = _inside(span)
        self.baggage = get_all(context)
        self.around = self.baggage if parent is None else _set_since(parent.baggage, self.baggage)
        self.in_context = self.attributes.get(PROMPT_IN_CONTEXT)
        if self.in_context is not None and (parent is None or parent.in_context != self.in_context):
            self.around = {_PROMPT_VERSION: str(self.in_context), **self.around}
        self.is_root = is_root
        self.is_task = self.scope == EMIT and self.attributes.get(_ROLE) == ROLE_TASK
        self._place(parent)
        self.ended = False
        self.arguments = ""
        self.attempt: int | None = None
        self.lent: Mapping[str, Any] = _NOTHING
        self.failed_calls: dict[tuple[str, str, str], tuple[int, int]] | None = None
        self.last_agent_failed: str | None = None
        self.is_agent = False
        self.inner: weakref.ref[Node] | None = None
        self.learnt = ""
        self._span: weakref.ref[Span] | None = weakref.ref(span)
        self._name = span.name
        self._role = Role.OTHER
        self._seen = -1
        self._agent: str | None = None

    def _place(self, parent: "Node | None") -> None:
        """Note once what does not change about the ancestors: nobody has to look for it at each end."""
        self.beyond: dict[bool, Inherited] | None = None
        if parent is None:
            self.depth, self.is_top, self.scopes = 0, True, frozenset((self.scope,))
            self.post = self.first = self.start = None
            return
        self.depth, self.post = parent.depth + 1, parent.post
        self.is_top = self.scope not in parent.scopes
        self.scopes = parent.scopes | {self.scope} if self.is_top else parent.scopes
        self.first = parent.first or parent
        self.start = None if self.is_root else parent.start or parent
        if self.depth % _FAR == 0:
            if self.post is not None:
                self.post.look_beyond()
            self.post = self

    def look_beyond(self) -> None:
        """Keep what the ancestors say now: it is passed on to spans far below, which do not ask them again."""
        if self.parent is not None:
            self.beyond = {inside: _climb(self.parent, own=False, inside=inside) for inside in (True, False)}

    @property
    def topmost(self) -> "Node":
        """The first span of this process that led here; itself where that is it."""
        return self.first or self

    @property
    def root(self) -> "Node":
        """The closest span without a parent of its own."""
        return self.start or self

    def end(self, span: ReadableSpan) -> None:
        """Take what is final; the live span is not asked any more."""
        self._name, self._span, self.ended = span.name, None, True

    @property
    def live(self) -> Span | None:
        """The span itself while it is open."""
        return self._span() if self._span is not None else None

    @property
    def name(self) -> str:
        """The span's name as it is now."""
        span = self.live
        return span.name if span is not None else self._name

    @property
    def role(self) -> Role:
        """What the span stands for, as far as it is known."""
        # Looked up again only when an attribute was added: most ancestors are asked by each of their descendants.
        if self._seen != len(self.attributes):
            self._seen = len(self.attributes)
            settled = settled_role(self.scope, self.attributes)
            self._role = settled or role_of(self.scope, self.name, self.attributes, is_top=self.is_top)
        return self._role

    @property
    def agent(self) -> str | None:
        """The agent that the span itself names."""
        # What was said once stays: one instrumentation writes its placeholder over the name again.
        if self._agent is None:
            self._agent = agent_of(self.scope, self.name, self.role, self.attributes)
        return self._agent

    def nearest(self, *roles: Role) -> "Node | None":
        """The closest ancestor of one of some roles, unless that is very far."""
        node, last = self.parent, self.depth - 2 * _FAR
        while node is not None and node.role not in roles:
            node = node.parent if node.depth > last else None
        return node


class Inherited:
    """What one walk up from a span finds.

    `values` are what it should carry: keys of the contract. `waits_for` is its agent's span where that has not said the
    agent's name yet. `outer` is the closest span around that stands for some work.
    """

    __slots__ = ("outer", "values", "waits_for")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.waits_for: Node | None = None
        self.outer: Node | None = None

    def add(self, beyond: "Inherited") -> None:
        """Fill in what is known of ancestors that are far away."""
        for key, value in beyond.values.items():
            self.values.setdefault(key, value)
        self.outer = self.outer or beyond.outer
        silent = beyond.waits_for
        if silent is not None and _AGENT not in self.values:
            if silent.agent is not None:
                self.values[_AGENT] = silent.agent
            elif not silent.ended:
                self.waits_for = silent


def inherited(node: Node) -> Inherited:
    """Return what a span should carry by itself and its ancestors, and what is around it.

    Order: the span's own words, baggage set around it, its parent's words, and so on; baggage of a remote caller last.
    The prompt is that of the nearest agent only, as its span or the baggage that names it has it.
    """
    return _climb(node, own=True, inside=True)


def _climb(first: Node, *, own: bool, inside: bool) -> Inherited:
    """Walk up from a span; `own` where it is the one that asks, `inside` while no agent has been passed.

    The closest ancestors are asked as they are now, up to twice 64 of them. What those above said when the 64th below
    them started is kept: an agent that calls itself without end must not cost the square of its depth.
    """
    made = Inherited()
    found = made.values
    current: Node | None = first
    while current is not None:
        attributes, around, role = current.attributes, current.around, current.role
        if role is not _OTHER or attributes or around:  # many steps of frameworks say nothing
            if made.outer is None and not own and role in _WORK:
                made.outer = current
            # A framework may have spans around the agent's own, and the program says around those who it is.
            is_named = bool(around) and _AGENT in around and around[_AGENT] == found.get(_AGENT)
            keys = _OF_THE_AGENT if inside or is_named else _OF_THE_RUN
            if inside:
                agent, is_border = _agent_at(current, role, own=own)
                if agent is not None:
                    found.setdefault(_AGENT, agent)
                elif is_border and _AGENT not in found and not current.ended and not current.is_task:
                    made.waits_for = current
                # An agent whose name is not known is still not the one around it.
                inside = not is_border
            _take(found, keys, attributes, around)
        if current.beyond is not None and first.depth - current.depth >= _FAR:
            made.add(current.beyond[inside])
            break
        current, own = current.parent, False
    return made


def _take(found: dict[str, Any], keys: tuple[str, ...], *sources: Mapping[str, Any]) -> None:
    """Fill in what is not known yet."""
    for source in sources:
        if source and not source.keys().isdisjoint(keys):
            for key in keys:
                if key in source and key not in found:
                    found[key] = source[key]


def _agent_at(node: Node, role: Role, *, own: bool) -> tuple[str | None, bool]:
    """The agent that a span, or the baggage set around it, names; and whether what is above belongs to another one.

    Who asks for a task, in this process or in another one, is not who works on it.
    """
    around = node.around
    agent: str | None = None
    is_border = role is Role.AGENT or (role is Role.HANDOFF and not own) or node.is_task
    if role is Role.HANDOFF and not own:
        agent = handed_to(node.attributes)
    elif own or is_border or _AGENT in node.attributes or node.scope == LANGCHAIN:
        agent = node.agent
    if not around or _AGENT not in around:
        return agent, is_border
    stated = around[_AGENT]
    return (agent if agent is not None or stated is None else str(stated)), True


def node_of(span: object) -> Node | None:
    """The node of a live span of this process, also of one that Logfire has wrapped; None for any other."""
    found = getattr(span, "_agentobs", None)
    return found if found is not None else getattr(getattr(span, "span", None), "_agentobs", None)


def _set_since(before: Mapping[str, Any], after: Mapping[str, Any]) -> Mapping[str, Any]:
    if after == before:
        return _NOTHING
    # Who names an agent states its prompt too, also where it is that of the task.
    stated = _PROMPT if before.get(_AGENT) != after.get(_AGENT) else ()
    return {key: value for key, value in after.items() if key in stated or before.get(key) != value}


def _inside(span: ReadableSpan) -> Mapping[str, Any]:
    """The attributes as they are at any time: the SDK's own mapping takes long to say that a key is missing."""
    attributes = span._attributes  # noqa: SLF001 the same mapping until the span ends
    inner = getattr(attributes, "_dict", None)
    if isinstance(inner, dict):
        return inner
    return attributes if attributes is not None else _NOTHING
