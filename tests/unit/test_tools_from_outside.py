"""MCP servers looked at from outside: what a new version breaks, and what every server owes its callers."""

import asyncio
import json
import sys
import time
import xml.etree.ElementTree as ET
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from typer.testing import CliRunner

from delivery.golden import dataset, files, recording, tape, taping
from delivery.golden.errors import GoldenError
from delivery.golden.tape import Call, Surface
from delivery.tools import surfaces, testing, verifying
from stacks.cli import golden
from stacks.cli import tools as tools_cli

READS = ToolAnnotations(read_only_hint=True)


def surface(*tools, version="1"):
    return Surface(name="s", version=version, tools=tools)


def tool(required=(), **properties):
    return {"name": "get", "inputSchema": {"type": "object", "required": [*required], "properties": properties}}


OLD = tool(["id"], id={"type": "string"}, kind={"type": "string", "enum": ["a", "b"]},
           at={"type": "object", "properties": {"x": {"type": "number"}}})  # fmt: skip


def changed(path, value):
    made = json.loads(json.dumps(OLD))
    place = made
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return made


PROPERTIES = ("inputSchema", "properties")


@pytest.mark.parametrize(
    ("after", "told", "breaks"),
    [
        (surface(), "is gone", True),
        (surface(changed(("inputSchema", "required"), ["id", "kind"])), "kind is required now", True),
        (surface(changed((*PROPERTIES, "id", "type"), "integer")), "id was string, is integer", True),
        (surface(changed((*PROPERTIES, "kind"), None)), "kind is gone", True),
        (surface(changed((*PROPERTIES, "kind", "enum"), ["a", "c"])), "no longer ['b']", True),
        (surface(changed((*PROPERTIES, "at", "properties", "x", "type"), "string")), "at.x was number", True),
        (surface(changed(("outputSchema",), {"type": "object"})), "another schema", True),
        (surface(changed((*PROPERTIES, "kind", "enum"), ["a", "b", "c"])), "takes other values", False),
        (surface(changed((*PROPERTIES, "more"), {"type": "string"})), "more is new", False),
        (surface(changed(("description",), "other")), "description changed", False),
        (surface(OLD, {"name": "put"}), "is new", False),
        (surface(OLD, version="2"), "version 1 became 2", False),
    ],
)  # fmt: skip
def test_a_change_of_a_list_of_tools_is_named_and_told_whether_it_breaks(after, told, breaks):
    found = [*surfaces.changes(surface(OLD), after)]
    assert [(told in each.text, each.breaks) for each in found] == [(True, breaks)]
    assert [*surfaces.changes(surface(OLD), surface(OLD))] == []


def orders(version="3.1.0", answer="order {} is packed", fails=()):
    server = MCPServer("orders", version=version, log_level="ERROR")

    def lookup(order: str) -> str:
        if order in fails:
            raise ToolError("unavailable")
        return answer.format(order)

    server.add_tool(lookup, annotations=READS, structured_output=False)
    server.add_tool(refund, structured_output=False)
    return server


REFUNDED = []


def refund(order: str) -> str:
    REFUNDED.append(order)
    return f"refunded {order}"


@pytest.fixture
def found(tmp_path):
    """A dataset whose tape has two reads and a write."""
    before = surface_of(orders())
    made = tape.Tape(servers={"orders": tape.written(before)[0]}, calls=(
        *(Call(server="orders", tool="lookup", arguments={"order": order},
               result={"content": [{"type": "text", "text": f"order {order} is packed"}], "isError": False})
          for order in ("A1", "A2")),
        Call(server="orders", tool="refund", arguments={"order": "A1"}, result={"content": [], "isError": False}),
    ))  # fmt: skip
    for name, content in recording.files_of([made], [before]).items():
        files.write(tmp_path / "tapes" / f"{name}.json", content)
    case = {"id": "one", "input": 1, "expected_behavior": "x", "tools_allowed": ["lookup"], "agent_path_expected": [],
            "success_criteria": {"outcome": "success"}, "tape": tape.written(made)[0]}  # fmt: skip
    files.write(tmp_path / "cases.jsonl", json.dumps(case).encode())
    return dataset.load(tmp_path)


def with_clients(servers, work):
    async def inside():
        async with AsyncExitStack() as stack:
            return await work(await recording.opened(stack, servers))

    return asyncio.run(inside())


def surface_of(server):
    return with_clients({"orders": server}, lambda clients: recording.surface_of("orders", clients["orders"]))


def verified(dataset_, server, most=20):
    return with_clients({"orders": server}, lambda clients: verifying.verify(dataset_, clients, most, 5.0))


def test_the_same_server_differs_in_nothing_and_nothing_is_written(found):
    REFUNDED.clear()
    assert verified(found, orders()) == []
    assert REFUNDED == []


def test_what_a_tape_hides_is_found_at_the_live_server(found):
    newer = verified(found, orders(version="4.0.0", fails={"A2"}))
    assert [(each.tool, each.breaks) for each in newer] == [("", False), ("lookup", True)]
    assert "unavailable" in newer[1].text
    (other,) = verified(found, orders(answer="{} is packed"), most=1)
    assert (other.breaks, "was" in other.text, "A1" in other.text) == (True, True, True)
    (absent,) = with_clients({}, lambda clients: verifying.verify(found, clients, 1, 5.0))
    assert "--servers" in absent.text


def outcomes(server, **plan):
    made = asyncio.run(testing.examine(testing.Plan(name="s", server=server, **plan)))
    return {each.name: each for each in made}


CALL = Call(server="s", tool="lookup", arguments={"order": "A1"}, result={"content": [], "isError": False})


def test_a_good_server_passes_every_test_in_both_eras_and_nothing_is_written():
    REFUNDED.clear()
    done = outcomes(orders(), examples=[CALL])
    assert [each for each in done.values() if each.problem or each.skipped] == []
    assert {"lookup without order is an error", "refund without order is an error", "example 1 of lookup"} <= {*done}
    assert sum(name.startswith("protocol:") for name in done) == 2
    assert REFUNDED == []


def careless():
    """Answers anything, promises what it does not keep, and takes its time."""
    server = MCPServer("careless", log_level="ERROR")

    def lookup(order: object = None) -> dict[str, int]:
        if order == "slow":
            time.sleep(0.3)
        return {"n": 1}

    server.add_tool(lookup, annotations=READS, structured_output=False)
    made = server._tool_manager.get_tool("lookup")
    wrong = {"type": "object", "required": ["order"], "properties": {"order": {"type": "strin"}}}
    object.__setattr__(made, "parameters", wrong)
    return server


@pytest.mark.parametrize(
    ("server", "plan", "failing"),
    [
        (careless(), {}, "schemas of lookup"),
        (careless(), {}, "lookup without order is an error"),
        (orders(fails={"A1"}), {"examples": [CALL]}, "example 1 of lookup"),
    ],
)
def test_a_server_that_breaks_its_contract_fails_the_test_of_it(server, plan, failing):
    assert outcomes(server, **plan)[failing].problem


DIES = """
import sys
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
server = MCPServer("fragile", log_level="ERROR")
def lookup(order: str) -> str:
    if order == "slow":
        import time; time.sleep(30)
    if len(order) > 1000:
        import os; os._exit(1)
    return order
server.add_tool(lookup, annotations=ToolAnnotations(read_only_hint=True), structured_output=False)
server.run()
"""


@pytest.fixture
def fragile(tmp_path):
    (tmp_path / "server.py").write_text(DIES)
    path = tmp_path / "mcp.json"
    command = {"command": sys.executable, "args": [str(tmp_path / "server.py")]}
    path.write_text(json.dumps({"mcpServers": {"fragile": command}}))
    return path


def test_a_server_that_dies_or_hangs_is_told_so_and_the_tests_end(fragile):
    slow = Call(server="fragile", tool="lookup", arguments={"order": "slow"}, result={"content": []})
    done = outcomes(taping.servers_of(fragile)["fragile"], examples=[slow], limit_s=3.0)
    assert done["example 1 of lookup"].problem
    assert done["lookup with 1000000 characters does no harm"].problem


def test_the_tests_of_a_server_are_junit_and_an_exit_code(fragile, tmp_path):
    words = ["test", str(fragile), "--junit", str(tmp_path / "out.xml"), "--limit", "5"]
    done = CliRunner().invoke(tools_cli.app, words)
    assert done.exit_code == 1, done.output
    assert "failed fragile: lookup with 1000000 characters does no harm" in done.output
    suite = ET.fromstring((tmp_path / "out.xml").read_bytes())  # noqa: S314 our own document
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) >= 1


@pytest.mark.parametrize("content", ["{}", '{"mcpServers": {}}', '{"mcpServers": {"a": {}}}', "[1]",
                                     '{"mcpServers": {"a": {"url": "http://x", "command": "y"}}}'])  # fmt: skip
def test_a_file_of_servers_that_names_none_is_refused(content, tmp_path):
    path = tmp_path / "mcp.json"
    path.write_text(content)
    with pytest.raises(GoldenError, match="mcpServers"):
        taping.servers_of(path)


SYSTEM = """
from agentobs import emit
from mcp.client import Client
async def answer(case):
    with emit.task(workflow="w", type="t", graph_version="1"), emit.agent("desk"):
        async with Client(case.servers["fragile"]) as client:
            with emit.tool_call("lookup", version="1"):
                return (await client.call_tool("lookup", {"order": case.input})).content[0].text
"""


def test_cases_are_recorded_from_servers_in_a_file_and_verified_against_them(fragile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("recorded_desk.py").write_text(SYSTEM)
    case = {"id": "one", "input": "A1", "expected_behavior": "x", "tools_allowed": ["lookup"],
            "success_criteria": {"answer": {"equals": "A1"}}, "agent_path_expected": ["desk"]}  # fmt: skip
    Path("cases.jsonl").write_text(json.dumps(case) + "\n")

    def said(code, *words):
        done = CliRunner().invoke(golden.app, [*words])
        assert done.exit_code == code, done.output
        return done.output

    said(0, "record", "recorded_desk:answer", ".", "--servers", str(fragile))
    said(0, "run", "recorded_desk:answer", ".")
    assert len([*Path("tapes").iterdir()]) == 2
    said(0, "verify-tools", ".", "--servers", str(fragile))
    Path("server.py").write_text(DIES.replace("return order", "return order + '!'"))
    assert "answers otherwise" in said(1, "verify-tools", ".", "--servers", str(fragile))
    said(3, "record", "recorded_desk:answer", ".", "--servers", str(fragile), "--case", "two")
