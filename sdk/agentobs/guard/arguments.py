"""What a policy demands of a tool's arguments: a few words of JSON Schema, read so that no type slips through.

In JSON Schema `maximum: 200` lets the text "9000" pass. Here a bound of numbers demands a number, a pattern a text.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentobs.guard.reading import Reader

_LONGEST_PATTERN_TEXT: Final = 10_000  # a pattern is not asked about more; the text is refused instead


@dataclass(frozen=True)
class Demand:
    """What one argument must be. `problem` gives what is wrong with a value, empty when nothing is."""

    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    enum: tuple[Any, ...] | None = None
    pattern: str | None = None
    max_length: int | None = None

    def problem(self, value: object) -> str:
        """What is wrong with a value, in words that hold nothing of it."""
        for found in (self._of_number(value), self._of_text(value), self._of_choice(value)):
            if found:
                return found
        return ""

    def _of_number(self, value: object) -> str:
        if self.minimum is None and self.maximum is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return "must be a number"
        if self.minimum is not None and value < self.minimum:
            return f"must be at least {self.minimum:g}"
        if self.maximum is not None and value > self.maximum:
            return f"must be at most {self.maximum:g}"
        return ""

    def _of_text(self, value: object) -> str:
        if self.pattern is None and self.max_length is None:
            return ""
        if not isinstance(value, str):
            return "must be a text"
        if len(value) > (_LONGEST_PATTERN_TEXT if self.max_length is None else self.max_length):
            return "is too long"
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            return f"must match {self.pattern}"
        return ""

    def _of_choice(self, value: object) -> str:
        # True equals 1 in Python and nowhere else.
        if self.enum is None or any(value == one and type(value) is type(one) for one in self.enum):
            return ""
        return f"must be one of {', '.join(map(str, self.enum))}"


def read(reader: Reader) -> Demand:
    """Read the demand on one argument."""
    demand = Demand(
        required=reader.take("required", _flag, default=False),
        minimum=reader.take("minimum", _number, default=None),
        maximum=reader.take("maximum", _number, default=None),
        enum=reader.take("enum", _choices, default=None),
        pattern=reader.take("pattern", _pattern, default=None),
        max_length=reader.take("maxLength", _length, default=None),
    )
    if demand.minimum is not None and demand.maximum is not None and demand.minimum > demand.maximum:
        reader.wrong("minimum", "is above maximum, so that nothing passes")
    reader.close()
    return demand


def first_problem(demands: Mapping[str, Demand], arguments: Mapping[str, Any]) -> str:
    """What is wrong with a call's arguments, empty when nothing is."""
    for name, demand in demands.items():
        if name not in arguments:
            if demand.required:
                return f"{name} is missing"
        elif problem := demand.problem(arguments[name]):
            return f"{name} {problem}"
    return ""


def _expects(right: Callable[[object], bool], words: str) -> Callable[[object], Any]:
    def convert(value: object) -> Any:  # noqa: ANN401 what came in, checked
        if not right(value):
            raise ValueError(f"expected {words}")
        return value

    return convert


_flag: Final = _expects(lambda value: isinstance(value, bool), "true or false")
_length: Final = _expects(
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0, "a whole number"
)
_number: Final = _expects(
    lambda value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value), "a number"
)


def _choices(value: object) -> tuple[Any, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str | int | float) for one in value):
        raise ValueError("expected a list of texts or numbers")
    return tuple(value)


def _pattern(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a regular expression that the whole text must match")  # noqa: TRY004 told as a value
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    return value
