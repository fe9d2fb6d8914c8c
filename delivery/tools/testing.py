"""Tests of one MCP server: what every server owes its callers, whatever its tools do.

Tools that do not say that they only read are never called with arguments they might accept.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET  # written, never read

import jsonschema
from mcp import MCPError
from mcp.client import Client
from mcp_types import METHOD_NOT_FOUND, REQUEST_TIMEOUT, UNSUPPORTED_PROTOCOL_VERSION
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from delivery.golden.recording import plain, surface_of
from delivery.golden.report import clean
from delivery.golden.tape import Call, Surface
from delivery.tools.verifying import reads

LARGE: Final = 1_000_000
"""Characters of an argument that no server may die of."""
MOST_RESULT: Final = 10_000_000
_NOT_SPOKEN: Final = (METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION)
_NO_TOOL: Final = "agentobs_no_such_tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One test. `problem` empty: passed; `skipped` says why it could not be asked."""

    name: str
    problem: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is tested: a server, in a form that `mcp.client.Client` takes, with recorded examples."""

    name: str
    server: Any
    examples: Sequence[Call] = ()
    limit_s: float = 10.0


async def examine(plan: Plan) -> list[Outcome]:
    """All tests, in both eras of the protocol."""
    found = [await _era(plan, "legacy", "initialize handshake")]
    found.append(await _era(plan, max(MODERN_PROTOCOL_VERSIONS), "requests without a session"))
    if all(each.problem or each.skipped for each in found):
        return found
    async with _client(plan, "auto") as client:
        surface = await surface_of(plan.name, client)
        found += [*_schemas(surface)]
        found.append(await _attempt("an unknown tool is an error", _unknown_tool(client, plan)))
        for tool in surface.tools:
            found += [each async for each in _wrong_arguments(client, plan, surface, tool)]
        for number, call in enumerate(plan.examples, start=1):
            found.append(await _attempt(f"example {number} of {call.tool}", _example(client, plan, surface, call)))
        found.append(await _attempt("a call that is given up does no harm", _given_up(client, plan)))
        found.append(await _attempt("it still answers in the end", _alive(client, plan)))
    return found


@asynccontextmanager
async def _client(plan: Plan, mode: str) -> AsyncIterator[Client]:
    async with Client(plan.server, mode=mode, read_timeout_seconds=plan.limit_s) as client:
        yield client


async def _era(plan: Plan, mode: str, words: str) -> Outcome:
    name = f"protocol: {words}"
    try:
        async with _client(plan, mode) as client:
            await client.list_tools()
    except Exception as error:  # noqa: BLE001 a server may break in any way
        cause = _cause(error)
        if isinstance(cause, MCPError) and cause.error.code in _NOT_SPOKEN:
            return Outcome(name=name, skipped=f"not spoken: {cause.error.message}")
        return Outcome(name=name, problem=f"{type(cause).__name__}: {cause}")
    return Outcome(name=name)


def _cause(error: BaseException) -> BaseException:
    """What lies in groups of errors that tasks made."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _schemas(surface: Surface) -> list[Outcome]:
    names = [str(tool["name"]) for tool in surface.tools]
    twice = sorted({name for name in names if names.count(name) > 1})
    found = [Outcome(name="every tool has its own name", problem=f"twice: {', '.join(twice)}" if twice else "")]
    for tool in surface.tools:
        problem = ""
        for key in ("inputSchema", "outputSchema"):
            schema = tool.get(key)
            try:
                if schema is not None:
                    jsonschema.Draft202012Validator.check_schema(schema)
            except jsonschema.SchemaError as error:
                problem = problem or f"{key} is no JSON Schema: {error.message} at {error.json_path}"
        if not problem and (tool.get("inputSchema") or {}).get("type") != "object":
            problem = 'inputSchema is not of type "object"'
        found.append(Outcome(name=f"schemas of {tool['name']}", problem=problem))
    return found


async def _attempt(name: str, asked: Awaitable[str]) -> Outcome:
    """A test: a problem in words, or whatever broke."""
    try:
        return Outcome(name=name, problem=await asked)
    except MCPError as error:
        late = error.error.code == REQUEST_TIMEOUT
        return Outcome(name=name, problem="no answer in time" if late else f"{error.error.code} {error.error.message}")
    except Exception as error:  # noqa: BLE001 a server may break in any way
        return Outcome(name=name, problem=f"{type(error).__name__}: {error}")


async def _refused(client: Client, plan: Plan, tool: str, arguments: dict[str, Any]) -> str:
    """Nothing where a call is an error, in either way; and the server lives on."""
    try:
        result = await client.call_tool(tool, arguments, read_timeout_seconds=plan.limit_s)
        problem = "" if result.is_error else "was answered as if nothing was wrong; fix: validate by the schema"
    except MCPError as error:
        if error.error.code == REQUEST_TIMEOUT:
            return "no answer in time"
        problem = ""
    return problem or await _alive(client, plan)


async def _unknown_tool(client: Client, plan: Plan) -> str:
    return await _refused(client, plan, _NO_TOOL, {})


async def _wrong_arguments(
    client: Client, plan: Plan, surface: Surface, tool: dict[str, Any]
) -> AsyncIterator[Outcome]:
    """Calls that a schema forbids. A tool that may write is only called without what it requires."""
    name, schema = str(tool["name"]), tool.get("inputSchema") or {}
    required = list(schema.get("required", ()))
    if required:
        yield await _attempt(f"{name} without {required[0]} is an error", _refused(client, plan, name, {}))
    if not reads(surface.tools, name):
        return
    properties = schema.get("properties") or {}
    texts = [key for key, value in properties.items() if value.get("type") == "string"]
    if texts:
        wrong: dict[str, Any] = {key: [] for key in required} | {texts[0]: {"not": "text"}}
        yield await _attempt(f"{name} with {texts[0]} of another type is an error", _refused(client, plan, name, wrong))
        large = {key: "x" for key in required if key in texts} | {texts[0]: "x" * LARGE}
        if {*required} <= {*large}:
            yield await _attempt(f"{name} with {LARGE} characters does no harm", _survives(client, plan, name, large))


async def _survives(client: Client, plan: Plan, tool: str, arguments: dict[str, Any]) -> str:
    try:
        await client.call_tool(tool, arguments, read_timeout_seconds=plan.limit_s)
    except MCPError as error:
        if error.error.code == REQUEST_TIMEOUT:
            return "no answer in time"
    return await _alive(client, plan)


async def _example(client: Client, plan: Plan, surface: Surface, call: Call) -> str:
    result = plain(await client.call_tool(call.tool, call.arguments, read_timeout_seconds=plan.limit_s))
    if result.get("isError") and not (call.result or {}).get("isError"):
        return f"failed for {call.arguments}, and was answered when it was recorded"
    if (size := len(str(result))) > MOST_RESULT:
        return f"a result of {size} characters; fix: answer in pages"
    schema = next((tool.get("outputSchema") for tool in surface.tools if tool["name"] == call.tool), None)
    if schema is not None and not result.get("isError"):
        problem = next(iter(jsonschema.Draft202012Validator(schema).iter_errors(result.get("structuredContent"))), None)
        return f"its result breaks its outputSchema: {problem.message}" if problem else ""
    return ""


async def _given_up(client: Client, plan: Plan) -> str:
    """A caller that goes away in the middle of a call."""
    asked: Callable[[], Awaitable[Any]] = client.list_tools
    if plan.examples:
        call = plan.examples[0]
        asked = lambda: client.call_tool(call.tool, call.arguments)  # noqa: E731 the same call, or a list
    task = asyncio.ensure_future(asked())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return await _alive(client, plan)


async def _alive(client: Client, plan: Plan) -> str:
    await asyncio.wait_for(client.list_tools(), plan.limit_s)
    return ""


def junit(name: str, outcomes: Sequence[Outcome]) -> bytes:
    """The tests of a server for CI."""
    failures, skipped = (sum(bool(getattr(each, key)) for each in outcomes) for key in ("problem", "skipped"))
    counts = {"tests": str(len(outcomes)), "failures": str(failures), "skipped": str(skipped)}
    suite = ET.Element("testsuite", {"name": clean(name), **counts})
    for each in outcomes:
        place = ET.SubElement(suite, "testcase", classname=clean(name), name=clean(each.name))
        if each.problem:
            ET.SubElement(place, "failure", message=clean(each.problem))
        elif each.skipped:
            ET.SubElement(place, "skipped", message=clean(each.skipped))
    made: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return made
