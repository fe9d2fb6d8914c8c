"""Rates, times, sizes and money as a person writes them in a policy: `20/s`, `10s`, `1MB`, `0.50`."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "KiB": 2**10, "MiB": 2**20}
_MICRO: Final = 1_000_000
_NUMBER: Final = r"(\d+(?:\.\d+)?)"


@dataclass(frozen=True)
class Rate:
    """So many calls per so many seconds."""

    calls: int
    per_s: float
    text: str = ""

    def __str__(self) -> str:
        """As it was written."""
        return self.text


def rate(value: object) -> Rate:
    """`20/s`, `2/min`, `100/h`. Raises ValueError with what was expected."""
    found = re.fullmatch(r"([1-9]\d{0,8})/(s|min|m|h|d)", value) if isinstance(value, str) else None
    if not found:
        raise ValueError("expected a whole number per s, min, h or d, for example 20/s")
    return Rate(int(found[1]), _SECONDS[found[2]], found[0])


def seconds(value: object) -> float:
    """`250ms`, `10s`, `2min`. Raises ValueError with what was expected."""
    found = re.fullmatch(rf"{_NUMBER}(ms|s|min|m|h)", value) if isinstance(value, str) else None
    if not found or float(found[1]) == 0:
        raise ValueError("expected a time above zero with its unit, for example 10s")
    return float(found[1]) * _SECONDS[found[2]]


def size(value: object) -> int:
    """`500kB`, `1MB`, `4MiB`. Raises ValueError with what was expected."""
    found = re.fullmatch(rf"{_NUMBER}(B|kB|MB|KiB|MiB)", value) if isinstance(value, str) else None
    if not found or float(found[1]) == 0:
        raise ValueError("expected a size above zero with its unit, for example 1MB")
    return int(float(found[1]) * _BYTES[found[2]])


def micro_usd(value: object) -> int:
    """US dollars as whole micro-dollars: 0.5 is 500,000. Raises ValueError with what was expected."""
    try:
        amount = Decimal(str(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or amount < 0:
        raise ValueError("expected US dollars, zero or more, for example 0.5")
    return int(amount * _MICRO)


def usd(micro: int) -> str:
    """Micro-dollars in words: `$0.50`."""
    text = f"{Decimal(micro) / _MICRO:.6f}".rstrip("0")
    whole, _, part = text.partition(".")
    return f"${whole}.{part.ljust(2, '0')}"


def whole(value: object) -> int:
    """A whole number above zero. Raises ValueError with what was expected."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("expected a whole number above zero")
    return value
