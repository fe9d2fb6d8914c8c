"""Read a document strictly: every key is known, every value converted, every fault told with its place and its fix."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

_T = TypeVar("_T")
_NEEDED: Final = object()


class Reader:
    """One mapping of a document. Faults of all readers of a document gather in one list."""

    def __init__(self, raw: object, place: str, faults: list[str]) -> None:
        self.place = place
        self._faults = faults
        self._known: set[str] = set()
        self._raw: Mapping[Any, Any] = raw if isinstance(raw, Mapping) else {}
        if not isinstance(raw, Mapping):
            faults.append(f"{place or 'document'}: {_shown(raw)}; expected a mapping of keys to values")

    def take(self, key: str, convert: Callable[[object], _T], default: Any = _NEEDED) -> _T:  # noqa: ANN401 of any type
        """The converted value of a key; its default where it is absent or wrong, and a wrong one is a fault."""
        self._known.add(key)
        if key not in self._raw:
            if default is _NEEDED:
                self.wrong(key, "is missing; fix: add it")
                default = None
            return default  # type: ignore[no-any-return]  # the caller's own
        try:
            return convert(self._raw[key])
        except ValueError as error:
            self.wrong(key, f"{_shown(self._raw[key])}; {error}")
            return None if default is _NEEDED else default  # type: ignore[return-value]  # a fault is told, nobody uses it

    def inner(self, key: str) -> "Reader":
        """The mapping under a key, empty where there is none."""
        self._known.add(key)
        return Reader(self._raw.get(key, {}), self._at(key), self._faults)

    def each(self, kind: str) -> Iterator[tuple[str, "Reader"]]:
        """Every key with the mapping under it: names of the user's, such as agents."""
        for name, raw in self._raw.items():
            if not isinstance(name, str) or not name:
                self._faults.append(f"{self.place}: {_shown(name)} is no name of {kind}; expected a text")
                continue
            self._known.add(name)
            yield name, Reader({} if raw is None else raw, self._at(name), self._faults)

    def listed(self, key: str) -> list["Reader"]:
        """The mappings of a list."""
        self._known.add(key)
        raw = self._raw.get(key, [])
        if not isinstance(raw, list):
            self.wrong(key, f"{_shown(raw)}; expected a list")
            return []
        return [Reader(one, f"{self._at(key)}[{number}]", self._faults) for number, one in enumerate(raw)]

    def has(self, key: str) -> bool:
        """Whether a key is there."""
        return key in self._raw

    def wrong(self, key: str, what: str) -> None:
        """Note a fault of one key."""
        self._faults.append(f"{self._at(key)}: {what}")

    def close(self) -> None:
        """Note every key that nobody asked for, with the nearest that exists."""
        for key in self._raw:
            if key not in self._known:
                self._faults.append(f"{self._at(str(key))}: unknown key; {nearest(str(key), self._known)}")

    def _at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean tools?`, or what there is."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1)
    return f"did you mean {close[0]}?" if close else f"expected one of {', '.join(names)}" if names else "there is none"


def text(value: object) -> str:
    """A text that is not empty. Raises ValueError with what was expected."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a text")
    return value


def texts(value: object) -> tuple[str, ...]:
    """A list of texts that is not empty. Raises ValueError with what was expected."""
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise ValueError("expected a list of texts")
    return tuple(value)


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."  # noqa: PLR2004 of a line
