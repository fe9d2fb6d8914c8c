"""A line of `cases.jsonl` as a case, or what is wrong with it, in words that name the line and the fix."""

import difflib
import json
from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from delivery.golden.errors import GoldenError
from delivery.golden.example import (
    AnswerRule,
    Context,
    Criteria,
    Example,
    JudgeRule,
    Limits,
    PathRule,
    Provenance,
    Quarantine,
    ToolRule,
)

_LARGEST: Final = 2**53 - 1
_LIST: Final = 5  # problems of one line that are worth reading
_MODELS: Final[tuple[type[BaseModel], ...]] = (
    Example, Criteria, PathRule, ToolRule, AnswerRule, JudgeRule, Limits, Context, Provenance, Quarantine,
)  # fmt: skip
_KEYS: Final = sorted({field.alias or name for model in _MODELS for name, field in model.model_fields.items()})


def example(text: str, where: str) -> Example:
    """Read one line. Raises GoldenError that names `where` (file and line)."""
    strictly(text, where)
    try:
        return Example.model_validate_json(text)
    except ValidationError as error:
        raise GoldenError(f"{where}: {'; '.join(_told(error))}") from None


def strictly(text: str, where: str) -> Any:  # noqa: ANN401 any JSON
    """Read JSON that every language reads alike. Raises GoldenError."""
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_whole, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise GoldenError(
            f"{where}: no JSON: {error.msg} at column {error.colno}; fix: one whole JSON object on this line"
        ) from None
    except (ValueError, RecursionError) as error:
        raise GoldenError(f"{where}: {error}") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON; fix: a finite number, or null")


def _whole(digits: str) -> int:
    if len(digits) > len(str(_LARGEST)) + 1 or abs(int(digits)) > _LARGEST:
        raise ValueError(f"the integer {digits[:20]} is beyond 2^53, where readers disagree; fix: write it as text")
    return int(digits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"the key {key!r} stands twice in one object; fix: keep one")
        made[key] = value
    return made


def _told(error: ValidationError) -> Iterable[str]:
    """The problems of a line: a key that nobody knows is often the one that is missing, so it comes first."""
    problems = error.errors(include_url=False)
    unknown = [each for each in problems if each["type"] == "extra_forbidden"]
    missing = [_place(each["loc"]) for each in problems if each["type"] == "missing"]
    for problem in unknown[:_LIST]:
        near = difflib.get_close_matches(str(problem["loc"][-1]), _KEYS, n=1)
        yield f"unknown key {_place(problem['loc'])}" + (
            f"; fix: did you mean {near[0]!r}?" if near else "; fix: remove it"
        )
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        yield f"{', '.join(missing)} {verb} missing; fix: add what is missing (docs/golden.md has the required fields)"
    for problem in [each for each in problems if each["type"] not in {"extra_forbidden", "missing"}][:_LIST]:
        said = problem["msg"].removeprefix("Value error, ")
        yield f"{_place(problem['loc'])}: {said}" + ("" if "fix:" in said else "; fix: see docs/golden.md")


def _place(where: tuple[int | str, ...]) -> str:
    return ".".join(map(str, where)) or "the case"
