"""The two executables that a Pulumi built from source lacks. That Pulumi works with them is for the stack tier."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import language_pb2 as pb
from pulumi.runtime.proto.language_pb2_grpc import LanguageRuntimeStub

from toolchain.pulumi_python import launchers, needs_launchers


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    # A folder name that a careless shell script would trip over.
    return launchers(tmp_path / "it's a folder", Path(sys.executable))


def start(directory: Path) -> tuple["subprocess.Popen[str]", str]:
    """Start the host as Pulumi does, with flags before the engine's address; return it and its own address."""
    process = subprocess.Popen(
        [directory / "pulumi-language-python", "--logtostderr", "-v=9", "127.0.0.1:1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, f"127.0.0.1:{int(process.stdout.readline())}"


def test_both_launchers_are_executable_and_run_the_given_python(installed: Path) -> None:
    assert sorted(path.name for path in installed.iterdir()) == [
        "pulumi-language-python",
        "pulumi-resource-pulumi-python",
    ]
    for path in installed.iterdir():
        assert os.access(path, os.X_OK)
        assert str(Path(sys.executable).absolute()) in path.read_text(encoding="utf-8")


def test_the_host_answers_what_pulumi_asks_before_a_program_runs(installed: Path) -> None:
    process, address = start(installed)
    with process, grpc.insecure_channel(address) as channel:
        host = LanguageRuntimeStub(channel)
        assert host.Handshake(pb.LanguageHandshakeRequest(engine_address="127.0.0.1:2")) is not None
        assert host.GetPluginInfo(Empty()).version.startswith("3.")
        assert list(host.GetRequiredPackages(pb.GetRequiredPackagesRequest()).packages) == []
        assert list(host.GetRequiredPlugins(pb.GetRequiredPluginsRequest()).plugins) == []
        assert host.About(pb.AboutRequest()).executable == sys.executable
        assert list(host.RuntimeOptionsPrompts(pb.RuntimeOptionsRequest()).prompts) == []
        [note] = list(host.InstallDependencies(pb.InstallDependenciesRequest()))
        assert sys.prefix.encode() in note.stdout
        direct = host.GetProgramDependencies(pb.GetProgramDependenciesRequest()).dependencies
        every = host.GetProgramDependencies(pb.GetProgramDependenciesRequest(transitiveDependencies=True)).dependencies
        assert "pytest-timeout" in {item.name for item in direct}
        # grpcio is there because pulumi requires it.
        assert "grpcio" not in {item.name for item in direct}
        assert {"grpcio", "pytest-timeout"} <= {item.name for item in every}
        process.terminate()


def test_a_program_whose_engine_is_gone_says_so_in_one_line(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("print('never reached')\n", encoding="utf-8")
    request = pb.RunRequest(
        pwd=str(tmp_path),
        monitor_address="127.0.0.1:1",
        parallel=1,
        info=pb.ProgramInfo(root_directory=str(tmp_path), program_directory=str(tmp_path), entry_point="."),
    )
    process, address = start(installed)
    with grpc.insecure_channel(address) as channel:
        answer = LanguageRuntimeStub(channel).Run(request)
    process.terminate()
    output, errors = process.communicate(timeout=60)

    assert answer == pb.RunResponse(bail=True)
    assert (output, errors) == ("", "Resource monitor has terminated, shutting down\n")


def test_a_plugin_that_is_no_policy_pack_is_refused_with_a_reason(installed: Path) -> None:
    process, address = start(installed)
    with process, grpc.insecure_channel(address) as channel:
        with pytest.raises(grpc.RpcError, match="this host runs policy packs, not a plugin: resource"):
            list(LanguageRuntimeStub(channel).RunPlugin(pb.RunPluginRequest(kind="resource")))
        process.terminate()


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, None], ids=["SIGINT", "SIGTERM", "stdin closes"])
def test_the_host_ends_quietly_when_pulumi_asks_or_goes(installed: Path, way: signal.Signals | None) -> None:
    process, _ = start(installed)
    started = time.monotonic()

    if way is None:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    else:
        process.send_signal(way)
    output, errors = process.communicate(timeout=60)

    assert (process.returncode, output, errors) == (0, "", "")
    assert time.monotonic() - started < 60


def test_launchers_are_needed_only_without_a_language_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    pulumi = tmp_path / "install" / "pulumi"
    pulumi.parent.mkdir()
    pulumi.touch()
    link = tmp_path / "pulumi"
    link.symlink_to(pulumi)
    assert needs_launchers(link)

    (pulumi.parent / "pulumi-language-python").touch()
    assert not needs_launchers(link)

    (pulumi.parent / "pulumi-language-python").unlink()
    monkeypatch.setenv("PATH", str(installed))
    assert not needs_launchers(link)


def test_a_given_pulumi_is_placed_beside_the_launchers_and_replaced_when_it_changes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("one", encoding="utf-8")
    second.write_text("two", encoding="utf-8")
    directory = tmp_path / "bin"

    for pulumi, content in ((first, "one"), (first, "one"), (second, "two")):
        launchers(directory, Path(sys.executable), pulumi)
        assert (directory / "pulumi").read_text(encoding="utf-8") == content
    assert sorted(path.name for path in directory.iterdir()) == [
        "pulumi",
        "pulumi-language-python",
        "pulumi-resource-pulumi-python",
    ]
