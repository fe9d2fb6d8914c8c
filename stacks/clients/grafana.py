"""Boards into a Grafana over its API: only what changed, shown first, and never over what a person changed there.

Every write carries a message with the digest of what was written. Where the newest version of a board has another
message, somebody edited it in the browser, and it stays as it is unless told otherwise. So the question does not depend
on how this Grafana rewrites what it stores.
"""

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import requests

from agentobs.errors import AgentobsError
from dashboards.documents import text

TOKEN: Final = "GRAFANA_TOKEN"  # noqa: S105 the name of a variable, not a token
_TIMEOUT_S: Final = 30
_WRITTEN: Final = "agentobs {digest}"
_MESSAGE: Final = re.compile(r"agentobs ([0-9a-f]{64})")
_GRAFANAS_OWN: Final = ("id", "version", "uid")


class PushError(AgentobsError):
    """Grafana could not be asked, or refused; the message names the address and the fix."""


class State(StrEnum):
    """What a push finds of one board, and therefore does."""

    NEW = "new"
    SAME = "unchanged"
    OLD = "changed"  # written by a push of other boards
    EDITED = "edited"  # changed by a person since


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One board: what would be written, and the difference to what is there, as a unified diff."""

    slug: str
    board: Mapping[str, Any]
    state: State
    difference: str
    version: int
    edited_by: str = ""


class Grafana:
    """One Grafana at `url`. `token` of a service account that may write dashboards and folders."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        # A proxy's or a netrc's credentials must not replace the token.
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def plans(self, boards: Mapping[str, Mapping[str, Any]]) -> Iterator[Plan]:
        """What a push would do, board by board. Raises PushError."""
        for slug, board in boards.items():
            yield self._plan(slug, board)

    def write(self, plan: Plan, folder: str) -> str:
        """Write one board into a folder's uid; return its address. Raises PushError, also if it changed meanwhile."""
        body = {
            "dashboard": {**plan.board, "id": None, "version": plan.version},
            "folderUid": folder,
            "message": _WRITTEN.format(digest=_digest(plan.board)),
            "overwrite": False,
        }
        answer = self._ask("POST", "/api/dashboards/db", body)
        if answer.status_code == requests.codes.precondition_failed:
            raise PushError(f"{plan.slug}: {_said(answer)}. It changed since it was compared; fix: push again")
        return f"{self._url}{self._read(answer, f'the board {plan.slug}').get('url', '')}"

    def folder(self, title: str) -> str:
        """The uid of the folder of that title at the top; it is made if there is none."""
        found = self._read(self._ask("GET", "/api/folders?limit=1000"), "the list of folders")
        for each in found:
            if each["title"] == title:
                return str(each["uid"])
        return str(self._read(self._ask("POST", "/api/folders", {"title": title}), f"the folder {title}")["uid"])

    def _plan(self, slug: str, board: Mapping[str, Any]) -> Plan:
        uid = board["uid"]
        answer = self._ask("GET", f"/api/dashboards/uid/{uid}")
        if answer.status_code == requests.codes.not_found:
            return Plan(slug=slug, board=board, state=State.NEW, difference=_difference({}, board), version=0)
        there = self._read(answer, f"the board {uid}")
        newest = self._newest(uid)
        written = _MESSAGE.fullmatch(newest.get("message") or "")
        ours = State.SAME if written and written[1] == _digest(board) else State.OLD
        state = ours if written else State.EDITED
        return Plan(
            slug=slug,
            board=board,
            state=state,
            difference="" if state is State.SAME else _difference(there["dashboard"], board),
            version=int(there["dashboard"].get("version", 0)),
            edited_by=str(newest.get("createdBy", "")) if state is State.EDITED else "",
        )

    def _newest(self, uid: str) -> dict[str, Any]:
        """The newest version; a list until Grafana 11, an object since."""
        found = self._read(self._ask("GET", f"/api/dashboards/uid/{uid}/versions?limit=1"), f"the versions of {uid}")
        versions = found["versions"] if isinstance(found, dict) else found
        return dict(versions[0]) if versions else {}

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> requests.Response:
        try:
            # Not followed: a redirect could carry the token to another host.
            return self._session.request(method, self._url + path, json=body, timeout=_TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            raise PushError(f"no Grafana answers at {self._url}: {type(error).__name__}; fix: --url") from None

    def _read(self, answer: requests.Response, what: str) -> Any:  # noqa: ANN401 JSON
        if answer.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
            raise PushError(
                f"Grafana at {self._url} refused {what}: {_said(answer)}; fix: put the token of a service account"
                f" with the role Editor into the variable {TOKEN}"
            )
        if answer.status_code != requests.codes.ok:
            raise PushError(f"Grafana at {self._url} refused {what}: {answer.status_code} {_said(answer)}")
        try:
            return answer.json()
        except requests.JSONDecodeError:
            raise PushError(f"{self._url} does not speak as Grafana does; fix: --url of Grafana itself") from None


def _said(answer: requests.Response) -> str:
    try:
        return str(answer.json().get("message", ""))
    except (requests.JSONDecodeError, AttributeError):
        return answer.text[:200]


def _digest(board: Mapping[str, Any]) -> str:
    return hashlib.sha256(text(board).encode()).hexdigest()


def _difference(there: Mapping[str, Any], board: Mapping[str, Any]) -> str:
    old, new = ({k: v for k, v in each.items() if k not in _GRAFANAS_OWN} for each in (there, board))
    before = text(old).splitlines(keepends=True) if there else []
    return "".join(
        difflib.unified_diff(before, text(new).splitlines(keepends=True), "in Grafana", "to be written", n=2)
    )
