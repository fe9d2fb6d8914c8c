"""`pulumi-language-python` for a Pulumi built from source: serves `pulumirpc.LanguageRuntime` to one pulumi command.

Pulumi starts it with the engine's address as last argument and reads the port from the first line it prints. Each
program and each policy pack runs in a process of its own (`program.py`), so that preview and update do not share
modules. It is started by path, hence it imports nothing of this project. It installs nothing: the environment's lock
file decides what is there.
"""

import importlib.metadata
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import IO

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]  # neither does protobuf
from pulumi.runtime.proto import language_pb2 as pb
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto.language_pb2_grpc import LanguageRuntimeServicer, add_LanguageRuntimeServicer_to_server

# The program has shown its error itself; Pulumi must not add another one. The official host uses the same status.
SHOWN = 32

_PROGRAM = Path(__file__).with_name("program.py")
_MAX_MESSAGE = 400 * 1024 * 1024  # what Pulumi itself allows for one message


class LanguageHost(LanguageRuntimeServicer):
    """Answers the engine; `engine` is its address."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def Handshake(  # noqa: N802 - the method names are the protocol's
        self,
        request: pb.LanguageHandshakeRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> pb.LanguageHandshakeResponse:
        """Take the engine's address, which is sent here when the engine attaches to a running host."""
        self._engine = request.engine_address or self._engine
        return pb.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: ARG002, N802
        """Return the SDK's version, which is what this host speaks."""
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPackages(  # noqa: N802
        self,
        request: pb.GetRequiredPackagesRequest,  # noqa: ARG002
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> pb.GetRequiredPackagesResponse:
        """Return none: a provider is looked for when a resource needs it, so a stack without it needs no download."""
        return pb.GetRequiredPackagesResponse()

    def GetRequiredPlugins(  # noqa: N802
        self,
        request: pb.GetRequiredPluginsRequest,  # noqa: ARG002
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> pb.GetRequiredPluginsResponse:
        """Return none, for the same reason."""
        return pb.GetRequiredPluginsResponse()

    def About(self, request: pb.AboutRequest, context: grpc.ServicerContext) -> pb.AboutResponse:  # noqa: ARG002, N802
        """Return which Python runs the programs."""
        return pb.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetProgramDependencies(  # noqa: N802
        self,
        request: pb.GetProgramDependenciesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> pb.GetProgramDependenciesResponse:
        """Return the installed distributions; unless transitive ones are asked for, only those nobody requires."""
        found = {_normal(item.name): item for item in importlib.metadata.distributions()}
        if not request.transitiveDependencies:
            requirements = {text for item in found.values() for text in item.requires or () if "extra ==" not in text}
            for needed in map(_normal, requirements):
                found.pop(needed, None)
        listed = [pb.DependencyInfo(name=item.name, version=item.version) for _, item in sorted(found.items())]
        return pb.GetProgramDependenciesResponse(dependencies=listed)

    def InstallDependencies(  # noqa: N802
        self,
        request: pb.InstallDependenciesRequest,  # noqa: ARG002
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> Iterator[pb.InstallDependenciesResponse]:
        """Say that nothing is installed from here."""
        text = f"Dependencies are those of {sys.prefix}; install the project's lock file there to change them.\n"
        yield pb.InstallDependenciesResponse(stdout=text.encode())

    def RuntimeOptionsPrompts(  # noqa: N802
        self,
        request: pb.RuntimeOptionsRequest,  # noqa: ARG002
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> pb.RuntimeOptionsResponse:
        """Ask nothing."""
        return pb.RuntimeOptionsResponse()

    def Run(self, request: pb.RunRequest, context: grpc.ServicerContext) -> pb.RunResponse:  # noqa: N802
        """Run the program to its end; a cancelled request ends it."""
        process = subprocess.Popen(
            self._command(request),
            cwd=request.info.program_directory or request.pwd or None,
            env=_program_environment(request),
            stdin=subprocess.PIPE,  # closes when this host goes, whatever the reason: the program then ends too
        )
        if not context.add_callback(process.terminate):
            process.terminate()  # cancelled before it began
        status = process.wait()
        if status == SHOWN:
            return pb.RunResponse(bail=True)
        return pb.RunResponse(error="" if status == 0 else f"Program exited with status {status}")

    def RunPlugin(  # noqa: N802
        self, request: pb.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.RunPluginResponse]:
        """Run a policy pack until the engine cancels the request; pass on what it says, first of all its port."""
        if request.kind != "analyzer":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"this host runs policy packs, not a plugin: {request.kind}")
        process = subprocess.Popen(
            # As the official host: the engine's address first, the pack's folder last.
            [sys.executable, "-u", "-P", str(_PROGRAM), "--policy", *request.args, request.info.program_directory],
            cwd=request.pwd or None,
            env=dict(pair.split("=", 1) for pair in request.env),
            stdin=subprocess.PIPE,  # as above: the pack ends with this host
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if not context.add_callback(process.terminate):
            process.terminate()
        yield from _said(process)
        yield pb.RunPluginResponse(exitcode=process.wait())

    def _command(self, request: pb.RunRequest) -> list[str]:
        entry = Path(request.info.program_directory or request.pwd) / (request.info.entry_point or request.program)
        settings = {
            "project": request.project,
            "stack": request.stack,
            "monitor": request.monitor_address,
            "engine": self._engine,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "organization": request.organization or "organization",
            "root_directory": request.info.root_directory,
        }
        # -P: only the program's own folder is on its import path, as with the official host.
        return [sys.executable, "-u", "-P", str(_PROGRAM), json.dumps(settings), request.pwd, str(entry), *request.args]


def _said(process: "subprocess.Popen[bytes]") -> Iterator[pb.RunPluginResponse]:
    """Yield lines of both streams as they come, until both are at their end."""
    lines: queue.SimpleQueue[pb.RunPluginResponse | None] = queue.SimpleQueue()

    def read(stream: IO[bytes] | None, message: Callable[[bytes], pb.RunPluginResponse]) -> None:
        for line in stream or ():
            lines.put(message(line))
        lines.put(None)

    def out(line: bytes) -> pb.RunPluginResponse:
        return pb.RunPluginResponse(stdout=line)

    def err(line: bytes) -> pb.RunPluginResponse:
        return pb.RunPluginResponse(stderr=line)

    streams = ((process.stdout, out), (process.stderr, err))
    for each in streams:
        threading.Thread(target=read, args=each, daemon=True).start()
    for _ in streams:
        yield from iter(lines.get, None)


def _program_environment(request: pb.RunRequest) -> dict[str, str]:
    """Hand over the configuration as the SDK expects it."""
    return {
        **os.environ,
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }


def _normal(requirement: str) -> str:
    """Return the distribution name at the start of a requirement, in the form in which names compare equal."""
    match = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", match.group() if match else requirement).lower()


def _engine_address(arguments: list[str]) -> str:
    """Return the last argument that is no flag: Pulumi passes log and tracing flags before the address."""
    plain = [argument for argument in arguments if not argument.startswith("-")]
    return plain[-1] if plain else ""


def serve(engine: str) -> None:
    """Serve until Pulumi asks for the end (SIGINT, SIGTERM) or is gone (its end of our stdin closes)."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=8),
        options=[("grpc.max_receive_message_length", _MAX_MESSAGE), ("grpc.max_send_message_length", _MAX_MESSAGE)],
    )
    add_LanguageRuntimeServicer_to_server(LanguageHost(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    over = threading.Event()

    def stop(_signal: int = 0, _frame: FrameType | None = None) -> None:
        over.set()

    def watch_stdin() -> None:
        while sys.stdin.buffer.read(1):
            pass
        stop()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=watch_stdin, daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    over.wait()
    server.stop(grace=0)
    sys.stdout.flush()
    # Worker threads may still wait for a program; it ends by itself once its stdin, held by this process, closes.
    os._exit(0)


if __name__ == "__main__":
    serve(_engine_address(sys.argv[1:]))
