"""Text that others wrote, made harmless for each place where it is shown or asked with. Nobody else escapes anything.

A line of plain text, a string of PromQL, LogQL, TraceQL and logfmt, a string of LogsQL, a word of a shell, a cell of
Markdown, an address to follow. HTML is escaped by its templates, and a terminal is reached by `stacks.cli.safe`.
Only names of telemetry: what this product says of itself may have lines and links.
"""

import json
import re
from typing import Final
from urllib.parse import urlsplit

CONTROL: Final = r"[\p{Cc}\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]"
"""Control characters, line ends of Unicode, and what turns the direction of text, as Go's expressions say it."""
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""The same here, with halves of a pair of surrogates, which Go's strings cannot hold."""
INSTEAD: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands where such a character stood: that something is odd about a name is worth seeing."""

PLAIN: Final = r"^[A-Za-z0-9_][A-Za-z0-9_.:/@+-]*$"
"""A word that every shell reads as it stands."""
QUOTE: Final = """'"'"'"""
"""A single quote between single quotes."""
_MARKDOWN: Final = re.compile(r"[\\`*_\[\]<>|#~&]")
_BLOCK: Final = re.compile(r"^(\d*)([-+=.)])")
_WEB: Final = re.compile(r"https?://[!-~]+")


def line(text: str) -> str:
    """The text as one line, in which nothing steers a terminal, ends the line or turns its direction."""
    return _CONTROL.sub(INSTEAD, text)


def escaped(text: str) -> str:
    """The text as it stands between double quotes in PromQL, LogQL, TraceQL and logfmt: nothing in it ends them."""
    within = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    # Prometheus takes the replacement character for broken UTF-8, and refuses the whole query.
    return _CONTROL.sub(_code, within).replace(INSTEAD, "\\ufffd")


def _code(found: re.Match[str]) -> str:
    # Half a pair of surrogates is no text: it stays, so that whoever asks with it is told.
    return found[0] if "\ud800" <= found[0] <= "\udfff" else f"\\u{ord(found[0]):04x}"


def quoted(text: str) -> str:
    """The text with its double quotes."""
    return f'"{escaped(text)}"'


def logsql(text: str) -> str:
    """A string of LogsQL, whose quotes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def logfmt(text: str) -> str:
    """The value of a tag as Jaeger's search and Grafana read it."""
    bare = text and not any(letter.isspace() or letter in '"=\\' for letter in text) and line(text) == text
    return text if bare else quoted(text)


def shell(text: str) -> str:
    """One word of a shell, in which nothing is run or filled in. What ends a line or a paste becomes `?`."""
    if re.fullmatch(PLAIN, text):
        return text
    return "'" + _CONTROL.sub("?", text).replace("'", QUOTE) + "'"


def markdown(text: str) -> str:
    """Text inside Markdown: nothing of it can end a cell, a line or a code span, or begin a link, a tag or a block."""
    flat = line(" ".join(text.split()))
    return _BLOCK.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\g<0>", flat))


def web(address: str) -> str:
    """The address where a browser may be sent to it: only http and https; else nothing."""
    if not _WEB.fullmatch(address):
        return ""
    try:
        return address if urlsplit(address).hostname else ""
    except ValueError:
        return ""
