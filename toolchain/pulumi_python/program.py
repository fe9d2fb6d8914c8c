"""Runs one Pulumi program: what the official `pulumi-language-python-exec` does, for `language_host.py`.

Arguments: the engine settings as JSON, the working directory, the program (a folder with __main__.py, or a file), and
the program's own arguments. Exit status 32 says that an error was shown already. With `--policy` first, the rest goes
to the SDK's runner of policy packs.
"""

import asyncio
import json
import logging
import os
import runpy
import signal
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
import pulumi
import pulumi.runtime

_SHOWN = 32  # the same as in language_host.py


def main() -> int:
    """Run the program of the command line and return the exit status."""
    settings, directory, program = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
    _end_with_host()
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings))
    sys.argv = sys.argv[3:]
    if directory:
        os.chdir(directory)
    # Tasks that never finish are normal after a failed resource; asyncio's complaints about them help nobody.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    if Path(program).is_dir() and not (Path(program) / "__main__.py").exists():
        _show(f"no Python program in {program}: expected a file named __main__.py")
        return _SHOWN
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(settings["parallel"], 1) * 4)
    loop.set_default_executor(executor)
    try:
        return _run(loop, program)
    finally:
        executor.shutdown(wait=True)
        loop.close()


def policy() -> int:
    """Run the policy pack of the command line until the host ends it; return the exit status."""
    _end_with_host()
    sys.argv = ["pulumi.policy", *sys.argv[2:]]
    runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)
    return 0


def _run(loop: asyncio.AbstractEventLoop, program: str) -> int:
    """Run the program and wait for everything it registered; an error is shown once, here."""

    def run() -> None:
        runpy.run_path(program, run_name="__main__")

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
    except pulumi.RunError as error:
        _show(str(error))
        return _SHOWN
    except Exception:  # noqa: BLE001 - whatever a program raises belongs on the screen
        _show(f"Program failed with an unhandled exception:\n{_user_traceback(program)}")
        return _SHOWN
    return 0


def _show(message: str) -> None:
    """Show an error as one of the stack; when the engine is gone already, on stderr."""
    try:
        pulumi.log.error(message)
    except grpc.RpcError:
        sys.stderr.write(f"{message}\n")


def _user_traceback(program: str) -> str:
    """Return the traceback from the program's own first frame on; what runs it is of no interest."""
    entry = Path(program) / "__main__.py" if Path(program).is_dir() else Path(program)
    frames = traceback.extract_tb(sys.exc_info()[2])
    for index, frame in enumerate(frames):
        if Path(frame.filename).absolute() == entry.absolute():
            return traceback.format_exc(limit=index - len(frames))
    return traceback.format_exc()


def _end_with_host() -> None:
    """End this process when the host is gone or asks for it: stdin is a pipe that only the host holds open."""

    def leave(_signal: int = 0, _frame: FrameType | None = None) -> None:
        os._exit(_SHOWN)

    def watch(pipe: int) -> None:
        while os.read(pipe, 1):
            pass
        leave()

    pipe = os.dup(0)
    # The program itself reads nothing from stdin, as with the official host.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    threading.Thread(target=watch, args=(pipe,), daemon=True).start()


if __name__ == "__main__":
    sys.exit(policy() if sys.argv[1] == "--policy" else main())
