"""A node whose starter is killed at any moment leaves nothing that `down` does not take away."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support.node.machine import Node
from support.node.platform import eventually

_TESTS = Path(__file__).resolve().parents[1]
_STARTS = "import sys; from pathlib import Path; from support.node.machine import Node; Node(Path(sys.argv[1])).start()"


def _processes(folder: Path) -> list[str]:
    """Command lines that name the folder, other than this one's."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        if process.pid != psutil.Process().pid and any(str(folder) in word for word in words):
            found.append(" ".join(words))
    return found


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("moment", ["etcd.log", "kubelet.log"])
def test_nothing_is_left_of_a_node_whose_starter_was_killed(tmp_path: Path, moment: str):
    folder, links = tmp_path / "node", _said("ip", "-o", "link")
    command = [sys.executable, "-c", _STARTS, str(folder)]
    with subprocess.Popen(
        command, env={"PYTHONPATH": f"{_TESTS}:{_TESTS.parent}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    ) as starter:
        assert eventually((folder / moment).exists, bool, 120), "it never came so far"
        time.sleep(1)
        starter.kill()
    assert eventually(lambda: _processes(folder), lambda left: not left, 30) == []
    Node(folder).remove()
    assert not folder.exists()
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()
    assert str(folder) not in _said("losetup", "--list")
    assert not [*Path("/sys/fs/cgroup").glob(f"**/{Node(folder).cgroup}")]
    assert _said("ip", "-o", "link") == links
