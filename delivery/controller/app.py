"""The web application: the interface of agents and programs under /v1, the console for people everywhere else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette

from delivery.console import pages
from delivery.controller import agents, api
from delivery.controller.service import Service


def application(service: Service) -> Starlette:
    """Everything that one controller answers."""

    @asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001 Starlette's
        watch = asyncio.create_task(service.feed.run())
        service.start()
        try:
            yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            await asyncio.to_thread(service.stop)

    routes = [*agents.routes(service), *api.routes(service), *pages.routes(service)]
    return Starlette(routes=routes, lifespan=running, middleware=pages.middleware(service.settings))
