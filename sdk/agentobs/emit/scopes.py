"""Tasks and agents: the scopes whose slice attributes reach every span and log record inside, through baggage.

Not here: single calls inside an agent (`calls`).
"""

import asyncio
import concurrent.futures
import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from opentelemetry import baggage, context
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from agentobs.context.stated import Stated, within
from agentobs.contract import ROLE_TASK, Attr, Operation, Outcome, Track
from agentobs.contract.failures import HANDOVER, PAUSE
from agentobs.emit.calls import (
    attached,
    cause_of,
    error_type_of,
    is_failure,
    mark_failed,
    mark_raised,
    opened,
)
from agentobs.emit.texts import whole

_TASK_KEY: Final = context.create_key("agentobs.task")
# Before Python 3.11 these were three classes.
_TIMEOUTS: Final = (TimeoutError, asyncio.TimeoutError, concurrent.futures.TimeoutError)
# Few clients derive theirs from Python's: httpx.ReadTimeout, openai.APITimeoutError, google's DeadlineExceeded.
_TIMED_OUT: Final = re.compile("(?i)timeout|timed.?out|deadline")
_CANCELLATIONS: Final = (
    asyncio.CancelledError, concurrent.futures.CancelledError, KeyboardInterrupt, GeneratorExit,
)  # fmt: skip
# error.type of a task that ended badly without an exception, by outcome; the collector classes them.
_ERROR_OF_OUTCOME: Final = {Outcome.FAILURE: "task_failed", Outcome.TIMEOUT: "timeout"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """A named prompt template. With `text` its hash tells two texts apart that share a version by mistake."""

    name: str
    version: str
    text: str | None = None

    @property
    def hash(self) -> str | None:
        """SHA-256 of the text, or None without a text."""
        return hashlib.sha256(self.text.encode()).hexdigest() if self.text is not None else None


class Task:
    """The running task. What is set here is written to the task span when it ends."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self._outcome: Outcome | None = None
        self.error_type: str | None = None
        self.retries = 0
        self.cost_usd = 0.0
        self.tokens = 0
        self._has_usage = False
        self._plan: tuple[int, int] | None = None

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, where the program has said so. Setting what is no `Outcome`, or its text, is a ValueError."""
        return self._outcome

    @outcome.setter
    def outcome(self, value: Outcome | str | None) -> None:
        self._outcome = None if value is None else Outcome(value)

    def plan(self, *, planned: int, completed: int) -> None:
        """Set how many steps the plan has and how many were done; a later call replaces an earlier one."""
        self._plan = (planned, completed)

    def add_usage(self, *, cost_usd: float = 0.0, tokens: int = 0) -> None:
        """Add money (US dollars) and tokens (input and output) of one model call to the task's sums."""
        self._has_usage = True
        self.cost_usd += float(cost_usd)  # a Decimal is as good
        self.tokens += tokens

    def _fail(self, error: BaseException) -> None:
        if not is_failure(error):
            return
        self.error_type = error_type_of(error)
        if self.outcome is None:
            self.outcome = _outcome_of(error)

    def _write(self) -> None:
        outcome = self.outcome or Outcome.SUCCESS
        self.span.set_attribute(Attr.TASK_OUTCOME.value, outcome.value)
        # An application that does not sum usage per task must not make every task look free.
        if self._has_usage:
            self.span.set_attribute(Attr.TASK_COST.value, self.cost_usd)
            self.span.set_attribute(Attr.TASK_TOKENS.value, self.tokens)
        self.span.set_attribute(Attr.TASK_RETRIES.value, self.retries)
        if self._plan is not None:
            self.span.set_attribute(Attr.PLAN_PLANNED.value, self._plan[0])
            self.span.set_attribute(Attr.PLAN_COMPLETED.value, self._plan[1])
        if error_type := self.error_type or _ERROR_OF_OUTCOME.get(outcome):
            mark_failed(self.span, error_type)


@contextmanager
def task(  # noqa: PLR0913 keyword-only attributes of one task
    *,
    workflow: str,
    type: str,  # noqa: A002 the contract's word: agentic.task.type
    graph_version: str,
    prompt: Prompt | None = None,
    track: Track = Track.STABLE,
    task_id: str | None = None,
    conversation_id: str | None = None,
    release: str | None = None,
) -> Iterator[Task]:
    """Wrap one user request in the span that all task KPIs come from.

    The outcome is `success` at a clean exit; an exception makes it `timeout` (a client's own, too), `cancelled`
    (CancelledError), `needs_human` (a pause of LangGraph, pydantic-ai or CrewAI) or `failure`, and passes on; setting
    `outcome` on the task wins over both. A failed or timed out task has an error status. `prompt` is the main agent's,
    so that tasks can be compared by prompt version. Ids stay on the span and never become labels; `task_id` is made up
    when missing, `conversation_id` defaults to it. `release` is the id that `agentobs.pins` says.
    """
    task_id = task_id or str(uuid.uuid4())
    slices: dict[Attr, str | None] = {
        Attr.CONVERSATION_ID: conversation_id or task_id,
        Attr.GRAPH_VERSION: graph_version,
        Attr.TRACK: Track(track).value,
        Attr.RELEASE: release,
        Attr.AGENT_NAME: None,
        Attr.PROMPT_NAME: prompt.name if prompt else None,
        Attr.PROMPT_VERSION: prompt.version if prompt else None,
    }
    attributes = {
        Attr.OPERATION.value: Operation.INVOKE_WORKFLOW.value,
        Attr.SPAN_ROLE.value: ROLE_TASK,
        Attr.WORKFLOW_NAME.value: workflow,
        Attr.TASK_TYPE.value: type,
        Attr.TASK_ID.value: task_id,
    }
    name = f"{Operation.INVOKE_WORKFLOW} {workflow}"
    stated = within(_with_baggage(context.get_current(), slices), None)
    inside = context.set_value(_TASK_KEY, task_id, stated)
    with opened(name, SpanKind.INTERNAL, attributes, inside) as span:
        running = Task(span)
        try:
            yield running
        except BaseException as error:
            running._fail(error)  # noqa: SLF001 the task's own life cycle
            raise
        finally:
            running._write()  # noqa: SLF001 the task's own life cycle


def current_task_id() -> str | None:
    """The id of the task that runs here, None outside of one."""
    found = context.get_value(_TASK_KEY)
    return found if isinstance(found, str) else None


@contextmanager
def agent(
    name: str,
    prompt: Prompt | None = None,
    *,
    span: bool = True,
    attempt: int = 0,
    fallback_from: str | None = None,
) -> Iterator[None]:
    """Put agent name and prompt on everything inside, and wrap it in an `invoke_agent` span.

    `span=False` is for a framework that makes the `invoke_agent` span itself: then only the slice attributes are set,
    and `attempt` and `fallback_from` are put on the framework's span. Nested agents: the inner one wins.
    """
    slices: dict[Attr, str | None] = {
        Attr.AGENT_NAME: name,
        Attr.PROMPT_NAME: prompt.name if prompt else None,
        Attr.PROMPT_VERSION: prompt.version if prompt else None,
    }
    stated = Stated(prompt.hash if prompt else None, attempt, fallback_from)
    inside = within(_with_baggage(context.get_current(), slices), stated)
    with _agent_span(name, inside) if span else attached(inside):
        yield


@contextmanager
def _agent_span(name: str, inside: Context) -> Iterator[None]:
    attributes = {Attr.OPERATION.value: Operation.INVOKE_AGENT.value}
    with opened(f"{Operation.INVOKE_AGENT} {name}", SpanKind.INTERNAL, attributes, inside) as span:
        try:
            yield
        except BaseException as error:
            mark_raised(span, error)
            raise


def _with_baggage(base: Context, slices: Mapping[Attr, str | None]) -> Context:
    for key, value in slices.items():
        # None removes what an outer scope set: an agent without a prompt must not inherit another agent's.
        # A version may be a number; what travels is text.
        base = (
            baggage.remove_baggage(key.value, base)
            if value is None
            else baggage.set_baggage(key.value, whole(str(value)), base)
        )
    return base


def _outcome_of(error: BaseException) -> Outcome:
    error = cause_of(error)
    kind = error_type_of(error)
    if re.match(PAUSE, kind):
        return Outcome.NEEDS_HUMAN
    if re.match(HANDOVER, kind):
        return Outcome.SUCCESS
    if isinstance(error, _TIMEOUTS) or _TIMED_OUT.search(kind):
        return Outcome.TIMEOUT
    if isinstance(error, _CANCELLATIONS):
        return Outcome.CANCELLED
    return Outcome.FAILURE
