"""The way back is tried and leaves nothing behind; what the history says is evidence that the checklist takes."""

import pytest
import yaml
from support.delivered import ENVIRONMENT, Desk, release, request

from delivery.checklist import evidence
from delivery.environments.library import Library
from delivery.environments.operations import Start
from delivery.errors import RefusedError
from delivery.rehearsal import VIA, rehearse
from runbooks.checklist import evidence as reading

NEW = release(planner="13", search="4.0.0", model="gpt-5", graph="8")


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "store")
    desk.promote(release())
    desk.promote(NEW)
    return desk


def tried(desk, settled=lambda _: None):
    return [*rehearse(Library(desk.store, ENVIRONMENT), desk.head, request(), desk.do, settled)]


def test_every_dimension_goes_back_and_forth_and_nothing_is_left_behind(desk):
    seen = []

    def settled(_):
        running = desk.running
        planner = running.agents["planner"]
        versions = (planner.prompt.version, planner.model.id, planner.tools["search"].version, running.graph.version)
        seen.append(versions)

    before = desk.head.state
    places = [one.place.title for one in tried(desk, settled)]
    assert places == ["model of executor", "tool search", "prompt of planner", "model of planner", "graph"]
    now = ("13", "gpt-5", "4.0.0", "8")
    assert seen == [
        now, now, ("13", "gpt-5", "3.0.0", "8"), now, ("12", "gpt-5", "4.0.0", "8"), now,
        ("13", "gpt-4.1", "4.0.0", "8"), now, ("13", "gpt-5", "4.0.0", "7"), now,
    ]  # fmt: skip
    assert desk.head.state == before
    assert (desk.head.operation.kind, desk.head.operation.via) == ("rehearsed", VIA)


def test_nothing_before_it_or_a_canary_beside_it_is_refused(desk, tmp_path):
    alone = Desk(tmp_path / "alone")
    alone.promote(release())
    with pytest.raises(RefusedError, match="no way back to rehearse; fix: promote"):
        tried(alone)
    desk.do(Start(request=request(), release=desk.add(release(planner="14")), share=500))
    with pytest.raises(RefusedError, match="canary c3 runs in prod; end it first"):
        tried(desk)


def test_the_history_makes_evidence_that_the_checklist_reads(desk):
    tried(desk)
    made = evidence(desk.store, NEW.id, ENVIRONMENT, owner="grace")
    read = reading.parse(yaml.safe_dump(made), "evidence.yaml", NEW.name)
    assert read.problems == {}
    rollback = read.section("rollback", reading.Rollback)
    assert rollback.rehearsed.environment == ENVIRONMENT
    assert rollback.rehearsed.took_s > 0
    pins = {(pin.dimension, pin.name): pin.version for pin in read.section("versions", list)}
    assert pins[("prompt", "planner")] == "13"
    assert pins[("graph", "support")] == "8"


def test_evidence_of_a_release_that_is_to_come_says_what_runs_now_and_how_to_go_back(desk):
    coming = release(planner="14", search="5.0.0")
    desk.add(coming)
    made = evidence(desk.store, coming.id, ENVIRONMENT, owner="grace")
    planner = next(each for each in made["versions"] if each["name"] == "planner" and each["dimension"] == "prompt")
    assert (planner["version"], planner["previous"]) == ("14", "13")
    assert made["rollback"]["steps"]["tool"] == "agentobs release rollback --tool search -e prod"


def test_a_canary_is_evidence_with_its_share_and_how_long_it_ran(desk):
    made = release(planner="14")
    desk.do(Start(request=request(), release=desk.add(made), share=500))
    desk.promote(made)
    canary = evidence(desk.store, made.id, ENVIRONMENT, owner="grace")["canary"]
    assert (canary["percent"], canary["hold"]) == (5, "0.0h")
