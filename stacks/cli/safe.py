"""Text from telemetry as a terminal shows it: neither markup nor control characters in it do anything."""

from typing import Any, Final

from rich.text import Text

BIDI: Final = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""They put text into another order than it has."""
_CONTROLS: Final = {code: None for code in (*range(32), *range(127, 160), *BIDI) if code not in {9, 10}}
_HALVES: Final = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def plain(value: Any) -> str:  # noqa: ANN401 whatever a store answers
    """The value without characters that steer a terminal."""
    return str(value).translate(_CONTROLS).translate(_HALVES)


def text(value: Any, style: str = "") -> Text:  # noqa: ANN401 whatever a store answers
    """The value as text, not as markup."""
    return Text(plain(value), style=style)
