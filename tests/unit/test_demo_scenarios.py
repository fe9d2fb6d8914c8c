import dataclasses

import pytest

from agentobs.contract import VERSION_LABELS
from collector import prices
from demo.scenarios import HEALTHY, SCENARIOS, Conditions, Scenario
from demo.system import FALLBACK_MODEL, SERVER_OF, TOOLS_OF, AgentName, ToolName

NAMES = [
    "healthy",
    "tool-regression",
    "prompt-regression",
    "model-swap",
    "graph-change",
    "retry-storm",
    "timeouts",
    "hallucination",
    "policy-violation",
    "crash-loop",
    "cost-spike",
    "data-drift",
]
DIMENSION_OF = {"prompts": "prompt_version", "models": "model", "graph_version": "graph_version"}


def _changed(scenario: Scenario) -> set[str]:
    return {
        item.name
        for item in dataclasses.fields(Conditions)
        if getattr(scenario.after, item.name) != getattr(HEALTHY, item.name)
    }


def _versions(conditions: Conditions) -> dict[str, object]:
    return {
        "prompt_version": dict(conditions.prompts),
        "model": dict(conditions.models),
        "graph_version": conditions.graph_version,
        "tool_version": {name: spec.version for name, spec in conditions.servers.items()},
    }


def test_all_scenarios_of_the_brief_exist_in_their_order() -> None:
    assert list(SCENARIOS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_changes_exactly_the_version_its_culprit_names(name: str) -> None:
    scenario = SCENARIOS[name]
    before, after = _versions(HEALTHY), _versions(scenario.after)
    changed = {dimension for dimension in before if before[dimension] != after[dimension]}
    named = {scenario.culprit.dimension} - {None} if scenario.culprit else set()
    assert changed == named
    assert named <= {label.value for label in VERSION_LABELS}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "healthy"])
def test_a_scenario_changes_something_and_blames_someone_that_exists(name: str) -> None:
    scenario = SCENARIOS[name]
    assert _changed(scenario)
    assert scenario.culprit is not None
    assert scenario.culprit.agent in set(AgentName)
    assert scenario.culprit.tool in {None, *ToolName}


@pytest.mark.parametrize("name", [name for name in NAMES if SCENARIOS[name].culprit and SCENARIOS[name].culprit.tool])
def test_a_blamed_tool_belongs_to_the_server_that_changed(name: str) -> None:
    scenario = SCENARIOS[name]
    assert scenario.culprit is not None
    assert scenario.culprit.tool is not None
    server = SERVER_OF[ToolName(scenario.culprit.tool)]
    changed = {key for key, spec in scenario.after.servers.items() if spec != HEALTHY.servers[key]}
    assert changed == {server}


def test_every_tool_has_one_server() -> None:
    assert sorted(tool for tools in TOOLS_OF.values() for tool in tools) == sorted(ToolName)


def test_every_model_that_can_be_deployed_has_a_price() -> None:
    deployed = {spec.name for scenario in SCENARIOS.values() for spec in scenario.after.models.values()}
    assert deployed | {FALLBACK_MODEL.name} <= set(prices.load().prices)
