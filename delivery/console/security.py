"""What protects the pages: headers, confirmations bound to what was seen, and who may send a form."""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from delivery.access import Person, Secrets, same

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none';"
        " base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HSTS: Final = "max-age=31536000"


class Headers:
    """Middleware that sets the headers of every answer; one that an answer has already stays."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self._app = app
        self._headers = {**HEADERS, **({"Strict-Transport-Security": _HSTS} if tls else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sending)


def target(request: Request) -> str:
    """Path and query: what exactly a form was made for."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def confirmation(secrets: Secrets, person: Person, revision: int, wanted: str) -> str:
    """The token of a form: this person, having seen this revision, for this target and no other."""
    return secrets.sign("confirm", person.name, str(revision), wanted)


def is_confirmed(secrets: Secrets, person: Person, revision: int, wanted: str, token: str) -> bool:
    """Whether a form has the token that was made for it."""
    return same(token, confirmation(secrets, person, revision, wanted))


def is_own_form(request: Request, origin: str | None, *, local: bool) -> bool:
    """Whether a form came from a page of ours: what the browser itself says of that, which no page can change.

    On this computer the name that the browser used (127.0.0.1, localhost) is ours, too: its cookie is bound to it.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    said = request.headers.get("origin")
    if said is None:
        return site == "same-origin"
    asked = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return said == origin or ((local or origin is None) and said == asked)
