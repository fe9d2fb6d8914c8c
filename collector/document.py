"""Rendered documents as text, the same way everywhere: keys in reading order, names of enums as plain strings."""

from enum import StrEnum
from typing import Any

import yaml

from agentobs.contract import enums


class _Dumper(yaml.CSafeDumper):
    """A dumper that knows our names, without anchors: readers of a configuration do not expect them."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 the signature is PyYAML's
        return True


for _names in (StrEnum, enums.StrEnum):
    _Dumper.add_multi_representer(_names, lambda dumper, name: dumper.represent_str(str(name)))


class _Blocks(_Dumper):
    """Shows a text of several lines as these lines."""


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Blocks.add_representer(str, _text)


def to_yaml(document: dict[str, Any], *, blocks: bool = False) -> str:
    """Return `document` as YAML text; with `blocks`, texts of several lines are readable, as in a ConfigMap."""
    return yaml.dump(document, Dumper=_Blocks if blocks else _Dumper, sort_keys=False, width=1000)
