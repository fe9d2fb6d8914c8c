"""What an earlier run of a checklist found, so that the next one goes on: only what this computer wrote down itself.

What is taken over is signed by a person later, so a file that somebody brought along or changed is as good as none: it
is sealed with a key that never leaves this computer's state folder, together with the question that it answers.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from runbooks.checklist import Result
from stacks import paths
from stacks.process import private

_KEY: Final = "key"
_KEY_BYTES: Final = 32
Asked = Mapping[str, str]
"""What was asked: phase, stack, environment, release."""


def file(asked: Asked) -> Path:
    """Where the results of a question are kept; names in it are no part of a path."""
    return _folder() / f"{hashlib.sha256(_text(dict(asked)).encode()).hexdigest()[:16]}.json"


def load(asked: Asked) -> list[Result]:
    """Results of that question; nothing where the file is not whole, of another version or not ours."""
    try:
        found = json.loads(file(asked).read_text("utf-8"))
        if not hmac.compare_digest(str(found["seal"]), _seal(asked, found["results"])):
            return []
        return [Result.model_validate(each) for each in found["results"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def save(asked: Asked, results: Sequence[Result]) -> None:
    """Whole or not at all. Raises PrivateError."""
    plain = [each.model_dump(mode="json") for each in results]
    private.write(file(asked), json.dumps({"seal": _seal(asked, plain), "results": plain}))


def _seal(asked: Asked, results: object) -> str:
    return hmac.new(_key(), _text([dict(asked), results]).encode(), hashlib.sha256).hexdigest()


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _key() -> bytes:
    path = _folder() / _KEY
    if not path.exists():
        private.write(path, secrets.token_hex(_KEY_BYTES))
    return path.read_bytes()


def _folder() -> Path:
    return private.folder(paths.ready() / "checklists")
