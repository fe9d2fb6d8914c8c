"""Three ways to know who asks: one local user with a token, a proxy's signed token, or a header of a known peer.

A name that anybody could have written is nobody's: a header counts only from a configured address.
"""

import ipaddress
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path
from typing import Any, Final, Protocol

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.requests import Request

from delivery.access.roles import Person, Role, highest
from delivery.access.tokens import Secrets, bearer, same

COOKIE: Final = "agentobs_console"
_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Signed with a key that only the proxy has: no shared secrets, and never none."""
_LEEWAY_S: Final = 30
_KEYS_S: Final = 300.0
_AGAIN_S: Final = 10.0
_TIMEOUT_S: Final = 5
_LONGEST: Final = 200

_log = logging.getLogger(__name__)
Roles = Mapping[Role, frozenset[str]]


class Identity(Protocol):
    """Who asks."""

    @property
    def local(self) -> bool:
        """Whether people sign in here, with the token of this computer."""

    def person(self, request: Request) -> Person | None:
        """Who it is, None for nobody known."""


@dataclass(frozen=True, slots=True)
class LocalUser:
    """The one user of this computer, who can read the token's file. A browser has a cookie, a program the token."""

    secrets: Secrets
    local: bool = True

    def person(self, request: Request) -> Person | None:
        """The user of this process."""
        by_cookie = same(request.cookies.get(COOKIE), self.secrets.cookie)
        by_token = same(bearer(request.headers.get("authorization")), self.secrets.login)
        return Person(_user(), Role.RELEASER) if by_cookie or by_token else None


@dataclass(frozen=True, slots=True)
class Peer:
    """A proxy at known addresses that says who it let in; its headers from elsewhere are lies."""

    addresses: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]
    roles: Roles
    user: str = "x-forwarded-user"
    groups: str = "x-forwarded-groups"
    local: bool = False

    def person(self, request: Request) -> Person | None:
        """Who the proxy names."""
        name = _name(request.headers.get(self.user))
        if name is None or request.client is None or not self._is_proxy(request.client.host):
            return None
        groups = frozenset(filter(None, (each.strip() for each in request.headers.get(self.groups, "").split(","))))
        role = highest(groups | {name}, self.roles)
        return Person(name, role) if role else None

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        # An IPv4 peer of a socket for both has an address of IPv6.
        plain = getattr(address, "ipv4_mapped", None) or address
        return any(plain in network for network in self.addresses)


@dataclass(slots=True)
class SignedToken:
    """A proxy's JSON web token: signed by a key of the set, for this audience, not expired."""

    keys: Callable[[], KeySet | None]
    audience: str
    roles: Roles
    issuer: str | None = None
    header: str = "authorization"
    user: str = "email"
    groups: str = "groups"
    local: bool = False

    def person(self, request: Request) -> Person | None:
        """Whom the token names."""
        header = request.headers.get(self.header)
        text = bearer(header) or (header if self.header != "authorization" else None)
        claims = self._claims(text) if text else None
        name = _name(claims.get(self.user) or claims.get("sub")) if claims else None
        if claims is None or name is None:
            return None
        said = claims.get(self.groups)
        groups = frozenset(str(each) for each in said) if isinstance(said, list) else frozenset()
        role = highest(groups | {name}, self.roles)
        return Person(name, role) if role else None

    def _claims(self, text: str) -> Mapping[str, Any] | None:
        keys = self.keys()
        if keys is None:
            return None
        wanted: dict[str, Any] = {
            "aud": {"essential": True, "value": self.audience},
            "exp": {"essential": True},
            **({"iss": {"essential": True, "value": self.issuer}} if self.issuer else {}),
        }
        try:
            token = jwt.decode(text, keys, algorithms=_ALGORITHMS)
            jwt.JWTClaimsRegistry(leeway=_LEEWAY_S, **wanted).validate(token.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            _log.warning("a token of the proxy is refused: %s", type(error).__name__)
            return None
        return token.claims


@dataclass(slots=True)
class KeysAt:
    """The proxy's public keys: a file, or an address that is read again every five minutes."""

    place: str
    _held: KeySet | None = None
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> KeySet | None:
        """The keys; those that were held before where they cannot be had now."""
        with self._lock:
            if time.monotonic() >= self._next:
                self._read()
            return self._held

    def _read(self) -> None:
        try:
            self._held = KeySet.import_key_set(self._document())
            self._next = time.monotonic() + _KEYS_S
        except (OSError, ValueError, KeyError, TypeError, JoseError, requests.RequestException) as error:
            self._next = time.monotonic() + _AGAIN_S
            _log.warning("the keys of the proxy at %s cannot be read: %s", self.place, type(error).__name__)

    def _document(self) -> Any:  # noqa: ANN401 JSON
        if "://" not in self.place:
            return json.loads(Path(self.place).read_bytes())
        answer = requests.get(self.place, timeout=_TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        return answer.json()


def _name(said: object) -> str | None:
    """A name as it is written into the history: one line, not too long."""
    if not isinstance(said, str):
        return None
    name = said.strip()
    return name if 0 < len(name) <= _LONGEST and name.isprintable() else None


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return f"user {os.geteuid()}"
