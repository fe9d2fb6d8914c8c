"""Which services of this computer stand behind the gate, where they listen then, and the process of the gate itself.

Every address below 127.0.0.0/8 is this computer on Linux. The services listen on one that is drawn once per stack: a
page of the web would have to guess it. Where a computer has 127.0.0.1 alone, there is no gate.
"""

import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stacks.process import gate, private
from stacks.process.layout import StackDir
from stacks.process.spec import ProcessSpec
from stacks.workload import CONFIG_DIR

NAME: Final = "gate"
BEHIND: Final = frozenset((
    "prometheus", "alertmanager", "jaeger", "victorialogs", "otlp-http", "collector-health", "collector-metrics",
    "jaeger-health", "jaeger-metrics",
))  # fmt: skip
"""Ports of HTTP, which a page could read or write. Loki and Tempo bind one address for all their ports."""
_CONFIG: Final = "gate.json"
_PROGRAM: Final = "gate.py"


def inside(layout: StackDir) -> str | None:
    """The address behind the gate, drawn at the first use; None where there can be none."""
    if sys.platform != "linux":
        return None
    private.folder(layout.root)
    file = private.folder(layout.run) / "inside"
    if not file.exists():
        first, second, third = (secrets.randbelow(254) + 1 for _ in range(3))
        private.write(file, f"127.{first}.{second}.{third}")
    return file.read_text("ascii").strip()


def spec(layout: StackDir, host: str, address: str, ports: Mapping[str, int]) -> ProcessSpec:
    """The process that holds the ports that people and programs know."""
    doors = {str(ports[name]): (address, ports[name]) for name in sorted(ports)}
    return ProcessSpec(
        name=NAME,
        stack_dir=str(layout.root),
        data_dir=str(layout.data / NAME),
        command=[sys.executable, "-I", f"{CONFIG_DIR}/{_PROGRAM}", f"{CONFIG_DIR}/{_CONFIG}"],
        checks=[],
        # The program too: a newer one of ours is another configuration, so that an `up` restarts it.
        files={
            _CONFIG: json.dumps({"host": host, "doors": doors}, indent=2),
            _PROGRAM: Path(gate.__file__).read_text("utf-8"),
        },
        env={},
        ports={},
        ready_url=f"http://{host}:{next(iter(doors))}{gate.READY}",
        ready_timeout_s=30,
        stop_s=5,
    )
