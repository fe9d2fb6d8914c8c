"""Asking a store: one session, one time limit, errors that name the store and the fix."""

from collections.abc import Mapping
from typing import Final

import requests

_TIMEOUT_S: Final = 30
_SHOWN: Final = 200


class StoreError(RuntimeError):
    """A store could not be asked, or refused the question."""


class Connection:
    """One store at `url`; `headers` hold the login where it wants one, `option` names another one."""

    def __init__(self, name: str, url: str, headers: Mapping[str, str] | None, option: str) -> None:
        self.url = url.rstrip("/")
        self._name = name
        self._option = option
        self._session = requests.Session()
        self._session.headers.update(headers or {})

    def get(self, path: str, params: Mapping[str, str], accept: str = "application/json") -> requests.Response:
        """What the store answers, which may be that there is nothing (404). Raises StoreError."""
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
            raise StoreError(f"{self._name} at {self.url} did not answer {path}: {error}") from error
        if answer.status_code not in {requests.codes.ok, requests.codes.not_found}:
            said = " ".join(answer.text[:_SHOWN].split())
            raise StoreError(f"{self._name} at {self.url} refused {path}: {answer.status_code} {said}")
        return answer
