"""The release controller of the stack on this computer: it serves agents, watches canaries, and is the console."""

import sys
from pathlib import Path
from typing import Final

from stacks.process.layout import StackDir
from stacks.process.spec import ProcessSpec

NAME: Final = "release-controller"
_PREFIX: Final = "AGENTOBS_CONTROLLER_"


def store(layout: StackDir) -> Path:
    """Where the stack keeps its releases: they stay when it goes."""
    return layout.data / "releases"


def token_file(layout: StackDir) -> Path:
    """The token that opens the console; only this user can read it."""
    return _state(layout) / "console-token"


def spec(layout: StackDir, host: str, port: int, prometheus: str, otlp: str) -> ProcessSpec:
    """The process. `prometheus` and `otlp` are the addresses where everybody reaches them."""
    address = f"{host}:{port}"
    folders = ["--store", str(store(layout)), "--state", str(_state(layout))]
    return ProcessSpec(
        name=NAME,
        stack_dir=str(layout.root),
        data_dir=str(layout.data / NAME),
        command=[sys.executable, "-m", "delivery.controller", *folders, "--listen", address],
        checks=[],
        files={},
        env={
            f"{_PREFIX}ORIGIN": f"http://{address}",
            f"{_PREFIX}PROMETHEUS_URL": prometheus,
            f"{_PREFIX}OTLP_ENDPOINT": otlp,
            # A conversation of the sample system is one task.
            f"{_PREFIX}TASKS_PER_SESSION": "1",
        },
        ports={NAME: port},
        ready_url=f"http://{address}/readyz",
        ready_timeout_s=60,
        stop_s=10,
    )


def _state(layout: StackDir) -> Path:
    return layout.data / f"{NAME}-state"
