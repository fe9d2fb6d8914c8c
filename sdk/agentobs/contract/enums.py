"""`enum.StrEnum` for Python 3.10, which lacks it; the same behaviour on every version."""

from collections.abc import Sequence
from enum import Enum


class StrEnum(str, Enum):
    """An enum whose members are strings: printed, formatted and compared as their value."""

    _value_: str

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: Sequence[str]) -> str:  # noqa: ARG004
        """`auto()` is the name in lower case."""
        return name.lower()

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise ValueError(f"{value!r} is no {cls.__name__}; expected one of {', '.join(cls)}")

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)
