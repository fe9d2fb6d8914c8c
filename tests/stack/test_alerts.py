"""Every scenario makes its own alerts arrive, through the real Prometheus and Alertmanager, and no others."""

import pytest

SOON_S = 60

# What must come, as (alert, severity). Page mutes ticket, and a failing tool who retries it, so few are left.
WANTED = {
    "healthy": set(),
    "tool-regression": {("ToolFailing", "page"), ("VersionRegression", "page")},
    "prompt-regression": {("TasksFailing", "page"), ("VersionRegression", "page")},
    "model-swap": {("VersionRegression", "ticket")},
    "graph-change": {("VersionRegression", "ticket")},
    "retry-storm": {("ToolFailing", "page")},
    "timeouts": {("ToolFailing", "page")},
    "hallucination": {("Hallucinating", "page")},
    "policy-violation": {("PolicyViolationsPassed", "page"), ("PolicyViolations", "ticket")},
    "crash-loop": {("ToolFailing", "page")},
    "cost-spike": {("TaskCostJump", "page")},
    "data-drift": {("TasksFailing", "page")},
}
# What may come too, because it follows: tasks that fail with their tools or loops, the budget that burns meanwhile, the
# server behind the tool. How many tasks fail is up to the seed and the load of the machine.
TASKS = {("TasksFailing", "page"), ("TaskSuccessBudgetBurn", "page"), ("TaskSuccessBudgetBurn", "ticket")}
TOOLS = {
    ("RetryStorm", "page"), ("ToolTimingOut", "ticket"), ("McpServerFailing", "ticket"),
    ("AgentToolSuccessBudgetBurn", "page"), ("AgentToolSuccessBudgetBurn", "ticket"), ("PlansIncomplete", "ticket"),
}  # fmt: skip
REGRESSIONS = {("VersionRegression", "page"), ("VersionRegression", "ticket")}
MAY = {
    "tool-regression": TASKS | TOOLS | REGRESSIONS,
    "prompt-regression": TASKS | REGRESSIONS | {("EvaluationsFailing", "ticket")},
    "model-swap": {("TaskCostJump", "page")},
    "graph-change": TASKS | REGRESSIONS | {("TaskCostJump", "page"), ("EvaluationsFailing", "ticket")},
    "retry-storm": TOOLS,
    "timeouts": TASKS | TOOLS | {("TasksTimingOut", "page")},
    "hallucination": {("EvaluationsFailing", "ticket")},
    "crash-loop": TASKS | TOOLS | {("ProcessCrashLoop", "ticket")},
    # On a crowded machine no window of ten seconds in a row may hold enough calls of one agent.
    "cost-spike": {("RequestTokensJump", "ticket")},
    "data-drift": TASKS | {("EvaluationsFailing", "ticket")},
}


@pytest.mark.parametrize("scenario", WANTED)
def test_exactly_its_alerts_arrive(arrived, scenario):
    came = {(notice.name, notice.labels["severity"]) for notice in arrived[scenario]}
    assert came >= WANTED[scenario]
    assert came <= WANTED[scenario] | MAY.get(scenario, set())


@pytest.mark.parametrize("scenario", [name for name in WANTED if name != "healthy"])
def test_the_first_page_or_ticket_comes_soon(arrived, truths, scenario):
    """Seconds at rehearsal speed, where a minute of windows and holds is two seconds."""
    wanted = {name for name, _ in WANTED[scenario]}
    first = min(notice.at for notice in arrived[scenario] if notice.name in wanted)
    assert first - truths[scenario]["changed_at"] < SOON_S


def test_a_regression_names_dimension_version_and_the_one_before(arrived, truths):
    for scenario in ("tool-regression", "prompt-regression", "model-swap", "graph-change"):
        culprit = truths[scenario]["culprit"]
        found = [notice for notice in arrived[scenario] if notice.name == "VersionRegression"]
        assert {(n.labels["version"], n.labels["previous"]) for n in found} == {
            (culprit["version"], culprit["previous"])
        }
        assert all(f"was {culprit['previous']}" in notice.annotations["summary"] for notice in found)


def test_a_crash_loop_is_told_if_and_only_if_a_process_started_that_often(arrived, stack):
    """A crowded machine takes seconds for a start, and ten minutes are twenty seconds here."""
    most = stack.value('max(max_over_time(kpi:process_starts:increase10m{environment="crash-loop"}[1h]))')
    assert any(notice.name == "ProcessCrashLoop" for notice in arrived["crash-loop"]) is (most >= 4)
    assert most >= 2


@pytest.mark.usefixtures("arrived")
def test_the_watchdog_arrives_at_its_switch_and_nowhere_else(watched, notified):
    assert {notice.name for notice in watched.notices} == {"Watchdog"}
    assert "Watchdog" not in {notice.name for notice in notified.notices}
