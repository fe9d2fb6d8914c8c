"""Dev as real pods: ready under Pod Security `restricted`, and telemetry goes all the way inside the cluster."""

import json

import pytest
from support.node.platform import eventually, planned_dev
from support.stores import TRACES

from alerts import alerting
from alerts.timing import PRODUCTION
from stacks.environments import ENVIRONMENTS, EnvName


def test_everything_is_ready_as_the_plan_says(platform):
    ready = {}
    for kind in ("apps/v1/statefulsets", "apps/v1/deployments"):
        for each in platform.objects(kind):
            status = each["status"]
            ready[each["metadata"]["name"]] = status.get("readyReplicas", 0) == status.get("replicas") > 0
    assert ready == dict.fromkeys((workload.name for workload in planned_dev().workloads), True)


def test_no_container_was_restarted_on_the_way_up(platform):
    restarts = {
        pod["metadata"]["name"]: [status["restartCount"] for status in pod["status"]["containerStatuses"]]
        for pod in platform.pods()
    }
    assert restarts == {key: [0] for key in restarts}


def test_every_kpi_counts_exactly_what_agents_in_pods_did(platform, healthy):
    assert healthy["telemetry_lost"] == 0
    for series, wanted in healthy["totals"].items():
        got = eventually(lambda s=series: platform.counted(s, "healthy"), lambda v, w=wanted: v >= w * (1 - 1e-9))
        assert got == pytest.approx(wanted), series


def test_traces_and_lines_arrive(platform, healthy):
    trace_id = healthy["trace_ids"][0]
    assert eventually(lambda: platform.trace(trace_id), bool)
    assert eventually(lambda: platform.look("logs", "-e", "healthy", "--trace", trace_id)["lines"], bool)
    assert platform.look("traces", trace_id)["spans"]


def test_prometheus_scrapes_every_pod_that_names_a_port(platform):
    wanted = {workload.name for workload in planned_dev().workloads}
    up = eventually(lambda: {row["metric"]["job"] for row in platform.query("up == 1")}, lambda jobs: jobs >= wanted)
    assert up >= wanted


def test_how_full_the_volumes_of_stores_are_can_be_asked(platform):
    """What only Kubernetes says of a volume, joined with what the store says of itself."""
    filling = [alert for alert in alerting.alerts(PRODUCTION) if alert.name == "JaegerDiskFilling"]
    assert filling
    for alert in filling if TRACES == "jaeger" else []:
        share = alert.expr.rpartition(">")[0]
        assert eventually(lambda query=share: platform.query(query), bool, 90), share


def test_spans_of_pods_know_their_pod(platform, healthy):
    trace = eventually(lambda: platform.trace(healthy["trace_ids"][0]), bool)
    assert '"k8s.pod.name"' in trace
    assert json.dumps("my-agents") in trace


def test_why_names_the_broken_tool_from_outside_the_cluster(platform, quiet):
    with quiet():
        truth = platform.demo("broken", scenario="tool-regression", tasks=160, rate=8)
    found = eventually(lambda: _why(platform), lambda found: found["verdict"] == "regression", 60)
    assert found["verdict"] == "regression", found
    assert (found["culprit"]["version"], found["culprit"]["previous"]) == (
        truth["culprit"]["version"],
        truth["culprit"]["previous"],
    )


def _why(platform) -> dict:
    said = platform.agentobs("why", "-e", "broken", "--since", "30m", "--json")
    assert said.returncode in {0, 1}, said.stderr
    return dict(json.loads(said.stdout))


def test_the_checklist_looks_at_a_cluster_from_outside(platform, healthy, tmp_path):
    del healthy
    # What this dev has not. Rules and panels over minutes take their first turn minutes after the start.
    missing = {"receivers", "watchdog", "delivery", "baseline-recorded"}
    wrong = eventually(lambda: _wrong(platform, tmp_path), lambda found: found.keys() == missing, 180)
    assert wrong.keys() == missing, wrong


def _wrong(platform, folder) -> dict[str, str]:
    """Items that the checklist asks of the platform and that do not pass, with what it says of them."""
    said = platform.agentobs("checklist", "before", "-e", "healthy", "--release", "r1", "--out", str(folder), "--json")
    looked_at = [result for result in json.loads(said.stdout)["results"] if result["automated"]]
    found = {each["key"]: each["message"] for each in looked_at if each["status"] not in {"pass", "not applicable"}}
    found.pop("rules-healthy", None)  # over days
    return found


def test_every_pod_stays_below_what_it_asked_for(platform, healthy):
    """The sizes of dev are requests that hold for a small team's traffic; `usage` prints what was seen."""
    del healthy
    used = platform.usage()
    asked = {name: size.memory_mib for name, size in ENVIRONMENTS[EnvName.DEV].cluster.sizes.items()}
    print("\n".join(f"{name}: {each.memory_mib:.0f} of {asked[name]} MiB" for name, each in sorted(used.items())))  # noqa: T201
    assert set(used) == {workload.name for workload in planned_dev().workloads}
    assert {name: each for name, each in used.items() if each.memory_mib > asked[name]} == {}
