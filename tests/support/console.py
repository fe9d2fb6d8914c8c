"""Somebody with a browser in front of the release console, and what there is to see."""

import re
from html import unescape
from pathlib import Path

import requests

from support.delivered import ENVIRONMENT, Desk, release

PAGE = f"/environments/{ENVIRONMENT}"
PEER = {
    "AGENTOBS_CONTROLLER_IDENTITY": "peer",
    "AGENTOBS_CONTROLLER_PEERS": "127.0.0.1",
    "AGENTOBS_CONTROLLER_VIEWERS": "*",
    "AGENTOBS_CONTROLLER_OPERATORS": "oncall",
    "AGENTOBS_CONTROLLER_RELEASERS": "leads,bob@example.com",
}


def two_revisions(folder: Path) -> Desk:
    """A store below a folder with two releases that were promoted, the planner's prompt 12 and 13."""
    desk = Desk(folder / "store")
    desk.promote(release(planner="12"))
    desk.promote(release(planner="13", name="support-2"))
    return desk


class Person:
    """Somebody with a browser."""

    def __init__(self, controlled, **headers):
        self.url, self.session = controlled.url, requests.Session()
        self.session.headers.update(headers)

    def signed_in(self, token):
        own = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        sent = {"token": token, "to": PAGE}
        self.answer = self.session.post(
            f"{self.url}/sign-in", data=sent, headers=own, timeout=20, allow_redirects=False
        )
        return self

    def get(self, path):
        return self.session.get(f"{self.url}{path}", timeout=20, allow_redirects=False)

    def press(self, path, seen=None, reason="it got worse", headers=None, **changed):
        """Press the button of the preview at `path`; `seen` is another page that was looked at instead."""
        shown = seen or self.get(path).text
        fields = {
            name: unescape(value) for name, value in re.findall(r'name="(token|revision)" value="([^"]*)"', shown)
        }
        own = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"} if headers is None else headers
        return self.session.post(
            f"{self.url}{path}", data={**fields, "reason": reason, **changed}, headers=own, timeout=20,
            allow_redirects=False,
        )  # fmt: skip
