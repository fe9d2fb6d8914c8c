"""Processes that the demo starts: they import what it imports."""

import os
from pathlib import Path

import demo


def python_path() -> str:
    """The search path of a child: the demo's own source, then what this process was given, as in an image."""
    return os.pathsep.join([str(Path(demo.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
