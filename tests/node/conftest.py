"""One real node for the whole tier, and the dev environment on it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from support.node.machine import Node
from support.node.machine import node as started_node
from support.node.platform import SETTINGS, Platform

from stacks.environments import EnvName

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder: Path = tmp_path_factory.mktemp("node")
    with started_node(folder) as made:
        yield made


@pytest.fixture(scope="session")
def platform(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Dev, brought up by a real `pulumi up` and ready; the demo's namespace may send to it."""
    made = Platform(name=EnvName.DEV, home=tmp_path_factory.mktemp("dev"), plane=node, checkpoints=True)
    made.set_all(SETTINGS)
    made.up()
    made.allow_agents()
    return made


@pytest.fixture(scope="session")
def healthy(platform: Platform) -> dict:
    """What a healthy run of the demo did, in a pod of its own."""
    return platform.demo("healthy", scenario="healthy", tasks=40, rate=8)
