"""A release with its texts as an OCI artifact: any registry keeps it, and its digest there is that of the release.

The config of the manifest is the release's canonical form; a layer each is a text that it pins. What is pulled is
checked as a whole before any of it is used.
"""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import requests
from oras.client import OrasClient

from delivery.errors import DeliveryError
from delivery.releases.document import Release, parse

SCHEME: Final = "oci://"
RELEASE_TYPE: Final = "application/vnd.agentobs.release.v1+json"
TEXT_TYPE: Final = "application/vnd.agentobs.text.v1"
_SHA: Final = "sha256:"
_LARGEST: Final = 4 * 1024 * 1024
_MOST: Final = 10_000
_T = TypeVar("_T")


class _Client(OrasClient):  # type: ignore[misc]  # untyped library
    """Asks once: the library's own retries take minutes, also where the answer is a clear no."""

    do_request = OrasClient.do_request.__wrapped__


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a registry: `oci://host[:port]/name[:tag]`; `tag` is empty where none was named."""

    host: str
    name: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read an address. Raises DeliveryError naming the form."""
        host, _, rest = text.removeprefix(SCHEME).partition("/")
        name, _, tag = rest.partition(":")
        if not text.startswith(SCHEME) or not host or not name or "@" in text:
            raise DeliveryError(
                f"{text!r} is no address of a release; expected oci://registry.example.com/team/support"
            )
        return cls(host, name, tag)

    def tagged(self, tag: str) -> str:
        """As the registry's client takes it."""
        return f"{self.host}/{self.name}:{self.tag or tag}"


def push(reference: Reference, release: Release, texts: list[str], *, plain_http: bool = False) -> str:
    """Push a release; returns the digest of its config, which is the release's. Raises DeliveryError."""
    with tempfile.TemporaryDirectory(prefix="agentobs-") as scratch:
        folder = Path(scratch)
        config = folder / "release.json"
        config.write_bytes(release.spelled)
        files = []
        for text in sorted(texts):
            file = folder / hashlib.sha256(text.encode()).hexdigest()
            file.write_bytes(text.encode())
            files.append(f"{file}:{TEXT_TYPE}")
        client, target = _client(reference, plain_http), reference.tagged(release.id)

        def upload() -> None:
            client.push(
                target=target, files=files, manifest_config=f"{config}:{RELEASE_TYPE}", disable_path_validation=True,
                quiet=True,
            )  # fmt: skip

        _asked(reference, upload)
    return f"{_SHA}{release.digest}"


def pull(reference: Reference, tag: str, *, plain_http: bool = False) -> tuple[Release, dict[str, str]]:
    """Pull a release with its texts by digest. Raises DeliveryError for what is none, or was changed."""
    client, target = _client(reference, plain_http), reference.tagged(tag)
    manifest: Mapping[str, Any] = _asked(reference, lambda: client.get_manifest(client.get_container(target)))
    config, layers = manifest.get("config") or {}, manifest.get("layers") or []
    if config.get("mediaType") != RELEASE_TYPE or len(layers) > _MOST:
        raise DeliveryError(f"{target} is no release; expected a config of type {RELEASE_TYPE}")
    release = parse(_blob(client, reference, target, config), target)
    if f"{_SHA}{release.digest}" != config["digest"]:
        raise DeliveryError(f"{target}: the release is not written in its one spelling; fix: push it with `agentobs`")
    texts = {layer["digest"].removeprefix(_SHA): _blob(client, reference, target, layer).decode() for layer in layers}
    missing = release.texts - texts.keys()
    if missing:
        raise DeliveryError(f"{target} lacks {len(missing)} of the texts that it pins; fix: push it again")
    return release, texts


def _blob(client: _Client, reference: Reference, target: str, described: Mapping[str, Any]) -> bytes:
    """A blob of at most 4 MiB whose digest is the one that the manifest names."""
    digest, size = str(described.get("digest", "")), described.get("size")
    if not isinstance(size, int) or size > _LARGEST:
        raise DeliveryError(f"{target}: a blob of {size} bytes; expected at most {_LARGEST}")
    answer = _asked(reference, lambda: client.get_blob(client.get_container(target), digest))
    data = bytes(answer.content)
    if f"{_SHA}{hashlib.sha256(data).hexdigest()}" != digest:
        raise DeliveryError(f"{target}: the registry sent other bytes than {digest}; nothing of it is used")
    return data


def _client(reference: Reference, plain_http: bool) -> _Client:  # noqa: FBT001 a value of the caller's
    return _Client(hostname=reference.host, insecure=plain_http, auth_backend="basic" if plain_http else "token")


def _asked(reference: Reference, ask: Callable[[], _T]) -> _T:
    try:
        return ask()
    except requests.RequestException as error:
        raise DeliveryError(
            f"the registry {reference.host} does not answer: {type(error).__name__}; fix: its address, `docker login`"
        ) from None
    except (ValueError, KeyError) as error:
        raise DeliveryError(f"the registry {reference.host} refused: {str(error).splitlines()[0]}") from None
