"""A whole run: one share in this process, or several worker processes that take every n-th task each."""

import asyncio
import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from demo.children import python_path
from demo.runner import Options
from demo.share import OnOutcome, run_share

_STOP_S: Final = 6.0
_LINE_LIMIT: Final = 64 * 1024 * 1024  # a share is one line


@dataclass(slots=True)
class Crew:
    """The workers of a run. `on_outcome` is called after each task, `stopping` ends the run early."""

    options: Options
    on_outcome: OnOutcome
    stopping: asyncio.Event

    async def run(self) -> list[dict[str, Any]]:
        """Run all shares and return them. Raises RuntimeError when a worker ends without its share."""
        if self.options.workers == 1:
            return [await run_share(self.options, self.on_outcome, self.stopping)]
        return list(await asyncio.gather(*(self._worker(number) for number in range(self.options.workers))))

    async def _worker(self, number: int) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "demo.share"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT,
            env={**os.environ, "PYTHONPATH": python_path()},
            # Ctrl-C in a terminal is for this process, which tells the workers by closing their stdin.
            start_new_session=True,
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError(f"demo worker {number} has no pipes")
        process.stdin.write(json.dumps(asdict(replace(self.options, worker=number))).encode() + b"\n")
        closer = asyncio.create_task(_close_when(self.stopping, process.stdin))
        try:
            share = await self._listen(process.stdout)
        finally:
            closer.cancel()
            process.stdin.close()
            await asyncio.wait_for(process.wait(), _STOP_S)
        if share is None:
            raise RuntimeError(f"demo worker {number} ended without a result (exit code {process.returncode})")
        return share

    async def _listen(self, output: asyncio.StreamReader) -> dict[str, Any] | None:
        async for line in output:
            message: dict[str, Any] = json.loads(line)
            if "share" in message:
                share: dict[str, Any] = message["share"]
                return share
            self.on_outcome(message["outcome"])
        return None


async def _close_when(stopping: asyncio.Event, stdin: asyncio.StreamWriter) -> None:
    await stopping.wait()
    stdin.close()
