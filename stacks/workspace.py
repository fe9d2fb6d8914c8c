"""Running the Pulumi CLI for the local stack: backend, passphrase, launchers and stale locks are handled here."""

import contextlib
import functools
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from filelock import FileLock, Timeout

import toolchain
from agentobs.errors import AgentobsError
from collector.document import to_yaml
from stacks import paths
from stacks.environments import ENVIRONMENTS, EnvName
from stacks.process import private
from stacks.process.layout import StackDir
from stacks.process.supervisor import is_running
from toolchain.pulumi_python import launchers, needs_launchers

_PROJECT: Final = "agentobs"
_DEPLOYS: Final = {"up", "update", "preview", "pre"}


class WorkspaceError(AgentobsError):
    """Pulumi could not be run, or it failed; its own output has been shown."""


class Workspace:
    """One stack of this checkout and the environment that the Pulumi CLI needs for it."""

    def __init__(self, stack: EnvName) -> None:
        self.stack = stack.value
        self.home = paths.home()

    @property
    def layout(self) -> StackDir:
        """Folders of the stack's processes."""
        return paths.stack_dir(self.stack)

    @property
    def project(self) -> Path:
        """Folder of Pulumi.yaml."""
        return paths.project()

    def _make_view(self) -> None:
        if not paths.is_view():
            return
        root = paths.project_root()
        self.project.mkdir(parents=True, exist_ok=True)
        environment = root / ".venv" if paths.is_checkout() else Path(sys.prefix)
        for name, target in (("stacks", root / "stacks"), (".venv", environment)):
            with contextlib.suppress(FileExistsError):
                (self.project / name).symlink_to(target)
        project = yaml.safe_load((root / "stacks" / "project.yaml").read_text())
        (self.project / "Pulumi.yaml").write_text(to_yaml({**project, "stackConfigDir": "."}))

    @property
    def settings(self) -> Path:
        """The stack file: what an operator set."""
        return paths.stack_file(self.stack)

    @property
    def passphrase(self) -> Path:
        """The file with the passphrase that encrypts the secrets of all stacks of this checkout."""
        return self.home / "pulumi" / "passphrase"

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """Files of which nobody else may read a byte."""
        return (self.passphrase,)

    @property
    def checkpoint(self) -> Path:
        """What Pulumi knows of the stack."""
        return self._state / ".pulumi" / "stacks" / _PROJECT / f"{self.stack}.json"

    @property
    def _state(self) -> Path:
        return self.home / "pulumi" / "state"

    def endpoints(self) -> dict[str, str]:
        """Addresses of the running stack by name. Raises WorkspaceError where it is not up."""
        endpoints: dict[str, str] = self.outputs().get("endpoints", {})
        if not endpoints:
            raise WorkspaceError(
                f"the stack {self.stack} is not up; start it with `agentobs up` or give --prometheus URL"
            )
        return endpoints

    def environment(self) -> dict[str, str]:
        """Variables under which `pulumi` works on this stack; what `agentobs env` prints."""
        return {
            "PATH": os.pathsep.join([str(self._binary.parent), os.environ.get("PATH", os.defpath)]),
            "PULUMI_BACKEND_URL": f"file://{self._state}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase),
            "PULUMI_HOME": str(self.home / "pulumi" / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_STACK": self.stack,
        }

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep two commands on one stack apart. Raises WorkspaceError when another one is at work."""
        # Configurations and Pulumi's state below it hold addresses of webhooks, which are secrets.
        paths.ready()
        lock = FileLock(self.home / f"{self.stack}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise WorkspaceError(
                f"another agentobs command is changing the stack {self.stack}; wait for it to end"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def prepare(self) -> None:
        """Create backend, passphrase and stack where they are missing; clear the lock of a command that died."""
        paths.ready()
        self._state.mkdir(parents=True, exist_ok=True)
        self._make_view()
        if not self.passphrase.exists():
            private.write(self.passphrase, secrets.token_urlsafe(32))
        elif self.passphrase.stat().st_mode & ~private.FILE & 0o777:
            self.passphrase.chmod(private.FILE)
        if not self.exists:
            self._forget_old_passphrase()
            self.pulumi("stack", "init", self.stack, "--secrets-provider", "passphrase", quiet=True)
        self._recover()

    def _forget_old_passphrase(self) -> None:
        """Keep the settings of a stack whose state was deleted: their salt belongs to a passphrase that is gone."""
        if self.settings.exists():
            settings = yaml.safe_load(self.settings.read_text()) or {}
            settings.pop("encryptionsalt", None)
            self.settings.write_text(to_yaml(settings))

    @property
    def exists(self) -> bool:
        """Whether the stack was ever brought up here."""
        return self.checkpoint.exists()

    def _recover(self) -> None:
        """Clear what a Pulumi that died has left: its lock, and resources it was about to create.

        Creating is idempotent here, so forgetting a half-made resource and making it again is safe.
        """
        folder = self._state / ".pulumi" / "locks" / "organization" / _PROJECT / self.stack
        stale = list(folder.glob("*.json"))
        for lock in stale:
            pid = int(json.loads(lock.read_text()).get("pid", 0))
            # It may have died, or the number may be another process's by now.
            if is_running(pid, "pulumi"):
                raise WorkspaceError(f"pulumi (pid {pid}) is changing the stack {self.stack}; wait for it to end")
            lock.unlink()
        if stale:
            self.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates", quiet=True)

    def command(self, *arguments: str) -> list[str]:
        """The Pulumi command line for this project and stack; what deploys to a cluster answers to the policy pack."""
        policed = _DEPLOYS & {*arguments[:1]} and ENVIRONMENTS[EnvName(self.stack)].cluster
        policy = ["--policy-pack", str(self.project / "stacks" / "policy")] if policed else []
        return [str(self._binary), *arguments, *policy, "-C", str(self.project)]

    @functools.cached_property
    def _binary(self) -> Path:
        """The Pulumi to run: an official one as it is, one built from source together with its Python launchers."""
        pulumi = toolchain.require(["pulumi"])["pulumi"]
        if not needs_launchers(pulumi):
            return pulumi
        return launchers(self.home / "pulumi" / "bin", Path(sys.executable), pulumi) / "pulumi"

    def pulumi(self, *arguments: str, quiet: bool = False) -> str:
        """Run Pulumi; `quiet` captures and returns its output. Raises WorkspaceError when it fails."""
        done = subprocess.run(
            self.command(*arguments),
            env={**os.environ, **self.environment()},
            capture_output=quiet,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = f":\n{done.stderr.strip() or done.stdout.strip()}" if quiet else "; its output is above"
            raise WorkspaceError(f"pulumi {arguments[0]} failed{said}")
        return done.stdout or ""

    def outputs(self) -> dict[str, Any]:
        """Outputs of the stack; empty where it is not up."""
        if not self.exists:
            return {}
        return dict(json.loads(self.pulumi("stack", "output", "--json", quiet=True)))
