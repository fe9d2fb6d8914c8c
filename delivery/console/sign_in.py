"""Signing in on this computer: the token of a file that only its user can read becomes a cookie of the browser."""

from typing import Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from delivery.access import same
from delivery.access.identity import COOKIE
from delivery.console import render
from delivery.console.security import is_own_form, target
from delivery.controller.api import TooLargeError, body
from delivery.controller.settings import Settings

_LARGEST: Final = 4096
_MONTH_S: Final = 30 * 86400


def form(settings: Settings, request: Request, status: int = 200, said: str = "") -> Response:
    """The page to sign in; behind a proxy there is none, for the proxy knows who it lets in."""
    if not settings.identity.local:
        return render.failed(
            None, 401, "Who are you?", "This console is told by a proxy who asks, and it told nothing it believes.",
            "Come through the proxy's address, and ask for a role if you have none.",
        )  # fmt: skip
    asked = request.query_params.get("to", "/") if request.url.path == "/sign-in" else target(request)
    path = settings.state / "console-token"
    # A link on another site's page, such as a board's, does not bring a strict cookie along; a link of ours does.
    from_elsewhere = request.headers.get("sec-fetch-site") == "cross-site"
    return render.page(
        "sign_in.html.j2", None, status, to=_inside(asked), path=str(path), said=said, from_elsewhere=from_elsewhere
    )


async def enter_form(settings: Settings, request: Request) -> Response:
    """Check the token, set the cookie."""
    try:
        sent = await body(request, _LARGEST)
    except TooLargeError as error:
        return render.failed(None, 413, "Too much", str(error))
    return await run_in_threadpool(_entered, settings, request, sent)


def _entered(settings: Settings, request: Request, sent: bytes) -> Response:
    if not settings.identity.local:
        return form(settings, request)
    if not is_own_form(request, settings.origin, local=settings.identity.local):
        return render.failed(None, 403, "Not from here", "This form was sent by a page of another site.")
    fields = parse_qs(sent.decode("utf-8", "replace"), max_num_fields=10)
    if not same(fields.get("token", [""])[0].strip(), settings.secrets.login):
        return form(settings, request, 401, "That is not the token.")
    answer = RedirectResponse(_inside(fields.get("to", ["/"])[0]), 303)
    answer.set_cookie(
        COOKIE, settings.secrets.cookie, max_age=_MONTH_S, httponly=True, samesite="strict", secure=settings.tls
    )
    return answer


def leave(settings: Settings, request: Request) -> Response:
    """Forget the cookie."""
    if not is_own_form(request, settings.origin, local=settings.identity.local):
        return render.failed(None, 403, "Not from here", "This form was sent by a page of another site.")
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE)
    return answer


def _inside(path: str) -> str:
    """A path of this console; anything that a browser could take for another place becomes the first page."""
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if safe else "/"
