"""Make `support-desk/`: 200 golden cases of the demo, their tapes, the lock and the baseline. Again: the same bytes.

Run it from the root of the repository: `python examples/golden/make_dataset.py`. What is expected comes from the rules
of the desk (`demo.system`), not from what the desk did: a request on which the healthy desk breaks them is left out.
"""

import asyncio
import datetime as dt
import functools
import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from delivery.golden import baseline, dataset, files, freezing, recording
from delivery.golden.criteria import score
from delivery.golden.example import Example
from delivery.golden.observed import Observation, observe
from delivery.golden.running import Runner, Settings
from delivery.golden.systems import CaseRun, FunctionSystem
from delivery.golden.tape import Tape
from demo import golden
from demo.scenarios import HEALTHY
from demo.system import FALLBACK_OF, PLAN_OF, AgentName, TaskType, ToolName
from demo.tools.catalogue import HINTS, functions_of
from demo.workload import Request, request

FOLDER: Final = Path(__file__).parent / "support-desk"
CASES: Final = 200
BROKEN: Final = {190 + number: tool for number, tool in enumerate((ToolName.KB_SEARCH, ToolName.ORDER_LOOKUP) * 5)}
"""The last ten cases: a tool that fails every time."""
SEED: Final = 20
STRAIGHT: Final = tuple(AgentName)
AGAIN: Final = (*STRAIGHT, AgentName.EXECUTOR, AgentName.CRITIC)
LONG_AGO: Final = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
_broken: set[str] = set()


def main() -> None:
    """Write the folder anew."""
    if FOLDER.exists():
        shutil.rmtree(FOLDER)
    asyncio.run(_make())
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    sys.stdout.write(f"{FOLDER}: {CASES} cases, {size // 1024} KiB\n")


async def _make() -> None:
    async with AsyncExitStack() as stack:
        servers = {name: _server(name, spec.version) for name, spec in HEALTHY.servers.items()}
        recorder = recording.Recorder(await recording.opened(stack, servers))
        await recorder.begin()
        system = await stack.enter_async_context(FunctionSystem(golden.healthy))
        logging.getLogger().setLevel(logging.ERROR)  # the desk tells of each request
        cases, tapes = [], []
        numbers: Iterator[int] = iter(range(10_000))
        while len(cases) < CASES:
            case, tape = await _case(recorder, system, next(numbers), BROKEN.get(len(cases)))
            if case is not None:
                cases.append(case)
                tapes.append(tape)
        for name, content in recording.files_of(tapes, [*recorder.surfaces.values()]).items():
            files.write(FOLDER / dataset.TAPES / f"{name}.json", content)
        lines = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
        files.write(FOLDER / dataset.CASES, lines.encode())
        _freeze()
        made = dataset.load(FOLDER)
        results = await Runner(made, system, Settings(jobs=16)).play(made.cases, range(10))
    past = baseline.made(made, results, system="demo.golden:healthy", by="make_dataset.py", at=LONG_AGO.isoformat())
    baseline.write(FOLDER / baseline.FILE, past)


def _freeze() -> None:
    draft = dataset.draft(FOLDER)
    freezing.freeze(draft, version="1", reason="the first 200", by="make_dataset.py", at=LONG_AGO)


async def _case(
    recorder: recording.Recorder, system: FunctionSystem, number: int, broken: ToolName | None
) -> tuple[dict[str, Any] | None, Tape]:
    asked = request(SEED, number, HEALTHY)
    _broken.clear()
    _broken.update([broken] if broken in PLAN_OF[asked.type] else [])
    given = CaseRun(
        case=f"{asked.type}-{number}".replace("_", "-"),
        run=0,
        input={**asdict(asked), "type": asked.type.value},
        seed=SEED,
    )
    reply, tape = await recorder.record(system, given, 60.0)
    tape = tape.model_copy(update={"calls": tuple(call.model_copy(update={"ms": 0.0}) for call in tape.calls)})
    seen = observe(reply.spans, reply.events, answer=reply.answer, invalid=reply.invalid,
                   asked=[(call.tool, call.arguments) for call in tape.calls])  # fmt: skip
    case = {"id": given.case, "input": given.input, **_expected(asked, seen, broken)}
    case |= {"tape": recording.written(tape)[0], "context": {"seed": SEED, "task_type": asked.type.value}}
    case["provenance"] = {"source": "human_reviewed", "reviewed_by": "agentobs", "approved_by": "agentobs"}
    wrong = broken is not None and broken not in PLAN_OF[asked.type]
    fine = not wrong and all(check.passed for check in score(Example.model_validate_json(json.dumps(case)), seen))
    return (case if fine else None), tape


def _expected(asked: Request, seen: Observation, broken: ToolName | None) -> dict[str, Any]:
    """By the rules of the desk; `seen` decides only which of the ways that they allow the case is about."""
    plan = list(PLAN_OF[asked.type])
    if seen.outcome == "needs_human":
        return _fields("A person takes over; no tool is called.", [], ["router"], {"outcome": "needs_human"}, "edge")
    if broken in FALLBACK_OF:
        used = [FALLBACK_OF.get(tool, tool) if tool == broken else tool for tool in plan]
        tools = [*({"name": tool} for tool in used)]
        wanted = {"outcome": "success", "tools": tools, "limits": {"retries": 3 + 1}}
        text = f"{broken} fails three times; the desk answers with its stand-in."
        return _fields(text, sorted({*plan, *used}), list(STRAIGHT), wanted, "failure")
    if broken is not None:
        wanted = {"outcome": "failure", "answer": {"contains": ["I am sorry", broken]}, "limits": {"tool_calls": 3}}
        text = f"{broken} fails three times; the desk gives up, says so, and refunds nothing."
        return _fields(text, [broken], list(STRAIGHT[:3]), wanted, "failure")
    again = len(seen.path) > len(STRAIGHT)
    contains = [asked.order] if ToolName.ORDER_LOOKUP in plan else []
    wanted = {
        "outcome": "success",
        "tools": [{"name": tool, "args": _arguments(tool, asked), "min": 1 + again, "max": 1 + again} for tool in plan],
        "answer": {"contains": ["Here is what I found.", *contains]},
        "limits": {"cost_usd": 0.08 * (1 + again), "tool_calls": len(plan) * (1 + again) + 1},
    }
    if seen.violations:
        wanted["violations"] = 1
    text = "The critic sends the answer back once; the second is right." if again else "The plan is carried out once."
    if asked.type is TaskType.REFUND:
        text += " The customer is told the booking number of the refund."
    odd = again or bool(seen.violations)
    return _fields(text, plan, list(AGAIN if again else STRAIGHT), wanted, "edge" if odd else "normal")


def _fields(text: str, tools: list[Any], path: list[Any], criteria: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "expected_behavior": text,
        "tools_allowed": [str(tool) for tool in tools],
        "success_criteria": json.loads(json.dumps(criteria)),
        "agent_path_expected": [str(agent) for agent in path],
        "kind": kind,
    }


def _arguments(tool: ToolName, asked: Request) -> dict[str, Any]:
    if tool is ToolName.KB_SEARCH:
        return {"query": asked.text}
    return {"order_id": asked.order, **({"reason": "damaged"} if tool is ToolName.REFUND_QUOTE else {})}


def _server(name: Any, version: str) -> MCPServer:  # noqa: ANN401 a ServerName, which the demo alone knows
    server = MCPServer(name, version=version, log_level="ERROR")
    for tool, function in functions_of(name).items():
        server.add_tool(
            _guarded(function), name=tool, description=function.__doc__, annotations=HINTS[tool],
            structured_output=False,
        )  # fmt: skip
    return server


def _guarded(function: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(function)
    def tool(**arguments: Any) -> str:  # noqa: ANN401 the wrapped function's signature is what counts
        if function.__name__ in _broken:
            raise ToolError("backend unavailable")
        return function(**arguments)

    return tool


if __name__ == "__main__":
    main()
