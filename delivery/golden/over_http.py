"""A running service as the system under test: each case is one POST, the answer its JSON (or its `answer` field).

The service goes on with `traceparent` and `baggage`, and exports OTLP to `AGENTOBS_GOLDEN_OTLP_PORT` (4328). Its tools
are at the addresses in `mcp_servers` of the request.
"""

import asyncio
import os
from dataclasses import dataclass, field
from typing import Any, Final, Self

import requests

from delivery.golden.errors import GoldenError
from delivery.golden.matching import Player
from delivery.golden.receiver import Receiver
from delivery.golden.replay import CASE
from delivery.golden.systems import CaseRun, Reply
from delivery.golden.tape_http import TapesOverHttp

_PORT: Final = "AGENTOBS_GOLDEN_OTLP_PORT"
_LATE_S: Final = 10.0
"""How long to wait for a trace after the answer: exporters send in batches."""


@dataclass(slots=True)
class HttpSystem:
    """One address that takes a case and gives an answer."""

    address: str
    _tapes: TapesOverHttp = field(default_factory=TapesOverHttp)
    _receiver: Receiver = field(default_factory=lambda: Receiver(int(os.environ.get(_PORT, "4328"))))

    async def __aenter__(self) -> Self:
        """Listen for its telemetry, and serve the tapes."""
        try:
            self._receiver.__enter__()
        except OSError as error:
            raise GoldenError(
                f"port {self._receiver.port} for the telemetry of the service is taken ({error.strerror}); fix: set "
                f"{_PORT}, and let the service export there"
            ) from None
        await self._tapes.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop both."""
        await self._tapes.__aexit__()
        self._receiver.__exit__()

    async def run(self, case: CaseRun, player: Player | None, limit_s: float) -> Reply:  # noqa: ARG002 tapes go by address
        """Ask, then wait for the trace."""
        servers = await self._tapes.addresses(case.servers, case.key)
        try:
            answer = await asyncio.to_thread(self._asked, case, servers, limit_s)
        except requests.Timeout:
            return Reply(invalid=f"timeout: no answer within {limit_s:g} s")
        except (requests.RequestException, ValueError) as error:
            return Reply(invalid=f"the service failed: {error}", again=True)
        trace = f"{case.context.trace_id:032x}"
        whole = await asyncio.to_thread(self._receiver.wait, trace, min(limit_s, _LATE_S))
        spans, events = self._receiver.take(trace)
        strangers = "" if spans else self._strangers()
        return Reply(
            answer=answer, spans=spans, events=events, invalid=strangers, missing=int(bool(spans) and not whole)
        )

    def _asked(self, case: CaseRun, servers: dict[str, str], limit_s: float) -> Any:  # noqa: ANN401 any JSON
        context = case.context
        headers = {
            "traceparent": f"00-{context.trace_id:032x}-{context.span_id:016x}-01",
            "baggage": f"{CASE}={case.key}",
        }
        body = {**case.document(), "mcp_servers": servers}
        found = requests.post(self.address, json=body, headers=headers, timeout=limit_s)
        found.raise_for_status()
        try:
            made = found.json()
        except ValueError:
            return found.text
        return made.get("answer", made) if isinstance(made, dict) else made

    def _strangers(self) -> str:
        others = len(self._receiver.traces())
        if not others:
            return ""
        return (
            f"{others} traces came, none of this run: the service does not go on with `traceparent`; fix: "
            "extract the context of the request before `emit.task`"
        )
