"""The programs of `examples/` as their readers run them: in environments of their own, beside a scripted model."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import npm, python_environment
from support.wheel import ROOT, wheel

EXAMPLES = ROOT / "examples"
MODEL_SERVER = EXAMPLES / "model_server"
NODE = ("ai-sdk",)
PYTHON = ("crewai", "google-adk", "langgraph", "openai-agents", "pydantic-ai")
_NOT_INHERITED = ("OTEL_", "OPENAI_", "PYTHON", "NODE_", "VIRTUAL_ENV", "LANGFUSE_", "CREWAI_", "ADK_", "LOOKUP_")
_PATIENCE_S = 240


@dataclass
class Model:
    """The scripted model server, as a process."""

    url: str
    record: Path

    @property
    def answers(self) -> list[dict[str, Any]]:
        """What it answered so far."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [json.loads(line) for line in lines]


@contextmanager
def model_at(folder: Path) -> Iterator[Model]:
    """A started model server on a free port, ended whatever happens."""
    record = folder / "answers.jsonl"
    command = [sys.executable, str(MODEL_SERVER), "--port", "0", "--record", str(record)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            yield Model(said.partition(" on ")[2].partition(";")[0], record)
        finally:
            process.terminate()


def sdk_at(folder: Path) -> Path:
    """A folder with the SDK's wheel in it, to put on the path: cached environments know only what is locked."""
    home = folder / "sdk"
    python_environment.install(Path(sys.executable), "--target", str(home), str(wheel(folder)))
    return home


def command(name: str, folder: Path) -> list[str]:
    """How an example is run, when all that it needs is there."""
    if name in PYTHON:
        return [
            str(python_environment.interpreter(EXAMPLES / name / "requirements.txt")),
            str(EXAMPLES / name / "main.py"),
        ]
    home = folder / name
    shutil.copytree(EXAMPLES / name, home, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(npm.node_modules(home), home / "node_modules", symlinks=True)
    # The line of the page; what it resolves is in the cache of npm after the first time.
    add = [
        "npm",
        "install",
        "--no-save",
        "--install-links",
        "--no-fund",
        "--no-audit",
        "--prefer-offline",
        str(ROOT / "sdk/js"),
    ]
    done = subprocess.run(add, cwd=home, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ["node", str(home / "main.js")]


def run(command: list[str], sdk: Path, *, model: str, collector: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run an example once, with nothing of this process's environment that it would read."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_INHERITED)}
    env |= {"OPENAI_BASE_URL": model, "OTEL_EXPORTER_OTLP_ENDPOINT": collector, "PYTHONPATH": str(sdk)} | more
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
