"""Signatures of records and releases with the operator's SSH key, made and checked by `ssh-keygen -Y`."""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from runbooks.signature import Namespace, Signature, SignatureError

_FINGERPRINT: Final = re.compile(r" key (SHA256:[A-Za-z0-9+/]{43})\s*\Z")


def sign(digest: str, key: Path, by: str, namespace: Namespace) -> Signature:
    """Sign a digest. `key` is a private key, or a public one whose other part an agent holds. Raises SignatureError."""
    if not key.expanduser().is_file():
        raise SignatureError(f"there is no key {key}; fix: --key ~/.ssh/id_ed25519, or leave it out for a digest only")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "digest"
        file.write_text(digest, encoding="ascii")
        _run(["-Y", "sign", "-f", str(key.expanduser()), "-n", namespace, str(file)], f"the key {key} did not sign")
        armored = file.with_name("digest.sig").read_text(encoding="ascii")
    listed = _run(["-l", "-f", str(key.expanduser())], f"the key {key} has no fingerprint")
    return Signature(by=by, fingerprint=listed.split()[1], armored=armored)


def verify(digest: str, signature: Signature, signers: Path | None, namespace: Namespace) -> str:
    """Check a signature; returns what it proves. Raises SignatureError for one that does not hold.

    `signers` is a file of allowed signers (see ssh-keygen(1)); without it only the key is known, not whose it is.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "signature"
        file.write_text(signature.armored, encoding="ascii")
        if signers is None:
            arguments = ["-Y", "check-novalidate", "-n", namespace, "-s", str(file)]
            key = _signed_with(_run(arguments, "the signature does not hold", digest), signature)
            return f"signed by the key {key}; --signers FILE tells whose it is"
        if not signers.is_file():
            raise SignatureError(f"there is no file {signers} of allowed signers")
        arguments = ["-Y", "verify", "-f", str(signers), "-I", signature.by, "-n", namespace, "-s", str(file)]
        said = _run(arguments, f"the signature is not one of {signature.by} in {signers}", digest)
        return f"signed by {signature.by} with the key {_signed_with(said, signature)}"


def _signed_with(said: str, signature: Signature) -> str:
    """Fingerprint of the key that signed, as ssh-keygen read it from the signature. Raises where the record differs."""
    found = _FINGERPRINT.search(said)
    if found is None:
        raise SignatureError(f"ssh-keygen took the signature and named no key: {said.strip()!r}; fix: a newer OpenSSH")
    if found[1] != signature.fingerprint:
        raise SignatureError(
            f"the record says that the key {signature.fingerprint} signed it, and {found[1]} did; do not trust it"
        )
    return found[1]


def _run(arguments: list[str], failed: str, text: str | None = None) -> str:
    try:
        done = subprocess.run(
            ["ssh-keygen", *arguments],
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise SignatureError("there is no ssh-keygen; fix: install OpenSSH's client") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SignatureError(f"{failed}: {said[-1] if said else 'ssh-keygen said nothing'}")
    return done.stdout
