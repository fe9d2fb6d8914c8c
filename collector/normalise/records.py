"""Log records: where the name of an event stands."""

from typing import Any, Final

from collector import ottl
from collector.normalise import steps

_OLD_NAME: Final = ottl.attribute("log", "event.name")


def groups() -> list[dict[str, Any]]:
    """Statement groups of log records."""
    return [
        steps.group(
            f'set(log.event_name, {_OLD_NAME}) where log.event_name == "" and IsString({_OLD_NAME})',
            # Loki does not store the OTLP event name, so it is kept as an attribute too.
            'set(log.attributes["event_name"], log.event_name) where log.event_name != ""',
        )
    ]
