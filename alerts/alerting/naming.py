"""Names in the text of an alert: each is put in through one template, so that none of them ends a line.

A message is lines that a person trusts, such as `Runbook:`; a name with a line break would write one of its own.
"""

import re
from typing import Final

from collector.quotes import CONTROL

_NAME: Final = re.compile(r"\{\{\s*(\$labels\.\w+|\.Labels\.\w+|\.)\s*\}\}")
_LINE: Final = f'{{{{ define "line" }}}}{{{{ reReplaceAll `{CONTROL}` `?` . }}}}{{{{ end }}}}'


def in_lines(text: str) -> str:
    """The template, with every label that it prints as one line."""
    made, count = _NAME.subn(r'{{ template "line" \1 }}', text)
    return f"{_LINE}{made}" if count else text
