"""Langfuse's API of score configs. One cannot be deleted there, only archived; nothing is archived or renamed here.

Not here: what is configured (`collector.langfuse.score_configs`), and scores themselves (`agentobs.scores`).
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

import requests

from agentobs.scores import Credentials, ScoreError
from collector.langfuse.score_configs import NUMERIC, ScoreConfig

_PATH: Final = "/api/public/score-configs"
_PAGE: Final = 100
_TIMEOUT_S: Final = 30


class Action(StrEnum):
    """What was found to do."""

    CREATED = "created"
    UPDATED = "updated"
    SAME = "unchanged"


class Configs:
    """The score configs of one project."""

    def __init__(self, credentials: Credentials) -> None:
        self._url = credentials.url
        self._session = requests.Session()
        self._session.auth = (credentials.public_key, credentials.secret_key)

    def reconcile(self, wanted: Iterable[ScoreConfig], *, dry_run: bool = False) -> Iterator[tuple[str, Action]]:
        """Make what is missing, mend what differs; a second time everything is unchanged. Raises ScoreError."""
        found = {each["name"]: each for each in self._list()}
        for config in wanted:
            there = found.get(config.name)
            if there is not None and there["dataType"] != NUMERIC:
                raise ScoreError(
                    f"the score config {config.name} in Langfuse is {there['dataType']}, not {NUMERIC}, and Langfuse"
                    " changes no type. Fix: archive it there under its name, or give the evaluation another name"
                )
            action = _action(config, there)
            if not dry_run:
                self._apply(config, there, action)
            yield config.name, action

    def _apply(self, config: ScoreConfig, there: Mapping[str, Any] | None, action: Action) -> None:
        if action is Action.CREATED:
            self._ask("POST", _PATH, config.document())
        elif action is Action.UPDATED and there is not None:
            changed = {key: value for key, value in config.document().items() if key not in {"name", "dataType"}}
            self._ask("PATCH", f"{_PATH}/{there['id']}", {**changed, "isArchived": False})

    def _list(self) -> Iterator[dict[str, Any]]:
        page, pages = 1, 1
        while page <= pages:
            answer = self._ask("GET", f"{_PATH}?page={page}&limit={_PAGE}")
            yield from answer["data"]
            page, pages = page + 1, int(answer["meta"]["totalPages"])

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = self._session.request(
                method, self._url + path, json=body, timeout=_TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            raise ScoreError(
                f"Langfuse at {self._url} does not answer ({type(error).__name__}); check that it is up and can be"
                " reached from here"
            ) from error
        if answer.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
            raise ScoreError(
                f"Langfuse at {self._url} refuses the keys (HTTP {answer.status_code}); check that they are those of a"
                " project there"
            )
        if not answer.ok:
            raise ScoreError(
                f"Langfuse at {self._url} refused {method} {path}: {answer.status_code} {answer.text[:200]}"
            )
        return dict(answer.json())


def _action(config: ScoreConfig, there: Mapping[str, Any] | None) -> Action:
    if there is None:
        return Action.CREATED
    same = all(there.get(key) == value for key, value in config.document().items())
    return Action.SAME if same and not there.get("isArchived") else Action.UPDATED
