"""Asking a store: one session, one time limit, errors that name the store and the fix."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import requests

from agentobs.errors import AgentobsError

_TIMEOUT_S: Final = 30
_SHOWN: Final = 200
_UNREADABLE: Final = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, OverflowError)
"""What reading an answer of another form ends in."""
_HALF: Final = re.compile("[\ud800-\udfff]")


class StoreError(AgentobsError):
    """A store could not be asked, refused the question, or answered what cannot be read."""


class Connection:
    """One store at `url`; `headers` hold the login where it wants one, `option` names another one."""

    def __init__(self, name: str, url: str, headers: Mapping[str, str] | None, option: str) -> None:
        self.url = url.rstrip("/")
        self._name = name
        self._option = option
        self._session = requests.Session()
        self._session.headers.update(headers or {})

    def get(
        self, path: str, params: Mapping[str, str], accept: str = "application/json", *, or_nothing: bool = False
    ) -> requests.Response:
        """What the store answers; with `or_nothing` also that it has no such thing (404). Raises StoreError."""
        try:
            answer = self._session.get(
                f"{self.url}{path}", params=params, headers={"Accept": accept}, timeout=_TIMEOUT_S
            )
        except requests.ConnectionError:
            raise StoreError(
                f"no {self._name} answers at {self.url}; start the stack with `agentobs up` or name another one with"
                f" {self._option} URL"
            ) from None
        except requests.RequestException as error:
            raise StoreError(f"{self._at} did not answer {path}: {plain(str(error))}; {self._fix}") from error
        except UnicodeError:
            raise StoreError(f"{self._at} can be asked only for text in UTF-8; leave out what is none") from None
        if answer.status_code == requests.codes.ok or (or_nothing and answer.status_code == requests.codes.not_found):
            return answer
        raise StoreError(
            f"{self._at} refused {path}: {answer.status_code} {plain(answer.text)}{self._hint(answer.status_code)}"
        )

    def json(self, path: str, params: Mapping[str, str]) -> Any:  # noqa: ANN401 whatever a store answers
        """The document that the store answers. Raises StoreError."""
        answer = self.get(path, params)
        with self.reading(path):
            return parsed(answer.content)

    @contextmanager
    def reading(self, path: str) -> Iterator[None]:
        """Reading an answer: where it has another form, the error says so. Raises StoreError."""
        try:
            yield
        except _UNREADABLE as error:
            raise StoreError(
                f"{self._at} answered {path} in a form that is not its own ({plain(repr(error))}); {self._fix}"
            ) from error

    @property
    def _at(self) -> str:
        return f"{self._name} at {self.url}"

    @property
    def _fix(self) -> str:
        return f"look whether that address is one of {self._name}'s API, or name another one with {self._option} URL"

    def _hint(self, status: int) -> str:
        if status in {requests.codes.unauthorized, requests.codes.forbidden}:
            return "; it wants another login, see the stack's secret settings"
        return f"; {self._fix}" if status == requests.codes.not_found else ""


def parsed(text: bytes | str) -> Any:  # noqa: ANN401 whatever a store answers
    """A JSON document; half a pair of surrogates, which no terminal and no file takes, becomes U+FFFD."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    made = json.loads(said)
    if "\\ud" not in said.lower():
        return made
    return json.loads(_HALF.sub("\ufffd", json.dumps(made, ensure_ascii=False)))


def plain(text: str) -> str:
    """The beginning of what a store says, in one line and without what steers a terminal."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[:_SHOWN])
    return " ".join(shown.split())
