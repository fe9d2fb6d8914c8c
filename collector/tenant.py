"""Whose telemetry it is, by the token that came with it: no sender can say that it is another's.

A token `team-a~3f9c...` names the tenant `team-a`; the door has compared the whole of it before. One without `~` names
none. What a sender claims under the same key is dropped, at every level. Only in the first tier.
"""

from typing import Any, Final

KEY: Final = "agentic.tenant"
END: Final = "~"
"""What ends the tenant's name in a token."""
_HEADER: Final = 'otelcol.client.metadata["authorization"]'
_PATTERN: Final = "^[Bb]earer +(?P<tenant>[a-z0-9][a-z0-9-]{0,62})" + END
_BELOW: Final = {"trace": ("scope", "span", "spanevent"), "log": ("scope", "log"), "metric": ("scope", "datapoint")}


def processor(*, named: bool) -> dict[str, Any]:
    """A transform processor; `named` where the door asks for tokens."""
    found = f'set(resource.attributes["{KEY}"], ExtractPatterns({_HEADER}[0], "{_PATTERN}")["tenant"])'
    tell = [f'{found} where {_HEADER} != nil and IsMatch({_HEADER}[0], "{_PATTERN}")'] if named else []
    return {
        "error_mode": "ignore",
        **{
            f"{signal}_statements": [
                {"context": "resource", "statements": [_drop("resource"), *tell]},
                *({"context": place, "statements": [_drop(place)]} for place in places),
            ]
            for signal, places in _BELOW.items()
        },
    }


def _drop(place: str) -> str:
    return f'delete_key({place}.attributes, "{KEY}")'
