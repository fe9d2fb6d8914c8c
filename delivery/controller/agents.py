"""What agents ask: their snapshot, by long poll, and the texts that it pins."""

import asyncio
import re
from typing import Final

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from delivery.access import bearer, same
from delivery.controller.service import Service
from delivery.documents import EnvironmentName
from delivery.errors import DeliveryError
from delivery.store import StoreError

_LONGEST_S: Final = 60.0
_INSTANCE: Final = re.compile(r"[\x21-\x7e]{1,200}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_ENVIRONMENT: TypeAdapter[str] = TypeAdapter(EnvironmentName)


def routes(service: Service) -> list[Route]:
    """Both routes."""

    async def snapshot(request: Request) -> Response:
        if not _is_agent(service, request):
            return refused(401, "a token of agents is needed; fix: AGENTOBS_RELEASES_TOKEN")
        environment = request.path_params["environment"]
        after, wait = _number(request, "after", 0.0), _number(request, "wait", 0.0)
        if not is_environment(environment) or after is None or wait is None:
            return refused(400, "expected /v1/environments/NAME/snapshot?after=NUMBER&instance=NAME&wait=SECONDS")
        instance = request.query_params.get("instance", "")
        if instance and not _INSTANCE.fullmatch(instance):
            return refused(400, "an instance is a name of up to 200 letters without blanks")
        if request.query_params.get("leaving") and instance:
            service.followers.left(environment, instance)
            return Response(status_code=204)
        return await _snapshot(service, environment, int(after), min(wait, _LONGEST_S), instance)

    async def content(request: Request) -> Response:
        if not _is_agent(service, request):
            return refused(401, "a token of agents is needed; fix: AGENTOBS_RELEASES_TOKEN")
        sha256 = request.path_params["sha256"]
        if not _SHA256.fullmatch(sha256):
            return refused(404, "a text is named by its SHA-256")
        try:
            text = await asyncio.to_thread(service.store.text, sha256)
        except StoreError as error:
            return refused(404 if "is not in the store" in str(error) else 503, str(error))
        return Response(text.encode(), media_type="text/plain; charset=utf-8")

    return [Route("/v1/environments/{environment}/snapshot", snapshot), Route("/v1/content/{sha256}", content)]


async def _snapshot(service: Service, environment: str, after: int, wait: float, instance: str) -> Response:
    """What is newer than `after`; the agent is heard before and after it waits, for it hears all the while."""
    if instance:
        service.followers.heard(environment, instance, after)
    try:
        held = await service.feed.next(environment, after, wait)
    except DeliveryError as error:
        return refused(503, str(error))
    if instance:
        service.followers.heard(environment, instance, after)
    if held is None:
        return Response(status_code=204)
    return Response(held.data, media_type="application/json", headers={"Cache-Control": "no-store"})


def _is_agent(service: Service, request: Request) -> bool:
    expected = service.settings.agent_token
    return expected is None or same(bearer(request.headers.get("authorization")), expected)


def is_environment(name: str) -> bool:
    """Whether this can be the name of an environment."""
    try:
        _ENVIRONMENT.validate_python(name)
    except ValidationError:
        return False
    return True


def _number(request: Request, name: str, default: float) -> float | None:
    """A number that is not negative, None for anything else."""
    said = request.query_params.get(name)
    if said is None:
        return default
    return float(said) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", said, re.ASCII) else None


def refused(status: int, why: str) -> Response:
    """An answer in plain text."""
    return PlainTextResponse(why + "\n", status)
