"""A running dev is changed: what is read again reaches the pods without a restart, and a rollout loses nothing."""

import pytest
from support.node.platform import eventually
from support.stores import TRACES

_RELOADED_S = 90  # the kubelet looks at its volumes every ten seconds, Prometheus at its files every thirty


def _identities(platform, *workloads: str) -> dict[str, tuple[str, int]]:
    """Pod -> its uid and how often its container was started again."""
    return {
        pod["metadata"]["name"]: (pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"])
        for workload in workloads
        for pod in platform.pods(workload)
    }


def _runbooks(platform) -> set[str]:
    groups = platform.answer("prometheus", "/api/v1/rules", type="alert").json()["data"]["groups"]
    return {rule["annotations"].get("runbook_url", "") for group in groups for rule in group["rules"]}


def test_changed_rules_reach_the_pod_without_a_restart(platform):
    before = _identities(platform, "prometheus")
    platform.set("runbooksUrl", "https://runbooks.example.com")
    platform.up()

    def reloaded() -> bool:
        found = _runbooks(platform)
        return bool(found) and all(url.startswith("https://runbooks.example.com/") for url in found)

    assert eventually(reloaded, bool, _RELOADED_S), _runbooks(platform)
    assert _identities(platform, "prometheus") == before


@pytest.mark.usefixtures("healthy")
def test_a_rolling_update_of_collector_and_stores_loses_no_telemetry(platform):
    platform.start_demo("rolling", scenario="healthy", tasks=120, rate=4)
    assert eventually(lambda: platform.counted("agentic_task_calls_total", "rolling"), bool, 60)
    platform.restart("collector", TRACES, "prometheus")
    truth = platform.truth("rolling")
    assert truth["telemetry_lost"] == 0
    for series in ("agentic_task_calls_total", "agentic_tool_calls_total", "agentic_llm_calls_total"):
        wanted = truth["totals"][series]
        got = eventually(lambda s=series: platform.counted(s, "rolling"), lambda value, w=wanted: value >= w)
        assert got == pytest.approx(wanted), series
    found = eventually(lambda: _traces(platform, "rolling"), lambda count: count >= 120, 60)
    assert found == 120


def _traces(platform, environment: str) -> int:
    """Number of traces that are found of an environment's tasks."""
    task = ("--where", "agentic.span.role = task")
    return len(platform.look("traces", "-e", environment, *task, "--limit", "500")["traces"])
