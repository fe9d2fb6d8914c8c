"""What is tested, and how one case is put to it: a Python function, a program, or a service over HTTP.

`module:function`, `http(s)://...`, anything else is a command. Not here: several cases at once (`running`).
"""

import asyncio
import hashlib
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, Self

from mcp.server import Server
from opentelemetry import baggage, context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from delivery.golden import capture
from delivery.golden.errors import GoldenError
from delivery.golden.matching import Player
from delivery.golden.observed import Span
from delivery.golden.replay import CASE

_FUNCTION: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRun:
    """What a system is given of a case: its input and what is frozen, never what is expected of it.

    `servers` are MCP servers in this process that answer from the tape: `mcp.client.Client(servers["orders"])`.
    """

    case: str
    run: int
    input: Any
    seed: int
    now: str | None = None
    task_type: str | None = None
    servers: Mapping[str, Server[Any]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Names this run in baggage and traces."""
        return f"{self.case}/{self.run}"

    @property
    def context(self) -> SpanContext:
        """The span that everything of this run lies under: the same ids for the same run."""
        made = hashlib.sha256(self.key.encode()).digest()
        return SpanContext(
            int.from_bytes(made[:16]), int.from_bytes(made[16:24]), is_remote=True, trace_flags=TraceFlags(1)
        )

    def document(self) -> dict[str, Any]:
        """What a program or a service is sent."""
        frozen = {"seed": self.seed, "now": self.now, "task_type": self.task_type}
        return {"case": self.case, "run": self.run, "input": self.input, "context": frozen}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a run. `invalid` says why it may not be judged; `again` whether another try may help.

    `missing`: spans that others lie below, and that did not come in time.
    """

    answer: Any = None
    spans: Sequence[Span] = ()
    events: capture.Events = field(default_factory=list)
    invalid: str = ""
    again: bool = False
    missing: int = 0


class System(Protocol):
    """Something that answers cases."""

    async def __aenter__(self) -> Self:
        """Get ready."""

    async def __aexit__(self, *_: object) -> None:
        """Let go of everything."""

    async def run(self, case: CaseRun, player: Player | None, limit_s: float) -> Reply:
        """Put one case to it. What goes wrong in the system is in the reply."""


@dataclass(slots=True)
class FunctionSystem:
    """A Python function of this process, `async` or not, that takes a CaseRun and returns the answer.

    It may be an async context manager: then it is entered once, before the first case.
    """

    function: Callable[[CaseRun], Any]
    name: str = ""
    _capture: capture.Capture | None = None

    async def __aenter__(self) -> Self:
        """Catch what it emits."""
        self._capture = capture.install()
        if isinstance(self.function, AbstractAsyncContextManager):
            await self.function.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let it close what it opened."""
        if isinstance(self.function, AbstractAsyncContextManager):
            await self.function.__aexit__(None, None, None)

    async def run(self, case: CaseRun, player: Player | None, limit_s: float) -> Reply:  # noqa: ARG002 tapes go by baggage
        """Call it below the run's own span."""
        if self._capture is None:
            raise RuntimeError("a FunctionSystem runs inside `async with`")
        inside = trace.set_span_in_context(NonRecordingSpan(case.context), baggage.set_baggage(CASE, case.key))
        self._capture.begin(case.context.trace_id)
        token = context.attach(inside)
        answer, invalid, again = None, "", False
        try:
            answer = await asyncio.wait_for(self._answer(case), limit_s)
        except TimeoutError:
            invalid = f"timeout: no answer within {limit_s:g} s"
        except Exception as error:  # noqa: BLE001 whatever a system raises is its result
            invalid, again = f"the system raised {type(error).__name__}: {error}", True
        finally:
            context.detach(token)
            spans, events = self._capture.take(case.context.trace_id)
        return Reply(answer=answer, spans=spans, events=events, invalid=invalid, again=again)

    async def _answer(self, case: CaseRun) -> Any:  # noqa: ANN401 any JSON
        kinds = (self.function, type(self.function).__call__)  # a function, or an object that is called like one
        if any(map(inspect.iscoroutinefunction, kinds)):
            return await self.function(case)
        found = await asyncio.to_thread(self.function, case)
        return await found if inspect.isawaitable(found) else found


def named(spelled: str) -> System:
    """The system that somebody wrote down. Raises GoldenError where a function cannot be found."""
    if spelled.startswith(("http://", "https://")):
        from delivery.golden.over_http import HttpSystem  # noqa: PLC0415 imported where it is used

        return HttpSystem(spelled)
    if _FUNCTION.fullmatch(spelled):
        return FunctionSystem(_function(spelled), spelled)
    from delivery.golden.commands import CommandSystem  # noqa: PLC0415 likewise

    return CommandSystem(spelled)


def _function(spelled: str) -> Callable[[CaseRun], Any]:
    module, _, attribute = spelled.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)  # as `python -m` does
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:  # a module may do anything when it is imported
        raise GoldenError(
            f"the system {spelled!r} cannot be found: {type(error).__name__}: {error}; fix: write module:function, and "
            "run this in the folder of the module"
        ) from error
    if not callable(found):
        raise GoldenError(f"the system {spelled!r} is a {type(found).__name__}; fix: name a function")
    return found  # type: ignore[no-any-return]  # what is called is seen when it is called
