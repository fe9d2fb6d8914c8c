"""Names that want to be more than text: one list for what is tried through real commands, and any number of others."""

import random
from collections.abc import Iterator

KINDS = (
    "[/]",
    "[red]x[/]",
    "[link=https://evil.example/x]planner[/link]",
    "[@click=app.bell]x[/]",
    ":skull:",
    "\x1b[31mred",
    "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "\x9b2J",
    "\x07\x08\x7f",
    "kb\nRunbook: https://evil.example/fix",
    "a\r\nerror: forged",
    "a\u2028b\u2029c\x85d",
    "\u202egnp.exe\u2066",
    "tab\there",
    "$(touch ran)",
    "`touch ran`",
    "'; touch ran; '",
    '"; touch ran; "',
    "x\x03y\x04",
    "!!",
    "-e",
    "${IFS}",
    "*",
    "~",
    "~(",
    "!x",
    "!~",
    "=~.*",
    '"} or vector(1) #',
    'a"b\\c',
    "\\",
    "\\n",
    "{{ .Labels }}",
    '{{ define "x" }}',
    "%s%n",
    "{0}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    "<!channel>",
    "<a href='https://evil.example'>x</a>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "| a | b |",
    "# head",
    "*bold* _it_ ~no~",
    "`code`",
    "```",
    "javascript:alert(1)",
    "http://evil.example",
    "\ufffd",
    "é ☃ 😀 ключ",
    "0",
    "",
    " ",
    "none",
    "x" * 300,
    "../../etc/passwd",
)
"""One of each kind."""
_MORE = (
    "ab z09[]()<>{}|\\/\"'`$!~*_#&%=:;,.@-+?^ "
    "\t\r\n\x00\x01\x07\x1b\x7f\x85\x9b\u061c\u200e\u2028\u202e\u2069\ufffdéя☃😀"
)


def names(count: int, seed: int = 1) -> Iterator[str]:
    """So many, all different and always the same: pieces of the kinds and single signs, in any order."""
    made = dict.fromkeys(KINDS)
    drawn = random.Random(seed)
    while len(made) < count:
        parts = drawn.choices([drawn.choice(KINDS), *drawn.choices(_MORE, k=5)], k=drawn.randint(1, 8))
        made["".join(parts)] = None
    yield from made
