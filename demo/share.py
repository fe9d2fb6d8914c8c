"""One process's share of a run with its telemetry, in this process or in a worker process.

A worker (`python -m demo.share`) gets its options as one JSON line on stdin and answers with JSON lines on stdout:
one per task, then its share. It ends when stdin closes, so nothing outlives a crashed parent.
"""

import asyncio
import gc
import json
import logging
import sys
from collections.abc import Callable
from typing import Any, Final

from agentobs import emit
from demo.runner import Options, Runner
from demo.system import SERVICE, SERVICE_VERSION

_FLUSH_S: Final = 2.0
_GC_THRESHOLDS: Final = (50_000, 20, 20)

OnOutcome = Callable[[str], None]


async def run_share(options: Options, on_outcome: OnOutcome, stopping: asyncio.Event) -> dict[str, Any]:
    """Run one worker's share with telemetry on and return its document. `stopping` ends it early."""
    logging.getLogger("mcp").setLevel(logging.WARNING)
    # The agent framework allocates so much that the collector's defaults cost a fifth of all CPU time.
    gc.set_threshold(*_GC_THRESHOLDS)
    telemetry = None
    if options.endpoint is not None:
        telemetry = emit.configure(
            service=SERVICE, version=SERVICE_VERSION, environment=options.environment, endpoint=options.endpoint
        )
    runner = Runner(options, lambda ended: on_outcome(ended.outcome.value))
    runner.share.truth.process_start(SERVICE)
    watch = asyncio.create_task(_stop_when(stopping, runner))
    try:
        share = await runner.run()
    finally:
        watch.cancel()
        lost = await asyncio.to_thread(telemetry.shutdown, _FLUSH_S) if telemetry else emit.Lost(0, 0)
    share.telemetry_lost += lost.total
    return share.document()


async def _stop_when(stopping: asyncio.Event, runner: Runner) -> None:
    await stopping.wait()
    runner.stop()


async def _work() -> None:
    options = Options(**json.loads(sys.stdin.readline()))
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Anything readable now is the end of the file: the parent is done with this worker, or dead.
    loop.add_reader(sys.stdin, stopping.set)

    def say(**message: object) -> None:
        try:
            print(json.dumps(message), flush=True)  # noqa: T201 the protocol
        except BrokenPipeError:  # a parent that died cannot be told
            stopping.set()

    share = await run_share(options, lambda outcome: say(outcome=outcome), stopping)
    loop.remove_reader(sys.stdin)
    say(share=share)


if __name__ == "__main__":
    asyncio.run(_work())
