"""Raw requests to a gateway: what is no request, sessions of the old era, probes."""

import asyncio

import httpx2
import pytest
from support.gateway_world import world


def _modern(method="tools/call", name="echo", **more):
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {"name": name, "arguments": {}, "_meta": meta} | more,
    }


_OPENING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
_NEW = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo"}
_DEEP = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":' + b"[" * 10_000


@pytest.mark.parametrize(
    ("body", "headers", "status", "error"),
    [
        (_modern(), _NEW | {"x-agentobs-agent": ""}, 401, -32010),
        (_modern(), _NEW | {"mcp-name": "big"}, 400, -32020),
        (_modern(name="big"), _NEW, 400, -32020),
        (_modern(), _NEW | {"mcp-method": "tools/list"}, 400, -32020),
        ([_modern()], _NEW, 400, None),
        (_DEEP, _NEW, 400, -32700),
        (b'{"jsonrpc": "2.0", "id": 1, \xff}', _NEW, 400, None),
        (b"x" * 5_000_000, _NEW, 413, None),
        (_DEEP, {}, 400, None),
        ([_modern()], {}, 400, None),
        (b"\xff\xfe", {}, 400, None),
    ],
    ids=["nobody", "header", "body", "method", "batch", "depth", "utf8", "size", "old-depth", "old-batch", "old-utf8"],
)
def test_a_request_that_is_none_is_answered_and_the_next_one_works(body, headers, status, error):
    async def run():
        async with world({"echo": {}, "big": {}}) as here:
            wrong = await here.post(body, **headers)
            right = await here.post(_modern(), **_NEW)
            return wrong, right, here.servers["bench"].begun

    wrong, right, begun = asyncio.run(run())
    assert wrong.status_code == status
    if error is not None:
        assert wrong.json()["error"]["code"] == error
    assert (right.status_code, begun) == (200, ["echo"])


def test_a_server_that_is_not_in_the_policy_is_not_there():
    async def run():
        async with world({"echo": {}}) as here:
            return (await here.post(_modern(), server="other", **_NEW)).status_code

    assert asyncio.run(run()) == 404


def test_sessions_of_the_old_era_are_capped(monkeypatch):
    monkeypatch.setattr("gateway.serve._SESSIONS", 5)

    async def run():
        async with world({"echo": {}}) as here:
            found = [(await here.post(_OPENING)).status_code for _ in range(8)]
            return found, (await here.post(_modern(), **_NEW)).status_code

    found, modern = asyncio.run(run())
    assert found == [200] * 5 + [503] * 3
    assert modern == 200


def test_a_session_belongs_to_who_opened_it():
    async def run():
        async with world({"echo": {}}, agents={"executor": {"tools": {"bench/echo": {}}}, "spy": {}}) as here:
            opening = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "initialize",
                "params": {
                    "protocolVersion": "2025-06-18",
                    "capabilities": {},
                    "clientInfo": {"name": "t", "version": "1"},
                },
            }
            opened = await here.post(opening)
            session = opened.headers["mcp-session-id"]
            asked = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
            hers = await here.post(asked, **{"mcp-session-id": session})
            spied = await here.post(asked, **{"mcp-session-id": session, "x-agentobs-agent": "spy"})
            return hers.status_code, spied.status_code

    assert asyncio.run(run()) == (200, 404)


def test_the_gateway_answers_probes():
    async def run():
        async with world({"echo": {}}) as here, httpx2.AsyncClient() as http:
            return [(await http.get(f"{here.address}/{path}")).json() for path in ("live", "ready")]

    assert asyncio.run(run()) == [{"live": True}, {"servers": {"bench": "connected"}}]
