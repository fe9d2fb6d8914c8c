"""Live checks on this very machine, through testinfra: real processes, sockets, files and binaries."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import testinfra

from stacks import live


@pytest.fixture(scope="module", name="host")
def _host():
    return testinfra.get_host("local://")


@pytest.fixture
def reachable():
    """A folder that everybody can enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103, PTH101 that is what is tested
        yield Path(folder)


def test_a_process_runs_or_does_not(host):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    found = {each.what: each for each in live.processes(host, {"me": os.getpid(), "gone": gone.pid, "never": None})}
    assert found["me"].good
    assert f"as {os.getpid()}" in found["me"].message
    assert not found["gone"].good
    assert (found["never"].message, found["never"].fix) == ("does not run", "agentobs up")


def test_a_zombie_does_not_run(host):
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    (found,) = live.processes(host, {"zombie": zombie.pid})
    zombie.wait()
    assert not found.good


def test_a_port_on_loopback_is_good_one_on_the_network_and_a_closed_one_are_not(host):
    with socket.socket() as inside, socket.socket() as outside, socket.socket() as closed:
        inside.bind(("127.0.0.1", 0))
        # An address of this computer alone, but none of the addresses that count as loopback-only listening.
        outside.bind(("0.0.0.0", 0))  # noqa: S104 that is what is tested
        closed.bind(("127.0.0.1", 0))
        inside.listen()
        outside.listen()
        numbers = {name: s.getsockname()[1] for name, s in {"in": inside, "out": outside, "closed": closed}.items()}
        found = {each.what.split()[0]: each for each in live.ports(host, numbers)}
    assert (found["in"].good, found["in"].message) == (True, "loopback only")
    assert (found["out"].good, found["out"].message) == (False, "open to the network at 0.0.0.0")
    assert (found["closed"].good, found["closed"].message) == (False, "nobody listens")


@pytest.mark.parametrize(("mode", "good"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False)])
def test_a_secret_is_for_its_owner_only(host, reachable, mode, good):
    path = reachable / "passphrase"
    path.write_text("x")
    path.chmod(mode)
    (found,) = live.secrets(host, [str(path)], [])
    assert found.good is good
    assert f"mode {mode:04o}" in found.message
    assert bool(found.fix) is not good


def test_what_holds_a_secret_is_readable_or_shielded_by_a_folder(host, reachable):
    path = reachable / "run" / "alertmanager.yml"
    path.parent.mkdir()
    path.write_text("x")
    path.chmod(0o644)
    path.parent.chmod(0o755)
    assert not next(iter(live.secrets(host, [], [str(path)]))).good
    path.parent.chmod(0o700)
    (found,) = live.secrets(host, [], [str(path)])
    assert found.good
    assert "others cannot enter" in found.message


def test_a_secret_that_is_missing_is_said(host, reachable):
    (found,) = live.secrets(host, [str(reachable / "none")], [])
    assert (found.good, found.message) == (False, f"{reachable / 'none'} is missing")


def test_a_binary_of_another_version_is_named_with_both(host):
    ours = ".".join(map(str, sys.version_info[:3]))
    for wanted, good in ((ours, True), ("9.9.9", False)):
        expected = live.Expected(
            processes={}, binaries={"python": sys.executable}, version_arguments={"python": ("--version",)},
            versions={"python": wanted}, ports={}, secrets=[], private=[],
        )  # fmt: skip
        (found,) = live.examine(host, expected)
        assert found.good is good
        assert ours in found.message


def test_room_is_that_of_the_disk_and_of_the_memory(host, tmp_path):
    (disk,), (memory,) = live.disk(host, str(tmp_path)), live.memory(host)
    free = os.statvfs(tmp_path)
    assert disk.free == pytest.approx(free.f_bavail / (free.f_blocks - free.f_bfree + free.f_bavail), abs=0.05)
    assert 0 < memory.free <= 1
