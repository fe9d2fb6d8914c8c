"""supervisord, driven over its control socket: start, stop, add and remove programs, ask for their state."""

import contextlib
import shutil
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import psutil
from filelock import FileLock
from supervisor.xmlrpc import Faults, SupervisorTransport

from agentobs.errors import AgentobsError
from stacks.process import private
from stacks.process import spec as specs
from stacks.process.layout import StackDir

_START_TIMEOUT_S: Final = 15
_STOP_TIMEOUT_S: Final = 60
_POLL_S: Final = 0.05
_ALIVE: Final = frozenset({"STARTING", "RUNNING", "BACKOFF"})


class SupervisorError(AgentobsError):
    """supervisord could not be started, reached or stopped."""


class Supervisor:
    """The supervisord of one local stack."""

    def __init__(self, layout: StackDir) -> None:
        self._layout = layout

    def _rpc(self) -> Any:  # noqa: ANN401 xmlrpc proxies are untyped
        transport = SupervisorTransport(None, None, f"unix://{self._layout.socket}")
        return cast("Any", xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)).supervisor

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the right to change the set of programs: a reload reads all files, also half-written ones."""
        private.folder(self._layout.root)
        with FileLock(self._layout.lock):
            yield

    def alive(self) -> bool:
        """Whether supervisord answers on its socket."""
        if not self._layout.socket.exists():
            return False
        private.folder(self._layout.socket.parent)  # whoever made it decides what answers there
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            return bool(self._rpc().getState()["statename"] == "RUNNING")
        return False

    def start(self) -> None:
        """Start supervisord as a daemon, after ending what a crashed one left behind. No-op when it runs."""
        if self.alive():
            return
        end_orphans(self._layout)
        private.folder(self._layout.root)
        for folder in (self._layout.programs, self._layout.log("x").parent, self._layout.checked, self._layout.data):
            folder.mkdir(parents=True, exist_ok=True)
        private.folder(self._layout.socket.parent)
        for stale in self._layout.programs.glob("*.conf"):
            stale.unlink()
        self._layout.supervisord_conf.write_text(specs.supervisord(self._layout))
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._layout.supervisord_conf)]
        # Own session and no inherited pipes: the daemon outlives Pulumi, which waits for pipes to close.
        started = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, start_new_session=True
        )
        if started.returncode != 0:
            raise SupervisorError(f"supervisord did not start: {started.stderr.strip() or started.stdout.strip()}")
        self._wait(self.alive, _START_TIMEOUT_S, "start")

    def stop(self) -> None:
        """Stop supervisord and its processes, then remove the run folder. No-op parts are skipped after a crash."""
        if self.alive():
            pid = self._rpc().getPID()
            self._rpc().shutdown()
            self._wait(lambda: not is_running(pid), _STOP_TIMEOUT_S, "stop")
        end_orphans(self._layout)
        self._layout.socket.unlink(missing_ok=True)
        shutil.rmtree(self._layout.run, ignore_errors=True)
        self._layout.lock.unlink(missing_ok=True)

    def add(self, name: str) -> None:
        """Start the program whose file has just been written. Call with `exclusive` held."""
        try:
            self._rpc().reloadConfig()
        except xmlrpc.client.Fault as fault:
            raise SupervisorError(f"supervisord refuses the program file of {name}: {fault.faultString}") from None
        with _tolerating(Faults.ALREADY_ADDED):
            self._rpc().addProcessGroup(name)

    def remove(self, name: str) -> None:
        """Stop and forget a program; unknown ones are fine. Call with `exclusive` held."""
        with _tolerating(Faults.BAD_NAME, Faults.NOT_RUNNING):
            self._rpc().stopProcessGroup(name, True)
        with _tolerating(Faults.BAD_NAME):
            self._rpc().removeProcessGroup(name)

    def state(self, name: str) -> str:
        """Supervisord's state name of a program, or `UNKNOWN`."""
        try:
            return str(self._rpc().getProcessInfo(name)["statename"])
        except (OSError, xmlrpc.client.Error):
            return "UNKNOWN"

    def is_up(self, name: str) -> bool:
        """Whether a program runs or is being started again; a stopped or given-up one is not."""
        return self.state(name) in _ALIVE

    def pids(self) -> dict[str, int]:
        """Process ids of the running programs by name."""
        try:
            return {info["name"]: info["pid"] for info in self._rpc().getAllProcessInfo() if info["pid"]}
        except (OSError, xmlrpc.client.Error):
            return {}

    @staticmethod
    def _wait(done: Callable[[], bool], timeout_s: float, what: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline:
                raise SupervisorError(f"supervisord did not {what} within {timeout_s:g} s")
            time.sleep(_POLL_S)


@contextlib.contextmanager
def _tolerating(*codes: int) -> Iterator[None]:
    try:
        yield
    except xmlrpc.client.Fault as fault:
        if fault.faultCode not in codes:
            raise


def is_running(pid: int, name: str = "") -> bool:
    """Whether a process whose name contains `name` runs under this number; one that waits to be reaped does not."""
    try:
        process = psutil.Process(pid)
        return name in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def members(layout: StackDir) -> list[psutil.Process]:
    """Processes that carry this stack's mark in their environment, supervised or orphaned."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(specs.RUN_DIR_VARIABLE) == str(layout.run):
                found.append(process)
    return found


def end_orphans(layout: StackDir) -> None:
    """End processes of this stack that have lost their supervisord: first politely, then for good."""
    orphans = members(layout)
    for process in orphans:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(orphans, timeout=10)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
