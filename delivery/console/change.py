"""Previews of operations, and the one button that does what was seen.

A form is bound to the person, to the revision that its preview was made of, and to the exact operation. Pressed twice,
or after somebody else was first, it does nothing and shows what is there by now.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from delivery.access import Person
from delivery.console import render, sign_in
from delivery.console.security import confirmation, is_confirmed, is_own_form, target
from delivery.console.words import command, heading
from delivery.controller.agents import is_environment
from delivery.controller.api import TooLargeError, body, done_now, requested
from delivery.controller.service import Service
from delivery.environments import wanted
from delivery.environments.preview import preview
from delivery.environments.wanted import Wanted
from delivery.errors import ConflictError, DeliveryError, RefusedError
from delivery.store import StoreError

_LARGEST: Final = 16 * 1024
_MOST_WORDS: Final = 20
_DIGITS: Final = 9
_ID_DIGITS: Final = 32
_DANGER: Final = frozenset({"kill", "rollback", "rollback-release", "end"})


def show(service: Service, request: Request, person: Person) -> Response:
    """What an operation would do, with the button. Raises StoreError."""
    form = _Form(service, request, person)
    try:
        asked = _wanted(request)
    except DeliveryError as error:
        return form.failed(400, "This is no operation", str(error))
    return form.shown(asked)


async def commit_form(service: Service, request: Request) -> Response:
    """The button: checks who, from where and what was seen, then commits."""
    person = await run_in_threadpool(service.settings.identity.person, request)
    if person is None:
        return await run_in_threadpool(sign_in.form, service.settings, request, 401)
    try:
        sent = await body(request, _LARGEST)
    except TooLargeError as error:
        return render.failed(person, 413, "Too much", str(error))
    return await run_in_threadpool(_Form(service, request, person).pressed, sent)


class _Form:
    """One preview of one person."""

    def __init__(self, service: Service, request: Request, person: Person) -> None:
        self._service, self._request, self._person = service, request, person
        self._environment: str = request.path_params["environment"]
        self._path = target(request)
        self._back = f"/environments/{self._environment}" if is_environment(self._environment) else "/"

    def failed(self, status: int, title: str, *said: str) -> Response:
        """A page that says why not."""
        return render.failed(self._person, status, title, *said, back=self._back)

    def shown(self, asked: Wanted, status: int = 200, said: str = "") -> Response:
        """The preview. Raises StoreError."""
        title = heading(asked, self._environment)
        try:
            operation = asked.operation(requested(self._person, "preview", "console"))
            found = preview(self._service.store, self._environment, operation)
        except StoreError:
            raise
        except (RefusedError, ConflictError) as error:
            return self.failed(409, f"{title}: not possible", str(error))
        except DeliveryError as error:
            return self.failed(404, f"{title}: not possible", str(error))
        agents = self._service.followers.of(self._environment) if found.after else []
        return render.page(
            "preview.html.j2",
            self._person,
            status,
            environments=self._service.store.environments(),
            environment=self._environment,
            title=title,
            preview=found,
            allowed=self._person.may(asked.kind),
            path=self._path,
            token=confirmation(self._service.settings.secrets, self._person, found.head, self._path),
            command=command(asked, self._environment),
            following=sum(not one.deaf for one in agents),
            deaf=sum(one.deaf for one in agents),
            danger=asked.kind in _DANGER,
            said=said,
            back=self._back,
        )

    def pressed(self, sent: bytes) -> Response:
        """The answer to the button."""
        settings = self._service.settings
        if not is_own_form(self._request, settings.origin, local=settings.identity.local):
            return self.failed(403, "Not from here", "This form was not sent by a page of this console.")
        fields = _fields(sent)
        seen = self._seen(fields)
        if seen is None:
            said = "The confirmation was made for somebody else, or for something else. Nothing was changed."
            return self.failed(403, "Not confirmed", said)
        try:
            asked = _wanted(self._request)
            if not self._person.may(asked.kind):
                return self.failed(403, "Not allowed", f"{self._person.name} is {self._person.role.title}.")
            return self._done(asked, seen, fields)
        except StoreError as error:
            return self.failed(503, "The store cannot be used", str(error), "Nothing was changed.")
        except DeliveryError as error:
            return self.failed(400, "This is no operation", str(error))

    def _seen(self, fields: Mapping[str, str]) -> int | None:
        """The revision that was seen, where the confirmation is the one of this form."""
        said = fields.get("revision", "")
        if not (said.isascii() and said.isdigit() and len(said) <= _DIGITS):
            return None
        secrets, token = self._service.settings.secrets, fields.get("token", "")
        return int(said) if is_confirmed(secrets, self._person, int(said), self._path, token) else None

    def _done(self, asked: Wanted, seen: int, fields: Mapping[str, str]) -> Response:
        """Commit once. Raises DeliveryError."""
        head = self._service.store.head(self._environment)
        now = head.revision if head else 0
        if now != seen:
            said = f"Revision {seen}, which you saw, is not the newest any more: that is {now}. Nothing was changed."
            return self.failed(409, "Somebody was first", said, "Look at what runs, then decide again.")
        try:
            # One id for one confirmation: pressed twice at the same moment, the second finds what the first made.
            id_ = f"console-{fields['token'][:_ID_DIGITS]}"
            request = requested(self._person, fields.get("reason", ""), "console", id_)
        except DeliveryError as error:
            return self.shown(asked, 400, str(error))
        try:
            done = done_now(self._service, self._environment, asked.operation(request))
        except (RefusedError, ConflictError) as error:
            return self.failed(409, "Not possible any more", str(error))
        if not done.changed:
            return self.failed(409, "Done already", f"Revision {done.revision.revision} has it.")
        return RedirectResponse(f"{self._back}?done={done.revision.revision}", 303)


def _wanted(request: Request) -> Wanted:
    """The operation of an address. Raises DeliveryError."""
    if not is_environment(request.path_params["environment"]):
        raise DeliveryError("no environment has such a name")
    try:
        words = parse_qsl(request.url.query, max_num_fields=_MOST_WORDS)
    except ValueError:
        raise DeliveryError(f"this address has more than {_MOST_WORDS} words") from None
    if len({key for key, _ in words}) != len(words):
        raise DeliveryError("a word of this address stands in it twice")
    said: dict[str, str | int] = {key: value for key, value in words if value}
    if "percent" in said:
        said["share"] = _share(str(said.pop("percent")))
    return wanted.read(said)


def _share(percent: str) -> int:
    """A share in 1/10,000 of one in percent. Raises DeliveryError."""
    try:
        value = float(percent) * 100
        share = round(value)
    except (ValueError, OverflowError):
        share, value = 0, 1.0
    if abs(value - share) > 1e-6:  # noqa: PLR2004 less than what is written
        raise DeliveryError(f"{percent} % is no share; expected 0.01 to 100 in steps of 0.01")
    return share


def _fields(sent: bytes) -> dict[str, str]:
    """The fields of a form, each once; none of what is no form."""
    try:
        found = parse_qs(sent.decode("utf-8"), max_num_fields=_MOST_WORDS)
    except ValueError:
        return {}
    return {key: values[0] for key, values in found.items()}
