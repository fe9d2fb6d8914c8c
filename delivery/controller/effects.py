"""What follows a revision elsewhere: a log record, an annotation in Grafana, a label in Langfuse.

Each may be done twice and means the same: a controller that is killed between doing it and writing that down does it
again. Raises EffectError where it could not be done; the revision stands, whatever happens here.
"""

import json
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

import requests

from delivery.controller.settings import Grafana, Langfuse
from delivery.environments.library import Library
from delivery.environments.state import Revision
from delivery.errors import DeliveryError
from delivery.store import Store

_TIMEOUT_S: Final = 10
EVENT: Final = "agentobs.release"
_ABOUT_IT: Final = frozenset({400, 404, 409, 413, 422})
"""Answers about what was sent; every other one is about the login or the server, and the next would get it, too."""


class EffectError(DeliveryError):
    """It could not be done now; it is tried again."""


class RefusedEffectError(EffectError):
    """This one is refused, by somebody who answers: others may still be done."""


class Effect(Protocol):
    """One kind of effect. `newest_only`: an older revision's would undo that of a newer one."""

    kind: str
    newest_only: bool

    def apply(self, revision: Revision) -> None:
        """Do it. Raises EffectError."""


class LogRecord:
    """A record of the operation, to the collector (OTLP as JSON)."""

    kind = "log"
    newest_only = False

    def __init__(self, endpoint: str, token: str | None) -> None:
        self._url = f"{endpoint}/v1/logs"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def apply(self, revision: Revision) -> None:
        """Send it; the same revision has the same id."""
        done = revision.operation
        attributes = {
            "event.name": f"{EVENT}.{done.kind}", "log.record.uid": f"{revision.environment}-{revision.revision}",
            "agentobs.release.revision": str(revision.revision), "agentobs.release.by": done.by,
            "agentobs.release.via": done.via, "agentobs.release.alert": done.alert or "",
            "agentobs.release.set": json.dumps(done.set, sort_keys=True),
        }  # fmt: skip
        at = str(int(_unix(done.at) * 1e9))
        record = {
            "timeUnixNano": at, "observedTimeUnixNano": at, "severityNumber": 9, "severityText": "INFO",
            "body": {"stringValue": f"{title(revision)}: {done.reason}"}, "attributes": _otlp(attributes),
        }  # fmt: skip
        resource = {"service.name": "release-controller", "deployment.environment.name": revision.environment}
        scoped = [{"scope": {"name": "delivery.controller"}, "logRecords": [record]}]
        body = {"resourceLogs": [{"resource": {"attributes": _otlp(resource)}, "scopeLogs": scoped}]}
        _asked("POST", self._url, body, self._headers)


class Annotation:
    """An annotation on the boards, once for each revision: it is looked for by its tag first."""

    kind = "annotation"
    newest_only = False

    def __init__(self, grafana: Grafana) -> None:
        self._url = f"{grafana.url}/api/annotations"
        self._headers = {"Authorization": f"Bearer {grafana.token}"} if grafana.token else {}

    def apply(self, revision: Revision) -> None:
        """Make it where it is not there."""
        done = revision.operation
        tag = f"release:{revision.environment}:{revision.revision}"
        if _asked("GET", f"{self._url}?tags={quote(tag, safe='')}&limit=1", None, self._headers):
            return
        tags = ["release", f"environment:{revision.environment}", f"operation:{done.kind}", tag]
        text = f"{title(revision)} (by {done.by}): {done.reason}"
        _asked("POST", self._url, {"time": int(_unix(done.at) * 1000), "tags": tags, "text": text}, self._headers)


class PromptLabels:
    """In Langfuse, the label named as the environment is moved to the prompt versions that run there.

    Langfuse takes a label from other versions when it is given to one, and it removes none. Nothing reads prompts by
    this label: it is for people who look at Langfuse.
    """

    kind = "label"
    newest_only = True

    def __init__(self, langfuse: Langfuse, store: Store) -> None:
        self._langfuse, self._store = langfuse, store

    def apply(self, revision: Revision) -> None:
        """Label every prompt of the stable track."""
        if revision.stable is None:
            return
        running = Library(self._store, revision.environment).running(revision.state)
        for pin in {agent.prompt.digest: agent.prompt for agent in running.agents.values()}.values():
            number = pin.version.removeprefix("v")
            path = f"/api/public/v2/prompts/{quote(pin.name, safe='')}/versions/{quote(number, safe='')}"
            try:
                self._patch(path, revision.environment)
            except EffectError as error:
                raise type(error)(f"prompt {pin.name} {number}: {error}") from None

    def _patch(self, path: str, label: str) -> None:
        login = requests.auth.HTTPBasicAuth(self._langfuse.public_key, self._langfuse.secret_key)
        _asked("PATCH", f"{self._langfuse.url}{path}", {"newLabels": [label]}, {}, login)


def title(revision: Revision) -> str:
    """What a revision is, in one line."""
    done = revision.operation
    said = ", ".join(f"{key} {value}" for key, value in sorted(done.set.items()))
    return f"{revision.environment} revision {revision.revision}: {done.kind}{f' ({said})' if said else ''}"


def _otlp(attributes: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]


def _asked(
    method: str,
    url: str,
    body: dict[str, Any] | None,
    headers: dict[str, str],
    login: requests.auth.HTTPBasicAuth | None = None,
) -> Any:  # noqa: ANN401 JSON
    """The answer. Raises EffectError, which repeats no secret."""
    try:
        answer = requests.request(
            method, url, json=body, headers=headers, auth=login, timeout=_TIMEOUT_S, allow_redirects=False
        )
    except requests.RequestException as error:
        raise EffectError(f"{url.partition('?')[0]} does not answer: {type(error).__name__}") from None
    if not answer.ok or answer.is_redirect:
        is_about_it = answer.status_code in _ABOUT_IT
        kind = RefusedEffectError if is_about_it else EffectError
        raise kind(f"{url.partition('?')[0]} answered {answer.status_code}")
    try:
        return answer.json() if answer.content else None
    except ValueError:
        return None


def _unix(moment: str) -> float:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return 0.0
