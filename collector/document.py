"""Rendered documents as text, the same way everywhere: keys in reading order, names of enums as plain strings."""

from enum import StrEnum
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """SafeDumper that knows our names, without anchors: readers of a configuration do not expect them."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 the signature is PyYAML's
        return True


_Dumper.add_multi_representer(StrEnum, lambda dumper, name: dumper.represent_str(str(name)))


def to_yaml(document: dict[str, Any]) -> str:
    """Return `document` as YAML text."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000)
