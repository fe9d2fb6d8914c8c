"""A client of Langfuse's scores API.

Not in the package itself, because `requests` takes as long to import as all the rest.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import requests

from agentobs.scores import PUBLIC_KEY_VARIABLE, SECRET_KEY_VARIABLE, URL_VARIABLE, Credentials, ScoreError

_REQUEST_TIMEOUT_S: Final = 10.0
_FIRST_WAIT_S: Final = 0.25
_LONGEST_WAIT_S: Final = 15.0
_OK: Final = 300
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500


class ScoreClient:
    """Posts scores; waits and repeats while Langfuse is away or asks to slow down, until `patience_s` is over."""

    def __init__(self, credentials: Credentials, *, patience_s: float = 60.0) -> None:
        self._credentials = credentials
        self._patience_s = patience_s
        self._closing = threading.Event()
        self._session = requests.Session()
        self._session.auth = (credentials.public_key, credentials.secret_key)

    def post(self, score: Mapping[str, Any]) -> None:
        """Post one score. Raises ScoreError naming the fix when Langfuse refuses it or stays away."""
        deadline, wait = time.monotonic() + self._patience_s, _FIRST_WAIT_S
        while True:
            answer, problem = self._try(score)
            if answer is not None and answer.status_code < _OK:
                return
            if answer is not None and answer.status_code != _TOO_MANY and answer.status_code < _SERVER_ERROR:
                raise ScoreError(self._refusal(answer))
            pause = max(wait, _retry_after(answer))
            if time.monotonic() + pause > deadline or self._closing.wait(pause):
                raise ScoreError(
                    f"Langfuse at {self._credentials.url} took no score within {self._patience_s:g} s ({problem}); "
                    "check that it is up and can be reached from here"
                )
            wait = min(2 * wait, _LONGEST_WAIT_S)

    def close(self) -> None:
        """Stop waiting for Langfuse; what is being posted ends with its current attempt."""
        self._closing.set()

    def _try(self, score: Mapping[str, Any]) -> tuple[requests.Response | None, str]:
        url = f"{self._credentials.url}/api/public/scores"
        try:
            answer = self._session.post(url, json=dict(score), timeout=_REQUEST_TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            return None, type(error).__name__
        return answer, f"HTTP {answer.status_code}"

    def _refusal(self, answer: requests.Response) -> str:
        fix = {
            401: f"check that {PUBLIC_KEY_VARIABLE} and {SECRET_KEY_VARIABLE} belong to a project there",
            403: "the keys may not write scores; use those of the project, not of the organisation",
            404: f"check that {URL_VARIABLE} is the base address, without /api",
        }.get(answer.status_code, f"it says: {answer.text[:200]}")
        return f"Langfuse at {self._credentials.url} refused a score (HTTP {answer.status_code}): {fix}"


def _retry_after(answer: requests.Response | None) -> float:
    """Seconds that the answer asks to wait, within reason."""
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    return min(float(asked), _LONGEST_WAIT_S) if asked.isdigit() else 0.0
