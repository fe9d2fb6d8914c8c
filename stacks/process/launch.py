"""Putting one process in place: write its files, let its binary check them, start, wait until it is ready.

An update starts nothing new before the new configuration was accepted, and a failed start leaves nothing behind.
"""

import contextlib
import http
import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

import requests

from agentobs.errors import AgentobsError
from stacks.process import spec as specs
from stacks.process.spec import ProcessSpec
from stacks.process.supervisor import Supervisor

_CHECK_TIMEOUT_S: Final = 60
_POLL_S: Final = 0.1
_PROBE_TIMEOUT_S: Final = 2
_TAIL_LINES: Final = 8


class LaunchError(AgentobsError):
    """A process could not be brought up; the message holds what its binary said."""


def write_config(spec: ProcessSpec) -> None:
    """Write the configuration folder. Content-addressed, so an existing folder is already right."""
    spec.config_dir.mkdir(parents=True, exist_ok=True)  # also where there is nothing to configure
    for name, text in spec.files.items():
        path = spec.config_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def check(spec: ProcessSpec) -> None:
    """Let the binaries check the configuration, once per content. Raises LaunchError with what they said."""
    marker = spec.layout.checked / f"{spec.name}-{spec.digest}"
    if marker.exists():
        return
    write_config(spec)
    for command in spec.checks:
        done = subprocess.run(
            spec.resolved(command), capture_output=True, text=True, check=False, timeout=_CHECK_TIMEOUT_S
        )
        if done.returncode != 0:
            shutil.rmtree(spec.config_dir, ignore_errors=True)
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-_TAIL_LINES:]
            raise LaunchError(f"{spec.name}: {Path(command[0]).name} refuses its configuration:\n" + "\n".join(said))
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()


def bring_up(spec: ProcessSpec) -> None:
    """Start the process and wait until it is ready; on failure remove it again and raise LaunchError."""
    supervisor = Supervisor(spec.layout)
    check(spec)
    write_config(spec)
    Path(spec.data_dir).mkdir(parents=True, exist_ok=True)
    with supervisor.exclusive():
        supervisor.remove(spec.name)
        spec.layout.program(spec.name).write_text(specs.program(spec))
        supervisor.add(spec.name)
    try:
        _wait_until_ready(spec, supervisor)
    except LaunchError:
        take_down(spec)
        raise
    _drop_old_configs(spec)


def replace(old: ProcessSpec, new: ProcessSpec) -> None:
    """Bring up `new` in place of `old`; where `new` fails, `old` runs again and LaunchError is raised."""
    check(new)  # before anything stops: a refused configuration costs no restart
    try:
        bring_up(new)
    except LaunchError:
        bring_up(old)
        raise


def take_down(spec: ProcessSpec) -> None:
    """Stop the process and remove its files; data stays. Works after a crash of supervisord too."""
    supervisor = Supervisor(spec.layout)
    with supervisor.exclusive():
        if supervisor.alive():
            supervisor.remove(spec.name)
        spec.layout.program(spec.name).unlink(missing_ok=True)
    shutil.rmtree(spec.layout.workload(spec.name), ignore_errors=True)


def _drop_old_configs(spec: ProcessSpec) -> None:
    for folder in spec.layout.workload(spec.name).iterdir():
        if folder != spec.config_dir:
            shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(spec: ProcessSpec, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + spec.ready_timeout_s
    while time.monotonic() < deadline:
        if not supervisor.is_up(spec.name):
            raise LaunchError(f"{spec.name} stopped while starting; its last words:\n{_tail(spec)}")
        with contextlib.suppress(requests.RequestException):
            if requests.get(spec.ready_url, timeout=_PROBE_TIMEOUT_S).status_code == http.HTTPStatus.OK:
                return
        time.sleep(_POLL_S)
    raise LaunchError(
        f"{spec.name} was not ready at {spec.ready_url} within {spec.ready_timeout_s} s; its last words:\n{_tail(spec)}"
    )


def _tail(spec: ProcessSpec) -> str:
    log = spec.layout.log(spec.name)
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-_TAIL_LINES:]) or f"(nothing in {log})"
