"""Parts of a configuration, each with all the sections that it needs, and the whole that they make together."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Parts = dict[str, dict[str, Any]]
"""Section of the configuration -> name -> what stands there. The pipelines are a section of their own."""

_SECTIONS: Final = ("extensions", "receivers", "processors", "connectors", "exporters", "pipelines")


def pipeline(receivers: Iterable[str], processors: Iterable[str], exporters: Iterable[str]) -> dict[str, list[str]]:
    """One pipeline by the names of its components."""
    return {"receivers": [*receivers], "processors": [*processors], "exporters": [*exporters]}


def joined(parts: Iterable[Mapping[str, Mapping[str, Any]]]) -> Parts:
    """All parts as one; every section is there, in reading order."""
    listed = [*parts]
    return {
        section: {key: value for part in listed for key, value in part.get(section, {}).items()}
        for section in _SECTIONS
    }
