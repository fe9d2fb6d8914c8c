"""Secrets of this controller, and tokens made of them. Compared in constant time, never printed."""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from delivery.errors import DeliveryError

_FILE: Final = 0o600
_FOLDER: Final = 0o700
_BYTES: Final = 32
_LEAST: Final = 16


@dataclass(frozen=True, slots=True)
class Secrets:
    """`login` is what the one local user types; `key` signs cookies and confirmations."""

    login: str = field(repr=False)
    key: bytes = field(repr=False)

    @classmethod
    def kept(cls, folder: Path) -> "Secrets":
        """Those of a private folder, made at the first start. Raises DeliveryError."""
        return cls(_kept(folder, "console-token"), _kept(folder, "console-key").encode())

    def sign(self, *parts: str) -> str:
        """A token over all parts; no part can reach into the next one."""
        message = b"".join(len(part.encode()).to_bytes(8, "big") + part.encode() for part in parts)
        return hmac.new(self.key, message, hashlib.sha256).hexdigest()

    @property
    def cookie(self) -> str:
        """What the browser of the local user holds; another one once the login token is another."""
        return self.sign("cookie", self.login)


def same(given: str | None, expected: str | None) -> bool:
    """Whether a token is the expected one; false where one of them is missing."""
    if not given or not expected:
        return False
    return hmac.compare_digest(given.encode(), expected.encode())


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None


def _kept(folder: Path, name: str) -> str:
    path = folder / name
    try:
        folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
        found = _read(path) or _made(path)
    except OSError as error:
        raise DeliveryError(f"{path} cannot be used: {error.strerror}; fix: give this user the folder") from None
    if len(found) < _LEAST:
        raise DeliveryError(f"{path} holds less than {_LEAST} letters; fix: remove it, another one is made")
    return found


def _read(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise DeliveryError(f"{path} can be read by others; fix: chmod 600 {path}")
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        return ""


def _made(path: Path) -> str:
    """A new secret, whole or not at all; that of another process where it was first."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _FILE), "w") as file:
            file.write(secrets.token_urlsafe(_BYTES) + "\n")
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)
    return _read(path)
