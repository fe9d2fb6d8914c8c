"""Alertmanager HTTP API client: its configuration, alerts, silences, what it delivered, and a probe through it."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import requests
import yaml

from agentobs.errors import AgentobsError
from runbooks.checklist.platform import ActiveAlert, Delivery, Sent, Silence

_MARGIN_S: Final = 1
_TIMEOUT_S: Final = 30
_POLL_S: Final = 0.5
_SAMPLE: Final = re.compile(r"^(\w+)\{(.*)\}\s+(\S+)$")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_REQUESTS: Final = "alertmanager_notification_requests_total"
_FAILED: Final = "alertmanager_notification_requests_failed_total"
_LASTS: Final = timedelta(minutes=5)


class AlertmanagerError(AgentobsError):
    """Alertmanager could not be asked, or refused."""


class Alertmanager:
    """One Alertmanager at `url`."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update(headers or {})

    def _ask(self, method: str, path: str, **rest: Any) -> requests.Response:  # noqa: ANN401 arguments of requests
        try:
            answer = self._session.request(method, f"{self._url}{path}", timeout=_TIMEOUT_S, **rest)
        except requests.ConnectionError:
            raise AlertmanagerError(
                f"no Alertmanager answers at {self._url}; start the stack with `agentobs up`"
                " or name another one with --alertmanager URL"
            ) from None
        except requests.RequestException as error:
            raise AlertmanagerError(f"Alertmanager at {self._url} did not answer {path}: {error}") from error
        if not answer.ok:
            raise AlertmanagerError(f"Alertmanager at {self._url} refused {path}: {answer.status_code}")
        return answer

    def config(self) -> Mapping[str, Any]:
        """The configuration that it runs with; secrets are hidden."""
        return dict(yaml.safe_load(self._ask("GET", "/api/v2/status").json()["config"]["original"]))

    def alerts(self, *filters: str) -> list[ActiveAlert]:
        """Alerts that are active or muted."""
        found = self._ask("GET", "/api/v2/alerts", params=[("filter", each) for each in filters]).json()
        return [
            ActiveAlert(
                labels=each["labels"],
                receivers=tuple(receiver["name"] for receiver in each["receivers"]),
                muted_by=(
                    *each["status"]["silencedBy"],
                    *each["status"]["inhibitedBy"],
                    *each["status"].get("mutedBy", []),
                ),
            )
            for each in found
        ]

    def silences(self) -> list[Silence]:
        """Silences in force."""
        return [
            Silence(
                matchers=tuple(map(_matcher, each["matchers"])),
                until=datetime.fromisoformat(each["endsAt"]).timestamp(),
                by=each["createdBy"],
                comment=each["comment"],
            )
            for each in self._ask("GET", "/api/v2/silences").json()
            if each["status"]["state"] == "active"
        ]

    def deliveries(self) -> dict[str, Delivery]:
        """Requests made and failed since it started, by receiver; receivers without an integration are absent."""
        counts: dict[str, dict[str, float]] = {}
        for line in self._ask("GET", "/metrics").text.splitlines():
            found = _SAMPLE.match(line)
            if found and found[1] in {_REQUESTS, _FAILED}:
                receiver = dict(_LABEL.findall(found[2])).get("receiver_name", "")
                of = counts.setdefault(receiver, {_REQUESTS: 0.0, _FAILED: 0.0})
                of[found[1]] += float(found[3])
        return {name: Delivery(requests=each[_REQUESTS], failed=each[_FAILED]) for name, each in counts.items()}

    def probe(self, labels: Mapping[str, str], first_wait_s: float, patience_s: float) -> Sent:
        """Send an alert, wait until every receiver took it, and resolve it; `patience_s` beyond a group's first wait.

        What is counted is per receiver, not per alert. Before the first wait is over no receiver can have got it: what
        was delivered until then is another alert, and a probe that is taken back so early is never sent.
        """
        before, began = self.deliveries(), time.monotonic()
        self._post(labels, datetime.now(UTC) + _LASTS)
        try:
            return self._follow(labels, before, began, (first_wait_s + _MARGIN_S, first_wait_s + patience_s))
        finally:
            self._post(labels, datetime.now(UTC))

    def _follow(
        self, labels: Mapping[str, str], before: Mapping[str, Delivery], began: float, between_s: tuple[float, float]
    ) -> Sent:
        earliest_s, latest_s = between_s
        filters = [f'{name}="{value}"' for name, value in labels.items()]
        found = self._until(lambda: self.alerts(*filters), bool, began + _TIMEOUT_S)
        if not found:
            return Sent(
                receivers=(), took_s=time.monotonic() - began, message="Alertmanager does not show the probe alert"
            )
        names, muted = found[0].receivers, found[0].muted_by
        if muted:
            return Sent(receivers=names, took_s=time.monotonic() - began, muted_by=muted)
        none = Delivery(requests=0, failed=0)
        empty = [name for name in names if name not in before]
        if empty:
            said = f"receiver {', '.join(empty)} tells nobody: it has no integration"
            return Sent(receivers=names, took_s=time.monotonic() - began, message=said)

        def waiting() -> list[str]:
            if time.monotonic() - began < earliest_s:
                return [*names]
            now = self.deliveries()
            return [name for name in names if now.get(name, none).delivered <= before[name].delivered]

        left = self._until(waiting, lambda names: not names, began + latest_s)
        took = time.monotonic() - began
        said = f"{', '.join(left)} did not take the probe within {took:.0f} s" if left else ""
        return Sent(receivers=names, took_s=took, message=said)

    @staticmethod
    def _until(ask: Callable[[], Any], good: Callable[[Any], bool], deadline: float) -> Any:  # noqa: ANN401
        while not good(answer := ask()) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return answer

    def _post(self, labels: Mapping[str, str], until: datetime) -> None:
        alert = {
            "labels": dict(labels),
            "annotations": {
                "summary": f"Test of alerting before release {labels.get('release', '')}: nothing is wrong.",
                "description": "Sent by the deployment checklist, which takes it back at once.",
            },
            "endsAt": until.isoformat(),
        }
        self._ask("POST", "/api/v2/alerts", json=[alert])


def _matcher(each: Mapping[str, Any]) -> str:
    sign = ("=~" if each["isRegex"] else "=") if each.get("isEqual", True) else ("!~" if each["isRegex"] else "!=")
    return f'{each["name"]}{sign}"{each["value"]}"'
