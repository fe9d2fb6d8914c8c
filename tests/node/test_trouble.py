"""What goes wrong on nodes: crash loops, killed and evicted pods, full volumes."""

import os
import time
from pathlib import Path

import pytest
from support.node import settings
from support.node.images import SMALL
from support.node.platform import AGENTS, NAMESPACE, RESTRICTED, demo_pod, eventually
from support.stores import LOGS, TRACES

STORES = ("prometheus", TRACES, LOGS, "collector")
_LEFT_MIB = 250
_STEADY_MIB = 30
_MEASURED_S = 12  # how old the kubelet's figures may be
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def test_an_agent_that_dies_again_and_again_is_seen_as_a_crash_loop(platform):
    dies = demo_pod("dies", ["-c", "raise SystemExit(70)"], restartPolicy="Always")
    platform.node.make(dies)
    query = (
        f'max(kube_pod_container_status_waiting_reason{{namespace="{AGENTS}",pod="dies",reason="CrashLoopBackOff"}})'
    )
    assert eventually(lambda: platform.value(query), bool, 75) == 1
    restarts = platform.value(f'kube_pod_container_status_restarts_total{{namespace="{AGENTS}",pod="dies"}}')
    assert restarts >= 1
    alert = 'count(ALERTS{alertname="PodCrashLoops",pod="dies",container="demo"})'
    assert eventually(lambda: platform.value(alert), bool, 60) == 1
    platform.node.api("DELETE", f"/api/v1/namespaces/{AGENTS}/pods/dies")


def test_killed_pods_come_back_with_their_data(platform, healthy):
    for workload in STORES:
        for pod in platform.pods(workload):
            platform.kill(pod["metadata"]["name"])
    assert eventually(lambda: _ready(platform), bool, 120), platform.node.logs()
    counted = 'sum(max_over_time(agentic_task_calls_total{environment="healthy"}[1h]))'
    assert eventually(lambda: platform.value(counted), bool) == healthy["totals"]["agentic_task_calls_total"]
    assert eventually(lambda: platform.trace(healthy["trace_ids"][0]), bool)


def _ready(platform) -> bool:
    """Whether every pod of the stores is there, ready and not on its way out."""
    pods = [pod for workload in STORES for pod in platform.pods(workload)]
    return len(pods) == len(STORES) and all(
        "deletionTimestamp" not in pod["metadata"]
        and all(status["ready"] for status in pod["status"].get("containerStatuses", [{"ready": False}]))
        for pod in pods
    )


def test_an_evicted_collector_comes_back_and_takes_telemetry(platform):
    (pod,) = platform.pods("collector")
    name = pod["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": NAMESPACE}}
    platform.node.api("POST", f"{_PODS}/{name}/eviction", eviction)
    gone = eventually(
        lambda: [p["metadata"]["uid"] for p in platform.pods("collector")], lambda u: pod["metadata"]["uid"] not in u
    )
    assert pod["metadata"]["uid"] not in gone
    assert eventually(lambda: _ready(platform), bool, 90)
    truth = platform.demo("evicted", scenario="healthy", tasks=10, rate=10)
    wanted = truth["totals"]["agentic_task_calls_total"]
    got = eventually(lambda: platform.counted("agentic_task_calls_total", "evicted"), lambda value: value >= wanted)
    assert got == pytest.approx(wanted)


@pytest.fixture
def full(platform):
    """The volume of the store of traces without room; the room comes back."""
    (claim,) = [
        each for each in platform.objects("v1/persistentvolumeclaims") if each["metadata"]["name"] == f"data-{TRACES}-0"
    ]
    volume = platform.node.seen(platform.node.folder / "volumes" / f"pv-{claim['metadata']['uid']}")
    ballast = volume / "ballast"
    with ballast.open("wb") as file:
        room = os.statvfs(volume)
        # Room for nobody but root is what file systems keep back: 5 % that a pod never gets.
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_bsize)
    yield ballast
    ballast.unlink(missing_ok=True)


def test_a_full_volume_of_traces_costs_no_kpi_and_its_traces_arrive_when_there_is_room(platform, full: Path):
    truth = platform.demo("full", scenario="healthy", tasks=20, rate=10)
    wanted = truth["totals"]["agentic_task_calls_total"]
    got = eventually(lambda: platform.counted("agentic_task_calls_total", "full"), lambda value: value >= wanted)
    assert got == pytest.approx(wanted)
    full.unlink()
    assert eventually(lambda: platform.trace(truth["trace_ids"][0]), bool, 120)


def test_a_pod_over_its_memory_is_ended_and_said_to_be(platform):
    container = {
        "name": "greedy",
        "image": SMALL,
        "args": ["-c", "dd if=/dev/zero of=/dev/null bs=64M count=1; sleep 40"],
        "securityContext": RESTRICTED,
        "resources": {"limits": {"memory": "16Mi"}},
    }
    platform.node.make(demo_pod("greedy", [], containers=[container]))
    path = f"/api/v1/namespaces/{AGENTS}/pods/greedy"

    def reason() -> str:
        statuses = platform.node.api("GET", path)["status"].get("containerStatuses", [])
        return next((each["state"].get("terminated", {}).get("reason", "") for each in statuses), "")

    # The shell goes on for a while: word of what the kernel did may come late.
    assert eventually(reason, bool, 150) == "OOMKilled"


def test_a_node_short_of_memory_ends_who_takes_it_and_nobody_of_the_platform(platform):
    before = {pod["metadata"]["uid"] for pod in platform.pods()}
    # So much that the node has less left than its kubelet keeps free, as soon as nobody else gives memory back.
    free = [platform.free_mib()]
    while len(free) < 2 or free[-1] - free[-2] > _STEADY_MIB:
        time.sleep(_MEASURED_S)
        free.append(platform.free_mib())
    fill = round(free[-1]) - _LEFT_MIB
    container = {
        "name": "hungry",
        "image": SMALL,
        "args": ["-c", f"dd if=/dev/zero of=/fill/all bs=1M count={fill}; sleep 600"],
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "fill", "mountPath": "/fill"}],
    }
    volume = {"name": "fill", "emptyDir": {"medium": "Memory"}}
    platform.node.make(demo_pod("hungry", [], containers=[container], volumes=[volume]))
    path = f"/api/v1/namespaces/{AGENTS}/pods/hungry"
    status = eventually(lambda: platform.node.api("GET", path)["status"], lambda s: s["phase"] == "Failed", 90)
    assert status.get("reason") == "Evicted", status
    assert "memory" in status["message"]
    assert eventually(lambda: _short_of_memory(platform), bool, 30)
    assert {pod["metadata"]["uid"] for pod in platform.pods()} == before
    platform.node.api("DELETE", path)
    assert not eventually(lambda: _short_of_memory(platform), lambda short: not short, 90)


def _short_of_memory(platform) -> bool:
    conditions = platform.node.api("GET", f"/api/v1/nodes/{settings.NODE}")["status"]["conditions"]
    return next(each["status"] for each in conditions if each["type"] == "MemoryPressure") == "True"
