"""What one run of a case did, read from the spans of the contract: agents in their order, tools, use, violations.

Spans come from any language. Not here: how they are caught (`capture`, `receiver`).
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from agentobs import canonical
from agentobs.contract import ROLE_TASK, Attr, Event, Operation
from collector.prices import PriceTable, load

ANSWER_KEPT: Final = 4000
"""Characters of an answer that a report keeps; its digest is over all of it."""
_MOST: Final = 1e12
_MODEL: Final = {"chat", "text_completion", "generate_content"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span, whoever made it. Times are nanoseconds."""

    trace: str
    id: str
    parent: str
    name: str
    start: int
    end: int
    server_side: bool = False
    attributes: Mapping[str, Any]

    def said(self, key: Attr) -> Any:  # noqa: ANN401 attributes are of any type
        """An attribute."""
        return self.attributes.get(key.value)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool. `attempt` is 0 for the first; `arguments` None where nobody recorded them."""

    name: str
    arguments: Any = None
    error: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a run did. `path` are agents in their order; those that overlapped in time stand in one step.

    `invalid` says why nothing may be concluded from it: no telemetry, a tape miss, two task roots, a time limit.
    """

    outcome: str = ""
    answer: Any = None
    path: tuple[tuple[str, ...], ...] = ()
    tools: tuple[ToolCall, ...] = ()
    violations: tuple[str, ...] = ()
    model_calls: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    retries: int = 0
    invalid: str = ""
    notes: tuple[str, ...] = ()
    ms: float = field(default=0.0, compare=False)

    @property
    def answer_text(self) -> str:
        """The answer as text that every encoding holds, whatever a system returned."""
        text = (
            self.answer if isinstance(self.answer, str) else json.dumps(self.answer, ensure_ascii=False, default=repr)
        )
        return text.encode("utf-8", "replace").decode()

    @property
    def behaviour(self) -> str:
        """A digest of path, tools, outcome and answer: equal where two runs did the same."""
        told = [
            self.outcome,
            self.invalid,
            [list(step) for step in self.path],
            [[call.name, repr(call.arguments), call.error] for call in self.tools],
            self.answer_text,
        ]
        return canonical.digest(json.dumps(told))[:16]  # as ASCII: what was said may be no text


def observe(  # noqa: PLR0913 all that is known of one run
    spans: Sequence[Span],
    events: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    answer: Any,  # noqa: ANN401 any JSON
    invalid: str = "",
    asked: Sequence[tuple[str, dict[str, Any]]] = (),
    ms: float = 0.0,
) -> Observation:
    """Read the spans of one run. `asked` are the calls that the tapes saw, for spans without arguments."""
    roots = [span for span in spans if span.said(Attr.SPAN_ROLE) == ROLE_TASK and not span.server_side]
    if not invalid and not roots:
        invalid = "no telemetry: no task span arrived; fix: wrap the work in `emit.task` (sdk/README.md)"
    if not invalid and len(roots) > 1:
        invalid = f"{len(roots)} task spans in one run; fix: one `emit.task` around everything that a case does"
    root = roots[0] if roots else None
    models = [span for span in spans if span.said(Attr.OPERATION) in _MODEL and not span.server_side]
    violations = [str(said.get(Attr.POLICY_ID.value, "")) for name, said in events if name == Event.POLICY_VIOLATION]
    return Observation(
        outcome=str(root.said(Attr.TASK_OUTCOME) or "") if root else "",
        answer=answer,
        path=_path(spans),
        tools=_tools(spans, asked),
        violations=tuple(sorted(violations)),
        model_calls=len(models),
        tokens=sum(_tokens(span) for span in models),
        cost_usd=round(_stated(root) or sum(_cost(span) for span in models), 9),
        retries=_count(root.said(Attr.TASK_RETRIES)) if root else 0,
        invalid=invalid,
        ms=round(ms, 1),
    )


def _path(spans: Sequence[Span]) -> tuple[tuple[str, ...], ...]:
    by_id = {span.id: span for span in spans}
    agents = [span for span in spans if span.said(Attr.OPERATION) == Operation.INVOKE_AGENT and not _again(span, by_id)]
    agents.sort(key=lambda span: (span.start, span.end, span.id))
    steps: list[list[Span]] = []
    for span in agents:
        beside = steps and any(each.parent == span.parent and span.start < each.end for each in steps[-1])
        if beside:
            steps[-1].append(span)
        else:
            steps.append([span])
    return tuple(tuple(sorted(_agent(span) for span in step)) for step in steps)


def _again(span: Span, by_id: Mapping[str, Span]) -> bool:
    """Whether a span repeats another: a retry, a fallback, or a framework's span inside ours for the same agent."""
    if _count(span.said(Attr.RETRY_ATTEMPT)) > 0 or span.said(Attr.FALLBACK_FROM):
        return True
    above = by_id.get(span.parent)
    return above is not None and above.said(Attr.OPERATION) == Operation.INVOKE_AGENT and _agent(above) == _agent(span)


def _agent(span: Span) -> str:
    return str(span.said(Attr.AGENT_NAME) or span.name.removeprefix(f"{Operation.INVOKE_AGENT} "))


def _tools(spans: Sequence[Span], asked: Sequence[tuple[str, dict[str, Any]]]) -> tuple[ToolCall, ...]:
    """Outermost spans of tools: inside lie the client's request and the server's span of the same call."""
    by_id = {span.id: span for span in spans}
    found = [span for span in spans if _is_tool(span) and not _inside_tool(span, by_id)]
    found.sort(key=lambda span: (span.start, span.end, span.id))
    waiting: dict[str, list[dict[str, Any]]] = {}
    for name, arguments in asked:
        waiting.setdefault(name, []).append(arguments)
    made = []
    for span in found:
        name = str(span.said(Attr.TOOL_NAME) or span.name.removeprefix(f"{Operation.EXECUTE_TOOL} "))
        seen = waiting.get(name)
        recorded = seen.pop(0) if seen else None
        said = _json(span.said(Attr.TOOL_ARGUMENTS))
        attempt = _count(span.said(Attr.RETRY_ATTEMPT))
        made.append(ToolCall(name, recorded if said is None else said, str(span.said(Attr.ERROR_TYPE) or ""), attempt))
    return tuple(made)


def _is_tool(span: Span) -> bool:
    return span.said(Attr.OPERATION) == Operation.EXECUTE_TOOL and not span.server_side


def _inside_tool(span: Span, by_id: Mapping[str, Span]) -> bool:
    above, seen = by_id.get(span.parent), {span.id}
    while above is not None and above.id not in seen:
        if _is_tool(above):
            return True
        seen.add(above.id)
        above = by_id.get(above.parent)
    return False


def _json(value: Any) -> Any:  # noqa: ANN401 attributes are of any type
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _amount(value: Any) -> float:  # noqa: ANN401 attributes are of any type
    """A number that a sender gave; what is none counts as nothing."""
    sound = isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= _MOST
    return float(value) if sound else 0.0


def _count(value: Any) -> int:  # noqa: ANN401 attributes are of any type
    return int(_amount(value))


def _tokens(span: Span) -> int:
    return _count(span.said(Attr.INPUT_TOKENS)) + _count(span.said(Attr.OUTPUT_TOKENS))


def _stated(root: Span | None) -> float:
    return _amount(root.said(Attr.TASK_COST)) if root else 0.0


@cache
def _prices() -> PriceTable:
    return load()


def _cost(span: Span) -> float:
    model = str(span.said(Attr.RESPONSE_MODEL) or span.said(Attr.REQUEST_MODEL) or "")
    spent = _count(span.said(Attr.INPUT_TOKENS)), _count(span.said(Attr.OUTPUT_TOKENS))
    return _prices().cost_usd(model, *spent) or 0.0
