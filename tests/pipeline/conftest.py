"""Tier `pipeline`: one real collector and captured output; no other backend."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.capture import Capture, capturing
from support.otelcol import Collector, free_ports, running, transforming

Through = Callable[[Mapping[str, Any]], tuple[Collector, Capture]]


@contextmanager
def _through(processors: Mapping[str, Any], folder: Path) -> Iterator[tuple[Collector, Capture]]:
    http_port, health_port = free_ports(2)
    with capturing() as capture:
        config = transforming(processors, capture.url, http_port, health_port)
        with running(config, folder, http_port, health_port) as collector:
            yield collector, capture


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Through]:
    """Start a collector with the given processors; what they make of the input is in the capture.

    Collectors of a module live until the module ends, so give each module one set of processors and many spans.
    """
    with ExitStack() as stack:

        def start(processors: Mapping[str, Any]) -> tuple[Collector, Capture]:
            return stack.enter_context(_through(processors, tmp_path_factory.mktemp("otelcol")))

        yield start
