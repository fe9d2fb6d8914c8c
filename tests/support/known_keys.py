"""Configurations against the keys that a publisher's reference lists: for a program that no test can start.

The files of `tests/schemas` group the keys of a block by type: `$duration: [max_age]`. A key that holds a mapping with
keys of its own is such a block, a list with one block stands for many of it. What is not listed is not known.
"""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import yaml

FOLDER: Final = Path(__file__).resolve().parents[1] / "schemas"

_STRINGS: Final = {"type": "array", "items": {"type": "string"}}
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "boolean": {"type": "boolean"},
    # What Go reads as a duration; days and weeks only some fields of Loki do.
    "duration": {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$"},
    "integer": {"type": "integer"},
    "mapping": {"type": "object"},
    "number": {"type": "number"},
    "numbers": {"type": "array", "items": {"type": "number"}},
    "objects": {"type": "array", "items": {"type": "object"}},
    "string": {"type": "string"},
    "strings": _STRINGS,
    "strings_or_commas": {"anyOf": [{"type": "string"}, _STRINGS]},
}


def facts(program: str) -> dict[str, Any]:
    """What is committed of a program: `source`, `words` (types of a few fixed words) and `keys`."""
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / f"{program}.yaml").read_text(encoding="utf-8"))
    return loaded


def schema(program: str) -> dict[str, Any]:
    """The JSON Schema of the program's configuration."""
    held = facts(program)
    words = {name: {"enum": list(chosen)} for name, chosen in held["words"].items()}
    return _block(held["keys"], {**_TYPES, **words})


def problems(program: str, configuration: dict[str, Any]) -> list[str]:
    """One line for each key that the program does not know, and each value that does not fit."""
    return sorted(f"{error.json_path}: {error.message}" for error in _validator(program).iter_errors(configuration))


@functools.cache
def _validator(program: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(program))


def _block(keys: dict[str, Any], types: dict[str, dict[str, Any]]) -> dict[str, Any]:
    known = dict(_properties(keys, types))
    assert len(known) == sum(len(value) if key.startswith("$") else 1 for key, value in keys.items()), keys
    return {"type": "object", "additionalProperties": False, "properties": known}


def _properties(keys: dict[str, Any], types: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in keys.items():
        if key.startswith("$"):
            yield from ((name, types[key[1:]]) for name in value)
        elif isinstance(value, list):
            (each,) = value
            yield key, {"type": "array", "items": _block(each, types)}
        else:
            yield key, _block(value, types)
