"""What programs and people's scripts ask: status, metrics, operations, and Alertmanager's notifications."""

import asyncio
import json
import logging
import time
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from delivery.access import Person, bearer, same
from delivery.controller import metrics, status, webhook
from delivery.controller.agents import is_environment, refused
from delivery.controller.canaries import stamp
from delivery.controller.service import Service
from delivery.environments import wanted
from delivery.environments.commit import Committed, commit
from delivery.environments.operations import Operation
from delivery.environments.operations import Request as Asked
from delivery.errors import ConflictError, DeliveryError, RefusedError
from delivery.store import StoreError

_LARGEST: Final = 64 * 1024
_LONGEST_REASON: Final = 2000
_LONGEST_ID: Final = 150
_WHO: Final = "who asks? send the console's token, or come through the proxy"
_log = logging.getLogger(__name__)


class TooLargeError(DeliveryError):
    """A body that is larger than anybody needs."""


def routes(service: Service) -> list[Route]:
    """All of them."""

    async def operate(request: Request) -> Response:
        return await _operation(service, request)

    async def notified(request: Request) -> Response:
        return await _alerts(service, request)

    return [
        Route("/healthz", lambda request: PlainTextResponse("ok\n")),  # noqa: ARG005 Starlette's
        Route("/readyz", lambda request: _ready(service)),  # noqa: ARG005
        Route("/metrics", lambda request: Response(metrics.text(service), headers={"Content-Type": metrics.TYPE})),  # noqa: ARG005
        Route("/v1/environments/{environment}/status", lambda request: _status(service, request)),
        Route("/v1/operations", operate, methods=["POST"]),
        Route("/v1/alerts", notified, methods=["POST"]),
    ]


def _ready(service: Service) -> Response:
    try:
        service.store.environments()
    except StoreError as error:
        return refused(503, str(error))
    return PlainTextResponse("ok\n")


def _status(service: Service, request: Request) -> Response:
    environment = request.path_params["environment"]
    if service.settings.identity.person(request) is None:
        return refused(401, _WHO)
    if not is_environment(environment):
        return refused(404, "no environment has such a name")
    try:
        return JSONResponse(status.status(service, environment))
    except DeliveryError as error:
        return refused(503, str(error))


async def _operation(service: Service, request: Request) -> Response:
    person = await asyncio.to_thread(service.settings.identity.person, request)
    if person is None:
        return refused(401, _WHO)
    # Where a proxy adds the login to whatever a browser sends, another site's page must not be able to send this.
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return refused(403, "this came from a page of another site")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return refused(415, "expected application/json")
    try:
        operation, environment, kind = _asked(await body(request, _LARGEST), person)
    except DeliveryError as error:
        return refused(413 if isinstance(error, TooLargeError) else 400, str(error))
    if not person.may(kind):
        return refused(403, f"{person.name} is {person.role.title}; {kind} needs a higher role")
    return await asyncio.to_thread(answered, service, environment, operation)


def _asked(sent: bytes, person: Person) -> tuple[Operation, str, str]:
    """The operation of a body, its environment and its kind. Raises DeliveryError naming what is missing."""
    document = _object(sent)
    said, environment, reason = (document.get(key) for key in ("operation", "environment", "reason"))
    if not isinstance(environment, str) or not is_environment(environment):
        raise DeliveryError("environment: expected the name of one")
    if not isinstance(said, dict):
        raise DeliveryError("operation: expected an object with a kind")
    id_ = document.get("id")
    if id_ is not None and (not isinstance(id_, str) or not 0 < len(id_) <= _LONGEST_ID):
        raise DeliveryError("id: expected a text of up to 150 letters, the same when you send it again")
    asked = requested(person, reason, "api", f"api-{id_}" if id_ else None)
    found = wanted.read(said)
    return found.operation(asked), environment, found.kind


def _object(sent: bytes) -> dict[str, Any]:
    try:
        document = json.loads(sent)
    except (ValueError, RecursionError):
        raise DeliveryError("this is no JSON") from None
    if not isinstance(document, dict):
        raise DeliveryError("expected an object with environment, operation and reason")
    return document


def requested(person: Person, reason: object, via: str, id_: str | None = None) -> Asked:
    """Who wants it and why. Raises DeliveryError for no reason."""
    if not isinstance(reason, str) or not 0 < len(reason.strip()) <= _LONGEST_REASON:
        raise DeliveryError(f"reason: expected why, in up to {_LONGEST_REASON} letters: the history keeps it")
    more = {"id": id_} if id_ else {}
    return Asked(by=person.name, at=stamp(time.time()), reason=reason.strip(), via=via, automatic=False, **more)


def answered(service: Service, environment: str, operation: Operation) -> Response:
    """Commit, and say what became of it."""
    try:
        done = done_now(service, environment, operation)
    except ConflictError as error:
        return refused(409, str(error))
    except StoreError as error:
        return refused(503, str(error))
    except (RefusedError, DeliveryError) as error:
        return refused(422, str(error))
    return JSONResponse({"revision": done.revision.revision, "changed": done.changed})


def done_now(service: Service, environment: str, operation: Operation) -> Committed:
    """Commit, and tell whoever waits at once. Raises as `commit` does."""
    done = commit(service.store, environment, operation)
    try:
        service.feed.look(environment)
    except DeliveryError:
        _log.warning("what was just committed in %s cannot be read; it is looked for again", environment)
    service.wake()
    return done


async def _alerts(service: Service, request: Request) -> Response:
    """200 only once everything that came is kept: what is not, Alertmanager sends again."""
    if not same(bearer(request.headers.get("authorization")), service.settings.webhook_token):
        return refused(401, "the token of the webhook is needed")
    if not service.gate.lets_in():
        return refused(429, "too many notifications; they are sent again")
    try:
        alerts = webhook.read(await body(request, webhook.LARGEST))
    except TooLargeError as error:
        return refused(413, str(error))
    except webhook.AlertError as error:
        return refused(400, str(error))
    try:
        new = await asyncio.to_thread(webhook.keep, service.journal, alerts, stamp(time.time()))
    except DeliveryError as error:
        return refused(503, str(error))
    if new:
        service.wake()
    return JSONResponse({"kept": len(alerts), "new": len(new)})


async def body(request: Request, most: int) -> bytes:
    """The body of a request, read no further than what is allowed. Raises TooLargeError."""
    found = bytearray()
    try:
        async for chunk in request.stream():
            found += chunk
            if len(found) > most:
                raise TooLargeError(f"expected at most {most} bytes")
    except ClientDisconnect:
        raise TooLargeError("it was not sent to its end") from None
    return bytes(found)
