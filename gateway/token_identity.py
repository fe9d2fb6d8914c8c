"""Callers by signed token: an issuer of the policy signed it, for this gateway, and it has not run out.

Keys come from the issuer's JWKS (an address or a file) and stay an hour when the address falls silent; then the door
is closed. Which algorithms count is ours to say, never the token's.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact

from agentobs.guard.document import Document, Issuer
from gateway.identity import HEADER, Caller, HeaderIdentity, Identify, IdentityError, is_loopback, meant
from gateway.run import GatewayError

_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_FRESH_S: Final = 300.0
_KEPT_S: Final = 3600.0
_UNKNOWN_KEY_S: Final = 10.0  # a token with an unknown key makes nobody ask more often than this
_LEEWAY_S: Final = 10
_LONGEST: Final = 8192
_WAIT_S: Final = 5.0


def identity_of(document: Document, host: str) -> Identify:
    """Tokens where the policy has issuers, else the header, on loopback only. Raises GatewayError."""
    if document.issuers:
        return TokenIdentity(document)
    if not is_loopback(host):
        raise GatewayError(
            f"the gateway would listen at {host} and believe every caller; expected `issuers` and `identities` in the "
            "policy, or --host 127.0.0.1"
        )
    return HeaderIdentity()


@dataclass(slots=True)
class Keys:
    """The keys of one issuer."""

    issuer: Issuer
    fetch: Callable[[str], dict[str, Any]] = field(default_factory=lambda: _fetched)
    clock: Callable[[], float] = time.monotonic
    _keys: KeySet | None = None
    _got: float = float("-inf")
    _asked: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def known(self, *, anew: bool = False) -> KeySet:
        """The keys, asked for again when they are old or lack one. Raises IdentityError when there are none."""
        async with self._lock:
            age = self.clock() - self._got
            wanted = age > _FRESH_S or anew
            if wanted and self.clock() - self._asked > _UNKNOWN_KEY_S:
                self._asked = self.clock()
                try:
                    self._keys = KeySet.import_key_set(await asyncio.to_thread(self.fetch, self.issuer.jwks))  # type: ignore[arg-type]  # checked there
                    self._got, age = self.clock(), 0.0
                except (OSError, ValueError, TypeError, KeyError, JoseError):
                    age = self.clock() - self._got
            if self._keys is None or age > _KEPT_S:
                raise IdentityError(f"the keys of issuer {self.issuer.issuer} cannot be had; nobody is let in")
            return self._keys


class TokenIdentity:
    """Whom the issuers of a policy vouch for."""

    def __init__(self, document: Document) -> None:
        self._issuers = {one.issuer: (name, one, Keys(one)) for name, one in document.issuers.items()}
        self._agents = {(one.issuer, one.subject): one.agents for one in document.identities}

    async def __call__(self, headers: Mapping[str, str], host: str) -> Caller:
        """See `Identify`."""
        del host
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token or len(token) > _LONGEST:
            raise IdentityError("no caller; expected a token in the Authorization header")
        name, claims = await self._claims(token.strip())
        subject = claims.get("sub")
        agents = self._agents.get((name, subject)) if isinstance(subject, str) else None
        if not agents:
            raise IdentityError("the token's subject is in no entry of the policy's identities")
        return Caller(agents, f"{name}:{subject}", meant(agents, headers.get(HEADER, "").strip()))

    async def _claims(self, token: str) -> tuple[str, dict[str, Any]]:
        found = self._issuers.get(_issuer_in(token))
        if found is None:
            raise IdentityError("the token is of no issuer of the policy")
        name, issuer, keys = found
        rules = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": issuer.issuer},
            aud={"essential": True, "value": issuer.audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        for anew in (False, True):
            try:
                decoded = jwt.decode(token, await keys.known(anew=anew), algorithms=_ALGORITHMS)
                rules.validate(decoded.claims)
            except (JoseError, ValueError, TypeError, RecursionError):
                continue
            return name, decoded.claims
        raise IdentityError("the token is not valid here: its signature, its audience or its time is wrong")


def _issuer_in(token: str) -> str:
    """Who says to have signed: only to choose the keys that decide it."""
    try:
        claims = json.loads(extract_compact(token.encode()).payload)
        return str(claims.get("iss"))
    except (JoseError, ValueError, AttributeError, RecursionError):
        return ""


def _fetched(address: str) -> dict[str, Any]:
    if not address.startswith(("http://", "https://")):
        found = json.loads(Path(address).read_text(encoding="utf-8"))
    else:
        answer = requests.get(address, timeout=_WAIT_S, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no key set")  # noqa: TRY004 told as one
    return found
