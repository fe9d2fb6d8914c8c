"""HTTP to a tool server, contained: whatever happens to one request, the client lives on for the next.

The MCP client ends with all its calls when one POST cannot be sent. So a failure becomes what a server could have
answered: an error of that request. The same for a body that is larger than any tool may return.
"""

import json
from collections.abc import AsyncIterator
from typing import Final

import httpx2

from agentobs.guard.codes import Code

_BAD_GATEWAY: Final = 502


class ContainedTransport(httpx2.AsyncHTTPTransport):
    """Never raises for a POST, and never reads more than `most` bytes of a JSON body."""

    def __init__(self, most: int) -> None:
        # Enough for every agent of a fleet at once; the limit that refuses is `in_flight`.
        super().__init__(limits=httpx2.Limits(max_connections=1000, max_keepalive_connections=100))
        self._most = most

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; an answer in any case."""
        try:
            response = await super().handle_async_request(request)
        except httpx2.TransportError as error:
            if request.method != "POST":  # the stream of an old session, which its client opens again itself
                raise
            return _error(request, Code.UPSTREAM, f"the tool server does not answer ({type(error).__name__})")
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            return _error(request, Code.UPSTREAM, "the tool server compresses its answer although it was told not to")
        if response.headers.get("content-type", "").lower().startswith("application/json"):
            return await self._measured(request, response)
        return response

    async def _measured(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        body = bytearray()
        stream = response.stream
        if not isinstance(stream, AsyncIterator | httpx2.AsyncByteStream):
            return response
        try:
            async for part in stream:
                body += part
                if len(body) > self._most:
                    return _error(request, Code.TOO_LARGE, f"the answer is larger than {self._most} bytes")
        except httpx2.TransportError as error:
            return _error(request, Code.UPSTREAM, f"the tool server went away ({type(error).__name__})")
        finally:
            await response.aclose()
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"transfer-encoding"]
        return httpx2.Response(response.status_code, headers=headers, content=bytes(body), request=request)


def _error(request: httpx2.Request, code: Code, message: str) -> httpx2.Response:
    try:
        asked = json.loads(request.content)
        number = asked.get("id") if isinstance(asked, dict) else None
    except (ValueError, httpx2.RequestNotRead):
        number = None
    body = {"jsonrpc": "2.0", "id": number, "error": {"code": int(code), "message": message}}
    return httpx2.Response(_BAD_GATEWAY, json=body, request=request)
