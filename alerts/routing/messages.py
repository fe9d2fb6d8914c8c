"""What a message says: the templates of `agentobs.tmpl` by name, and the fields that pagers show as a table.

Not here: the texts of single alerts, which are annotations (`alerts.alerting`).
"""

from pathlib import Path
from typing import Final

from collector.quotes import CONTROL

FILE: Final = "agentobs.tmpl"
"""Name under which the templates lie beside the configuration."""

_CONTROL: Final = "[[:cntrl:]]"
"""What stands in the file for every character that steers: a name of the class that Go has for some of them."""
TEMPLATE: Final = Path(__file__).with_name(FILE).read_text(encoding="utf-8").replace(_CONTROL, CONTROL)

_FIELDS: Final = ("environment", "where", "version", "since", "value", "summary", "command", "runbook", "dashboard")


def use(name: str) -> str:
    """Fill in one template of the file."""
    return f'{{{{ template "agentobs.{name}" . }}}}'


def details() -> dict[str, str]:
    """Name of a field -> its value."""
    return {field: use(field) for field in _FIELDS}
