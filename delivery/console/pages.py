"""The pages and their addresses. Each is read from the store as it is now; nothing is changed by looking."""

from collections.abc import Callable
from itertools import groupby, islice
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from delivery.access import Person
from delivery.console import change, render, sign_in
from delivery.console.chart import chart, lines
from delivery.console.running import Running, following, running
from delivery.console.security import Headers
from delivery.console.texts import differences
from delivery.controller.agents import is_environment
from delivery.controller.looks import Look
from delivery.controller.service import Service
from delivery.controller.settings import Settings
from delivery.environments.effective import effective
from delivery.environments.state import Revision
from delivery.errors import DeliveryError
from delivery.releases import Release
from delivery.releases.diff import changes
from delivery.rollout import GUARDRAILS
from delivery.store import StoreError

_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_PER_PAGE: Final = 50
_STYLE: Final = (render.HERE / "console.css").read_text("utf-8")
_TITLES: Final = {key: guardrail.kpi.title for key, guardrail in GUARDRAILS.items()}
Page = Callable[["_Asked"], Response]


class _Asked:
    """A page that was asked for: by whom, of which environment."""

    def __init__(self, service: Service, request: Request, person: Person) -> None:
        self.service, self.request, self.person = service, request, person
        self.environment: str = request.path_params.get("environment", "")

    def head(self) -> Revision | None:
        return self.service.store.head(self.environment) if is_environment(self.environment) else None

    def page(self, template: str, **values: Any) -> Response:  # noqa: ANN401 for the template
        names = self.service.store.environments()
        return render.page(template, self.person, environments=names, environment=self.environment, **values)

    def missing(self, what: str) -> Response:
        return render.failed(self.person, 404, "Not here", what)


def routes(service: Service) -> list[BaseRoute]:
    """Every page."""

    async def changed(request: Request) -> Response:
        return await change.commit_form(service, request)

    async def entered(request: Request) -> Response:
        return await sign_in.enter_form(service.settings, request)

    def page(path: str, make: Page) -> Route:
        return Route(path, lambda request: _answer(service, request, make))

    one = "/environments/{environment}"
    return [
        Route("/console.css", lambda request: _style()),  # noqa: ARG005 Starlette's
        Route("/sign-in", lambda request: sign_in.form(service.settings, request)),
        Route("/sign-in", entered, methods=["POST"]),
        Route("/sign-out", lambda request: sign_in.leave(service.settings, request), methods=["POST"]),
        page("/", _first),
        page("/diff", _diff),
        page(one, _environment),
        page(f"{one}/history", _history),
        page(one + "/revisions/{number:int}", _revision),
        page(one + "/canaries/{split}", _canary),
        page(f"{one}/preview", lambda asked: change.show(asked.service, asked.request, asked.person)),
        Route(f"{one}/preview", changed, methods=["POST"]),
    ]


def _answer(service: Service, request: Request, make: Page) -> Response:
    """A page for whoever asks; the way in for somebody unknown."""
    person = service.settings.identity.person(request)
    if person is None:
        return sign_in.form(service.settings, request, 401)
    try:
        return make(_Asked(service, request, person))
    except StoreError as error:
        return render.failed(person, 503, "The store cannot be used", str(error))
    except DeliveryError as error:
        return render.failed(person, 404, "Not here", str(error))


def _style() -> Response:
    return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "max-age=300"})


def middleware(settings: Settings) -> list[Middleware]:
    """What every request and answer passes.

    On this computer only its own names are answered: a page of the web that gives its name our address (DNS rebinding)
    would read as if it were ours.
    """
    headers = Middleware(Headers, tls=settings.tls)
    if not settings.identity.local:
        return [headers]
    own = urlsplit(settings.origin or "").hostname
    return [headers, Middleware(TrustedHostMiddleware, allowed_hosts=[*_LOOPBACK, *([own] if own else [])])]


def _first(asked: _Asked) -> Response:
    names = asked.service.store.environments()
    if len(names) == 1:
        return RedirectResponse(f"/environments/{names[0]}", 303)
    found = [(name, asked.service.store.head(name)) for name in names]
    heads = [
        (head, asked.service.store.release(head.stable.release).name if head.stable else "")
        for _, head in found
        if head is not None
    ]
    agents = {name: following(asked.service.followers.of(name), head.revision if head else 0) for name, head in found}
    return asked.page("first.html.j2", heads=heads, agents=agents)


def _environment(asked: _Asked) -> Response:
    head = asked.head()
    if head is None:
        return asked.missing(f"There is no environment {asked.environment!r} in the store: nothing was promoted there.")
    store = asked.service.store
    watching = asked.service.canaries.watching.get(head.environment)
    found: Running | None = running(store, head)
    names = {id_: store.release(id_).name for id_ in store.releases()}
    done = asked.request.query_params.get("done", "")
    return asked.page(
        "environment.html.j2",
        head=head,
        running=found,
        names=names,
        agents=following(asked.service.followers.of(head.environment), head.revision),
        watching=watching if watching and head.canary and watching.split.id == head.canary.id else None,
        errors=[*filter(None, (asked.service.error, asked.service.feed.error))],
        effects=asked.service.outbox.errors,
        done=head if done == str(head.revision) else None,
        here="running",
    )


def _history(asked: _Asked) -> Response:
    head = asked.head()
    if head is None:
        return asked.missing(f"There is no environment {asked.environment!r} in the store.")
    said = asked.request.query_params.get("before", "")
    before = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else head.revision + 1  # noqa: PLR2004
    numbers = range(min(before, head.revision + 1) - 1, 0, -1)
    found = [asked.service.store.revision(head.environment, number) for number in islice(numbers, _PER_PAGE)]
    older = found[-1].revision if found and found[-1].revision > 1 else None
    return asked.page("history.html.j2", head=head, revisions=found, older=older, here="history")


def _revision(asked: _Asked) -> Response:
    store, number = asked.service.store, asked.request.path_params["number"]
    head = asked.head()
    if head is None or not 1 <= number <= head.revision:
        return asked.missing(f"There is no revision {number} of {asked.environment!r}.")
    revision = store.revision(asked.environment, number)
    before = store.revision(asked.environment, number - 1) if number > 1 else None
    old, new = _stable(asked.service, before), _stable(asked.service, revision)
    found = changes(old, new) if old and new else []
    return asked.page(
        "revision.html.j2",
        revision=revision,
        head=head,
        differences=differences(store, found),
        here="history",
    )


def _stable(service: Service, revision: Revision | None) -> Release | None:
    if revision is None or revision.stable is None:
        return None
    return effective(service.store.release(revision.stable.release), revision.stable)


def _diff(asked: _Asked) -> Response:
    words, store = asked.request.query_params, asked.service.store
    ids = store.releases()
    releases = {id_: store.release(id_).name for id_ in ids}
    old, new = words.get("from", ""), words.get("to", "")
    if old not in releases or new not in releases:
        return asked.page("diff.html.j2", releases=releases, old=old, new=new, differences=None, here="diff")
    found = changes(store.release(old), store.release(new))
    return asked.page(
        "diff.html.j2", releases=releases, old=old, new=new, differences=differences(store, found), here="diff"
    )


def _canary(asked: _Asked) -> Response:
    split, head = asked.request.path_params["split"], asked.head()
    if head is None:
        return asked.missing(f"There is no environment {asked.environment!r} in the store.")
    looks = asked.service.canaries.looks(head.environment).of(split)
    active = head.canary if head.canary and head.canary.id == split else None
    if not looks and active is None:
        return asked.missing(f"No look at a canary {split!r} is kept of {head.environment}.")
    found = lines(looks, _TITLES)
    watching = asked.service.canaries.watching.get(head.environment)
    return asked.page(
        "canary.html.j2",
        head=head,
        split=split,
        active=active,
        looks=looks,
        stretches=_stretches(looks),
        last=looks[-1] if looks else None,
        plan=asked.service.canaries.looks(head.environment).plan(split),
        chart=chart(looks, found),
        lines=found,
        titles=_TITLES,
        watching=watching if active and watching and watching.split.id == split else None,
        here="canary",
    )


def _stretches(looks: list[Look]) -> list[tuple[Look, Look]]:
    """The first and the last look of each stretch with one decision at one share, the newest stretch first."""
    found = [[*same] for _, same in groupby(looks, lambda look: (look.decision.action, look.state.share))]
    return [(same[0], same[-1]) for same in reversed(found)][:_PER_PAGE]
