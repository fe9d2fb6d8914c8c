"""The support desk as a service over HTTP: `golden_gate.py` posts cases to it. Prints its address when it listens."""

import asyncio
import os
import socket
from types import SimpleNamespace
from typing import Any

import uvicorn
from opentelemetry import context, propagate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agentobs import emit
from demo import golden


async def handle(request: Request) -> JSONResponse:
    case: dict[str, Any] = await request.json()
    token = context.attach(propagate.extract(dict(request.headers)))
    try:
        given = SimpleNamespace(input=case["input"], seed=case["context"]["seed"], servers=case["mcp_servers"])
        return JSONResponse({"answer": await golden.healthy(given)})
    finally:
        context.detach(token)


async def main() -> None:
    endpoint = f"http://127.0.0.1:{os.environ['AGENTOBS_GOLDEN_OTLP_PORT']}"
    emit.configure(service="desk", version="1", environment="golden", endpoint=endpoint)
    app = Starlette(routes=[Route("/", handle, methods=["POST"])])
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}/", flush=True)
    await uvicorn.Server(uvicorn.Config(app, log_level="error")).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(main())
