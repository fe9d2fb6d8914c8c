"""A process as plain values: what Pulumi keeps in its state and what supervisord runs. Pure.

`ProcessSpec` is a `Workload` with addresses, folders and binaries filled in.
"""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from stacks.process.layout import StackDir
from stacks.workload import CONFIG_DIR, Workload

RUN_DIR_VARIABLE: Final = "AGENTOBS_RUN_DIR"
"""Marks every process of a stack, so that orphans of a crashed supervisord are found and ended."""

_LOG_BYTES: Final = "10MB"
_LOG_BACKUPS: Final = 2
_START_RETRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """One supervised process. Commands still hold the `{config_dir}` placeholder; ports map name to number."""

    name: str
    stack_dir: str
    data_dir: str
    command: list[str]
    checks: list[list[str]]
    files: dict[str, str]
    env: dict[str, str]
    ports: dict[str, int]
    ready_url: str
    ready_timeout_s: int
    stop_s: int

    @classmethod
    def from_workload(
        cls, workload: Workload, stack_dir: StackDir, ports: Mapping[str, int], binaries: Mapping[str, Path], host: str
    ) -> Self:
        """Fill in folders, port numbers and the paths of binaries."""

        def located(command: tuple[str, ...]) -> list[str]:
            return [str(binaries[command[0]]), *command[1:]]

        return cls(
            name=workload.name,
            stack_dir=str(stack_dir.root),
            data_dir=str(stack_dir.data / workload.name),
            command=located(workload.command),
            checks=[located(check) for check in workload.checks],
            files=dict(workload.files),
            env=dict(workload.env),
            ports={name: ports[name] for name in workload.ports},
            ready_url=f"http://{host}:{ports[workload.ready_port]}{workload.ready_path}",
            ready_timeout_s=workload.ready_timeout_s,
            stop_s=workload.stop_s,
        )

    @classmethod
    def from_props(cls, props: Mapping[str, Any]) -> Self:
        """Read a spec back from Pulumi, which turns every number into a float."""
        values = {key: props[key] for key in cls.__dataclass_fields__}
        values["ports"] = {name: int(number) for name, number in values["ports"].items()}
        values["ready_timeout_s"], values["stop_s"] = int(values["ready_timeout_s"]), int(values["stop_s"])
        return cls(**values)

    def to_props(self) -> dict[str, Any]:
        """Return the spec as Pulumi inputs."""
        return asdict(self)

    @property
    def layout(self) -> StackDir:
        """Paths of the stack this process belongs to."""
        return StackDir(Path(self.stack_dir))

    @property
    def digest(self) -> str:
        """Identity of what the binary reads: configuration files and command."""
        content = json.dumps([self.files, self.command, self.checks], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def config_dir(self) -> Path:
        """Folder that holds `files`."""
        return self.layout.config(self.name, self.digest)

    def resolved(self, command: list[str]) -> list[str]:
        """Return `command` with the configuration folder filled in."""
        return [word.replace(CONFIG_DIR, str(self.config_dir)) for word in command]


def _escape(text: str) -> str:
    """Supervisord expands `%(name)s`."""
    return text.replace("%", "%%")


def program(spec: ProcessSpec) -> str:
    """Return the supervisord program section of one process."""
    environment = {**spec.env, RUN_DIR_VARIABLE: str(spec.layout.run)}
    pairs = ",".join(f'{key}="{_escape(value)}"' for key, value in sorted(environment.items()))
    lines = {
        "command": _escape(shlex.join(spec.resolved(spec.command))),
        "directory": _escape(spec.data_dir),
        "environment": pairs,
        "autostart": "true",
        "autorestart": "true",
        "startsecs": "1",
        "startretries": str(_START_RETRIES),
        "stopwaitsecs": str(spec.stop_s),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": _escape(_escape(str(spec.layout.log(spec.name)))),  # expanded twice
        "stdout_logfile_maxbytes": _LOG_BYTES,
        "stdout_logfile_backups": str(_LOG_BACKUPS),
    }
    return f"[program:{spec.name}]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def supervisord(layout: StackDir) -> str:
    """Return supervisord's main configuration: a control socket for this user only, no TCP port."""
    run, socket = _escape(str(layout.run)), _escape(str(layout.socket))
    return f"""[supervisord]
logfile={run}/supervisord.log
logfile_maxbytes={_LOG_BYTES}
logfile_backups=1
pidfile={run}/supervisord.pid
identifier=agentobs

[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{socket}

[include]
; Relative to this file: a list of absolute paths would end at the first space of a folder's name.
files={layout.programs.name}/*.conf
"""
