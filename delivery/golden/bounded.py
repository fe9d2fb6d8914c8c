"""A regular expression of a case on an answer that anybody wrote: never for longer than a second."""

import multiprocessing
import re
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

SECONDS: Final = 1.0
_LONGEST: Final = 1_000_000
_MANY: Final = 16  # times that a group may repeat and still cost little
_REPEATS: Final = {constants.MAX_REPEAT, constants.MIN_REPEAT}


class TooSlowError(Exception):
    """The expression did not come to an end in its time."""


def search(pattern: str, text: str, seconds: float = SECONDS) -> bool:
    """Whether the pattern occurs in the text. Raises TooSlowError, and re.error for what is no expression."""
    if len(text) > _LONGEST:
        raise TooSlowError(f"the answer has {len(text)} characters, more than {_LONGEST}")
    compiled = re.compile(pattern)
    if _unbounded(parser.parse(pattern)) <= 1:
        return compiled.search(text) is not None
    return _in_a_child(pattern, text, seconds)


def _unbounded(tree: Any) -> int:  # noqa: ANN401 the standard library's own tree
    """How many repeats without an end the expression has: with one alone its time grows with the text at most twice."""
    found = 0
    for operation, argument in tree:
        if operation in _REPEATS:
            found += (int(argument[1]) > _MANY) + _unbounded(argument[2])
        elif isinstance(argument, tuple):
            found += sum(_unbounded(part) for part in argument if isinstance(part, parser.SubPattern))
            found += sum(_unbounded(each) for part in argument if isinstance(part, list) for each in part
                         if isinstance(each, parser.SubPattern))  # fmt: skip
    return found


def _in_a_child(pattern: str, text: str, seconds: float) -> bool:
    """In a process of its own, which can be ended: Python's matcher cannot."""
    made = multiprocessing.get_context("spawn")
    ours, theirs = made.Pipe(duplex=False)
    child = made.Process(target=_answer, args=(pattern, text, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(10 * seconds):  # starting the process counts too, and longer than a match
            raise TooSlowError(f"the expression {pattern[:60]!r} took too long on {len(text)} characters")
        return bool(ours.recv())
    except EOFError:
        raise TooSlowError(f"the expression {pattern[:60]!r} was ended: it took longer than {seconds:g} s") from None
    finally:
        child.kill()
        child.join()


def _answer(pattern: str, text: str, to: Any) -> None:  # noqa: ANN401 a Connection, of a type per platform
    import signal  # noqa: PLC0415 only where it runs

    signal.setitimer(signal.ITIMER_REAL, SECONDS)  # its signal ends the process where nobody handles it
    to.send(re.search(pattern, text) is not None)
