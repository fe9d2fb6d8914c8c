"""The schemas of Kubernetes, each read once: one is megabytes, and a validation reads two."""

import functools
from collections.abc import Mapping
from typing import Any

import kubernetes_validate
from kubernetes_validate import utils

utils.schema_contents = functools.cache(utils.schema_contents)


def validate(manifest: Mapping[str, Any], version: str) -> None:
    """Raise ValidationError where Kubernetes of this version would not take the manifest, unknown keys included."""
    kubernetes_validate.validate(dict(manifest), version, strict=True)
