"""Who may look and press on the console: roles, names that a proxy tells, tokens that it signs."""

import json
import re
import time
from base64 import urlsafe_b64encode

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from support.console import PAGE, PEER, Person, two_revisions
from support.controlled import in_thread
from support.delivered import ENVIRONMENT

from delivery import access
from delivery.console.security import confirmation


@pytest.fixture
def desk(tmp_path):
    return two_revisions(tmp_path)


KILL = f"{PAGE}/preview?kind=kill&agent=planner"


@pytest.mark.parametrize(
    ("name", "groups", "kill", "promote"),
    [("ada@example.com", "", 403, 403), ("ada@example.com", "x, oncall", 303, 403), ("bob@example.com", "", 303, 303)],
)
def test_roles_say_who_may_stop_and_who_may_bring(tmp_path, desk, *, name, groups, kill, promote):
    first = desk.store.revision(ENVIRONMENT, 1).stable.release
    with in_thread(tmp_path, PEER) as controlled:
        person = Person(controlled, **{"X-Forwarded-User": name, "X-Forwarded-Groups": groups})
        shown = person.get(KILL).text
        token = re.search(r'name="token"', shown)
        assert (token is not None) == (kill == 303)
        bring = f"{PAGE}/preview?kind=promote&release={first}"
        statuses = [_pressed(controlled, person, path) for path in (KILL, bring)]
    assert statuses == [kill, promote]
    if kill == 303:
        assert desk.store.revision(ENVIRONMENT, 3).operation.by == name


def _pressed(controlled, person, path):
    """With a right confirmation, as somebody would have who lost a role between looking and pressing."""
    name, service = person.session.headers["X-Forwarded-User"], controlled.service
    revision = service.store.head(ENVIRONMENT).revision
    token = confirmation(service.settings.secrets, access.Person(name, access.Role.VIEWER), revision, path)
    return person.press(path, seen=" ", token=token, revision=str(revision)).status_code


def test_a_name_in_a_header_counts_only_from_the_proxy(tmp_path, desk):
    with in_thread(tmp_path, {**PEER, "AGENTOBS_CONTROLLER_PEERS": "10.1.2.0/24"}) as controlled:
        forged = Person(controlled, **{"X-Forwarded-User": "bob@example.com", "X-Forwarded-For": "10.1.2.3"})
        assert (forged.get(PAGE).status_code, forged.press(KILL, seen=" ").status_code) == (401, 401)
    assert desk.head.revision == 2


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("name", ["", "a" * 201, "bob\xad"])
def test_a_name_that_is_none_is_nobody(tmp_path, name):
    with in_thread(tmp_path, PEER) as controlled:
        assert Person(controlled, **{"X-Forwarded-User": name}).get(PAGE).status_code == 401


KEY, OTHER_KEY = RSAKey.generate_key(2048, {"kid": "a"}), RSAKey.generate_key(2048, {"kid": "a"})
CLAIMS = {"email": "bob@example.com", "aud": "releases", "iss": "https://login.example.com"}


def signed(key=KEY, header=None, minutes=24 * 60, **claims):  # long: made when tests are collected, which may run late
    made = {**CLAIMS, "exp": int(time.time() + 60 * minutes), **claims}
    return jwt.encode(header or {"alg": "RS256", "kid": "a"}, {k: v for k, v in made.items() if v is not None}, key)


def _unsigned():
    parts = [json.dumps(each) for each in ({"alg": "none"}, {**CLAIMS, "exp": int(time.time()) + 86_400})]
    return ".".join([*(urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts), ""])


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("token", "status"),
    [
        (signed(), 200),
        (signed(key=OTHER_KEY), 401),
        (signed(aud="grafana"), 401),
        (signed(aud=None), 401),
        (signed(iss="https://evil.example"), 401),
        (signed(minutes=-5), 401),
        (signed(email=None), 401),
        (signed(email=None, sub="bob"), 200),
        (_unsigned(), 401),
        ("a.b.c", 401),
        ("", 401),
    ],
)
def test_a_signed_token_is_believed_only_whole_fresh_and_for_this_console(tmp_path, token, status):
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(KeySet([KEY]).as_dict(private=False)))
    variables = {
        "AGENTOBS_CONTROLLER_IDENTITY": "token",
        "AGENTOBS_CONTROLLER_JWKS": str(keys),
        "AGENTOBS_CONTROLLER_AUDIENCE": "releases",
        "AGENTOBS_CONTROLLER_ISSUER": "https://login.example.com",
    }
    with in_thread(tmp_path, variables) as controlled:
        assert Person(controlled, Authorization=f"Bearer {token}").get(PAGE).status_code == status
        # The one-user token of a computer is no way around the proxy.
        assert controlled.get(PAGE).status_code == 401
