"""The sample system under managed releases: it runs what the release says, and what it counts says so too."""

import asyncio

import pytest
from support.delivered import request

from agentobs import pins
from delivery.environments.operations import Kill, Promote, Start, Target
from delivery.releases.build import build
from delivery.store import FileBlobs
from demo import release as releasing
from demo.runner import Options, Runner
from demo.scenarios import HEALTHY, SCENARIOS
from demo.versions import UnknownVersionError, conditions_of
from stacks.releases import Place

VERSIONED = ("tool-regression", "prompt-regression", "model-swap", "graph-change")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The release of each scenario that changes a version."""
    made = {}
    for scenario in ("healthy", *VERSIONED):
        folder = tmp_path_factory.mktemp(scenario)
        releasing.write(folder, scenario)
        made[scenario] = build(folder, author="ada")
    return made


@pytest.fixture
def place(built, tmp_path):
    place = Place(FileBlobs(tmp_path / "store"), tmp_path / "store")
    for each in built.values():
        place.store.add_release(each.release, dict(each.texts))
    promote(place, built, "healthy")
    return place


def promote(place, built, scenario):
    place.commit("prod", Promote(request=request(), release=built[scenario].release.id))


def run(place, tasks=40):
    options = Options(tasks=tasks, rate=0, time_scale=0.0, environment="prod", managed=str(place.snapshot_file("prod")))
    return asyncio.run(Runner(options).run())


def client_of(place):
    client = pins.configure(environment="prod", file=place.snapshot_file("prod"))
    client.wait()
    return client


@pytest.mark.parametrize("scenario", ["healthy", *VERSIONED])
def test_a_release_makes_the_conditions_of_its_scenario(place, built, scenario):
    if scenario != "healthy":
        promote(place, built, scenario)
    client = client_of(place)
    try:
        assert conditions_of(client.pins("s")) == SCENARIOS[scenario].after
    finally:
        client.close()
    assert SCENARIOS["healthy"].after == HEALTHY


def test_a_canary_takes_its_share_and_is_counted_under_its_track(place, built):
    place.commit("prod", Start(request=request(), release=built["prompt-regression"].release.id, share=5000))
    truth = run(place).truth
    by_track = {
        track: truth.total("agentic_task_calls_total", track=track, prompt_version=version)
        for track, version in (("stable", "12"), ("canary", "13"))
    }
    assert sum(by_track.values()) == truth.total("agentic_task_calls_total") == 40
    assert 8 <= by_track["canary"] <= 32  # half of 40, six standard deviations of 3.2 are more than that


def test_a_killed_agent_takes_no_step_and_its_tasks_are_no_failures(place):
    place.commit("prod", Kill(request=request("loops"), target=Target(agent="executor")))
    share = run(place, tasks=10)
    assert share.truth.total("agentic_agent_calls_total", agent_name="executor") == 0
    assert share.truth.total("agentic_agent_calls_total", agent_name="planner") > 0
    assert share.outcomes["cancelled"] >= 9  # one in 200 ends before the executor, at a person


def test_a_killed_tool_is_not_called(place):
    place.commit("prod", Kill(request=request("leaks"), target=Target(tool="order_lookup")))
    share = run(place, tasks=30)
    assert share.truth.total("agentic_tool_calls_total", tool_name="order_lookup") == 0
    assert share.truth.total("agentic_tool_calls_total", tool_name="kb_search") > 0
    assert share.outcomes["cancelled"] > 0


def test_a_version_that_does_not_exist_here_is_named(place, built):
    healthy = built["healthy"].release
    executor = healthy.agents["executor"]
    model = executor.model.model_copy(update={"id": "gpt-9"})
    agents = {**healthy.agents, "executor": executor.model_copy(update={"model": model})}
    other = healthy.model_copy(update={"agents": agents})
    place.store.add_release(other, dict(built["healthy"].texts))
    place.commit("prod", Promote(request=request(), release=other.id))
    with pytest.raises(UnknownVersionError, match="no model 'gpt-9' here; there are sim-small-1"):
        run(place, tasks=1)
