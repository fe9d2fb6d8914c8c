"""What may be done to an environment, what not, and what each operation leaves as it was."""

import pytest
from support.delivered import Desk, release, request, sha

from delivery.environments.operations import (
    End,
    Freeze,
    Kill,
    LockOut,
    Promote,
    Resume,
    RollBackRelease,
    Share,
    Start,
    Target,
    Thaw,
    Unlock,
)
from delivery.environments.state import Lock, SplitKind
from delivery.errors import ConflictError, DeliveryError, RefusedError
from delivery.releases import Dim, ToolPin


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "store")
    desk.promote(release())
    return desk


def start(desk, made, share=500, **more):
    return desk.do(Start(request=request(), release=desk.add(made), share=share, **more))


def test_the_first_promotion_is_revision_one_and_the_audit_says_who_and_why(desk):
    head = desk.head
    assert (head.revision, head.previous, head.stable.release) == (1, None, release().id)
    assert (head.operation.kind, head.operation.by, head.operation.reason) == ("promote", "ada", "because")


@pytest.mark.parametrize(
    ("dimension", "to", "place", "expected"),
    [
        (Dim.PROMPT, "12", {"agent": "planner"}, {"planner": "12"}),
        (Dim.PROMPT, "4", {"agent": "executor"}, {"executor": "4"}),
        (Dim.TOOL, "3.0.0", {"tool": "search"}, {"search": "3.0.0"}),
        (Dim.GRAPH, "7", {}, {"graph": "7"}),
    ],
)
def test_one_dimension_goes_back_and_the_others_stay(desk, dimension, to, place, expected):
    everything = {"planner": "13", "executor": "5", "search": "4.0.0", "graph": "8"}
    desk.promote(release(**everything))
    desk.roll_back(dimension, to, **place)
    back = release(**{**everything, **expected})
    assert desk.running.agents == back.agents
    assert desk.running.graph == back.graph


def test_a_model_goes_back_for_one_agent_alone(desk):
    desk.promote(release(model="gpt-5"))
    desk.roll_back(Dim.MODEL, "gpt-4.1", agent="planner")
    models = {name: agent.model.id for name, agent in desk.running.agents.items()}
    assert models == {"planner": "gpt-4.1", "executor": "gpt-5"}


def test_four_dimensions_go_back_one_after_the_other_to_the_old_release(desk):
    desk.promote(release(planner="13", search="4.0.0", model="gpt-5", graph="8"))
    desk.roll_back(Dim.PROMPT, "12", agent="planner")
    desk.roll_back(Dim.TOOL, "3.0.0", tool="search")
    desk.roll_back(Dim.GRAPH, "7")
    for agent in ("planner", "executor"):
        desk.roll_back(Dim.MODEL, "gpt-4.1", agent=agent)
    assert (desk.running.agents, desk.running.graph) == (release().agents, release().graph)
    assert [lock.title for lock in desk.head.locked] == [
        "prompt 13 of planner", "tool 4.0.0 of search", "graph 8", "model gpt-5 of planner", "model gpt-5 of executor"
    ]  # fmt: skip


def test_forward_to_what_the_release_says_leaves_no_override(desk):
    desk.promote(release(planner="13"))
    desk.roll_back(Dim.PROMPT, "12", agent="planner")
    lock = desk.head.locked[0]
    desk.do(Unlock(request=request(), lock=lock))
    desk.roll_back(Dim.PROMPT, "13", agent="planner")
    assert desk.head.stable.overrides == {}


def test_a_tool_goes_back_for_one_of_its_users_when_asked(desk):
    desk.promote(release(search="4.0.0"))
    desk.roll_back(Dim.TOOL, "3.0.0", agent="planner", tool="search")
    versions = {name: agent.tools["search"].version for name, agent in desk.running.agents.items()}
    assert versions == {"planner": "3.0.0", "executor": "4.0.0"}


def test_tools_of_one_server_and_version_go_back_together_and_others_stay(desk):
    def pins(version: str, fetch: str) -> dict[str, ToolPin]:
        def pin(tool: str, server: str, at: str) -> ToolPin:
            return ToolPin(version=at, schema_sha256=sha(f"{tool} {at}"), server=server)

        return {
            "search": pin("search", "kb", version),
            "read": pin("read", "kb", version),
            "fetch": pin("fetch", "web", fetch),
            **({"new": pin("new", "kb", version)} if version == "4.0.0" else {}),
        }

    for version, fetch in (("3.0.0", "4.0.0"), ("4.0.0", "4.0.0")):
        made = release(name=f"tools-{version}")
        planner = made.agents["planner"].model_copy(update={"tools": pins(version, fetch)})
        desk.promote(made.model_copy(update={"agents": {**made.agents, "planner": planner}}))
    desk.roll_back(Dim.TOOL, "3.0.0", agent="planner", tool="search")
    versions = {tool: pin.version for tool, pin in desk.running.agents["planner"].tools.items()}
    # `fetch` is of another server, `new` was not there in 3.0.0.
    assert versions == {"search": "3.0.0", "read": "3.0.0", "fetch": "4.0.0", "new": "4.0.0"}
    assert [lock.title for lock in desk.head.locked] == [
        "tool 4.0.0 of search of planner",
        "tool 4.0.0 of read of planner",
    ]


@pytest.mark.parametrize(
    ("dimension", "to", "place", "match"),
    [
        (Dim.PROMPT, "99", {"agent": "planner"}, "no release has version 99 as prompt of planner; known: 12"),
        (Dim.PROMPT, "12", {"agent": "planner"}, "prompt of planner is 12 already"),
        (Dim.PROMPT, "12", {"agent": "nobody"}, "no agent 'nobody'; it has executor, planner"),
        (Dim.TOOL, "3.0.0", {"tool": "fetch"}, "uses a tool 'fetch'; tools: search"),
        (Dim.TOOL, "3.0.0", {"tool": "fetch", "agent": "planner"}, "no tool 'fetch'"),
    ],
)
def test_a_rollback_to_what_is_not_known_is_refused_by_name(desk, dimension, to, place, match):
    with pytest.raises(DeliveryError, match=match):
        desk.roll_back(dimension, to, **place)
    assert desk.head.revision == 1


def test_a_rollback_that_expects_another_version_is_a_conflict_that_says_what_is_there(desk):
    desk.promote(release(planner="13"))
    desk.promote(release(planner="14"))
    with pytest.raises(ConflictError, match="is 14 by now, not 13"):
        desk.roll_back(Dim.PROMPT, "12", agent="planner", expect="13")


def test_two_contents_of_one_version_are_no_target(desk):
    desk.promote(release(schema="secretly other", graph="8"))
    desk.promote(release(search="4.0.0"))
    with pytest.raises(RefusedError, match=r"3\.0\.0 has 2 contents"):
        desk.roll_back(Dim.TOOL, "3.0.0", tool="search")


def test_what_was_rolled_back_does_not_come_again_until_a_person_unlocks_it(desk):
    bad = release(planner="13")
    desk.promote(bad)
    desk.roll_back(Dim.PROMPT, "12", agent="planner")
    for operation in (
        Promote(request=request(), release=bad.id),
        Start(request=request(), release=bad.id, share=500),
    ):
        with pytest.raises(
            RefusedError,
            match=r"prompt 13 of planner, which is locked.*unlock 13 --dimension prompt --agent planner -e prod",
        ):
            desk.do(operation)
    with pytest.raises(RefusedError, match="only a person"):
        desk.do(Unlock(request=request(automatic=True), lock=desk.head.locked[0]))
    desk.do(Unlock(request=request(), lock=desk.head.locked[0]))
    assert start(desk, bad).changed


def test_a_locked_version_is_no_target_either(desk):
    desk.promote(release(planner="13"))
    lock = Lock(dimension=Dim.PROMPT, version="12", agent="planner", mark=request().mark)
    desk.do(LockOut(request=request(), lock=lock))
    with pytest.raises(RefusedError, match="prompt 12 of planner is locked"):
        desk.roll_back(Dim.PROMPT, "12", agent="planner")


def test_a_whole_release_goes_back_and_is_locked(desk):
    new = release(planner="13", search="4.0.0")
    desk.promote(new)
    desk.do(RollBackRelease(request=request(), to=release().id, expect=new.id))
    assert desk.running == release()
    with pytest.raises(RefusedError, match=f"release {new.id}, which is locked"):
        desk.promote(new)


class TestSplit:
    def test_a_canary_has_an_id_of_its_revision_and_keeps_its_salt_when_it_grows(self, desk):
        start(desk, release(planner="13"))
        split = desk.head.canary
        assert (split.id, split.salt, split.share, split.kind) == ("c2", "c2", 500, SplitKind.CANARY)
        desk.do(Share(request=request(), split_id="c2", share=2000))
        assert (desk.head.canary.salt, desk.head.canary.share) == ("c2", 2000)

    def test_another_candidate_is_another_canary(self, desk):
        start(desk, release(planner="13"))
        with pytest.raises(RefusedError, match=r"canary c2 .* is active"):
            start(desk, release(planner="14"))
        desk.do(End(request=request(), split_id="c2"))
        start(desk, release(planner="14"))
        assert desk.head.canary.id == "c4"

    @pytest.mark.parametrize("share", [0, -1, 10_001])
    def test_a_share_that_is_none_is_refused(self, desk, share):
        with pytest.raises(RefusedError, match=r"0\.01 to 100 %"):
            start(desk, release(planner="13"), share=share)

    def test_what_runs_already_is_no_canary(self, desk):
        with pytest.raises(RefusedError, match="nothing to compare"):
            start(desk, release(name="the-same-under-another-name"))

    def test_an_operation_on_a_canary_that_is_over_is_a_conflict(self, desk):
        with pytest.raises(ConflictError, match="no canary runs"):
            desk.do(End(request=request(), split_id="c2"))
        start(desk, release(planner="13"))
        with pytest.raises(ConflictError, match=r"runs c2 .*not c9"):
            desk.do(Share(request=request(), split_id="c9", share=2000))

    def test_promoting_the_canary_ends_it_and_promoting_another_is_refused(self, desk):
        made = release(planner="13")
        start(desk, made)
        with pytest.raises(RefusedError, match=r"c2 .* is active"):
            desk.promote(release(planner="14"))
        desk.promote(made)
        assert (desk.head.canary, desk.head.stable.release) == (None, made.id)

    def test_the_end_locks_the_one_version_that_it_changed(self, desk):
        start(desk, release(planner="13"))
        desk.do(End(request=request(), split_id="c2", lock=True))
        assert [lock.title for lock in desk.head.locked] == ["prompt 13 of planner"]

    def test_the_end_locks_the_release_where_it_changed_several(self, desk):
        made = release(planner="13", graph="8")
        start(desk, made)
        desk.do(End(request=request(), split_id="c2", lock=True))
        assert [lock.title for lock in desk.head.locked] == [f"release {made.id}"]
        assert start(desk, release(planner="13")).changed

    def test_a_rollback_of_what_the_canary_runs_too_ends_it(self, desk):
        desk.promote(release(planner="13"))
        start(desk, release(planner="13", graph="8"))
        desk.roll_back(Dim.PROMPT, "12", agent="planner")
        assert desk.head.canary is None

    def test_a_rollback_of_something_else_leaves_it(self, desk):
        desk.promote(release(planner="13"))
        start(desk, release(planner="14"))
        desk.roll_back(Dim.PROMPT, "12", agent="planner")
        assert desk.head.canary.id == "c3"


class TestStops:
    def test_a_kill_merges_with_others_and_a_resume_lifts_its_own(self, desk):
        desk.do(Kill(request=request("loops"), target=Target(agent="planner")))
        desk.do(Kill(request=request("leaks"), target=Target(tool="search")))
        desk.do(Kill(request=request("all"), target=Target()))
        desk.do(Resume(request=request(), target=Target(agent="planner")))
        killed = desk.head.killed
        assert (list(killed.agents), list(killed.tools), killed.everything.reason) == ([], ["search"], "all")
        with pytest.raises(RefusedError, match="planner is not killed by itself; killed: all agents, tool search"):
            desk.do(Resume(request=request(), target=Target(agent="planner")))

    def test_a_kill_survives_promotion_rollback_and_canary(self, desk):
        desk.do(Kill(request=request(), target=Target(agent="planner")))
        desk.promote(release(planner="13"))
        start(desk, release(planner="14"))
        desk.roll_back(Dim.PROMPT, "12", agent="planner")
        assert list(desk.head.killed.agents) == ["planner"]

    def test_a_second_kill_changes_nothing_and_keeps_who_was_first(self, desk):
        desk.do(Kill(request=request("first"), target=Target(agent="planner")))
        again = desk.do(Kill(request=request("second", by="bob"), target=Target(agent="planner")))
        assert (again.changed, desk.head.killed.agents["planner"].reason) == (False, "first")

    def test_before_anything_runs_a_kill_is_possible(self, tmp_path):
        empty = Desk(tmp_path)
        empty.do(Kill(request=request(), target=Target()))
        assert empty.head.killed.everything.by == "ada"

    def test_frozen_nothing_new_starts_but_rollback_and_kill_work(self, desk):
        desk.promote(release(planner="13"))
        start(desk, release(planner="14"))
        desk.do(Freeze(request=request("holidays")))
        for refused in (
            lambda: desk.promote(release(planner="15")),
            lambda: desk.do(Share(request=request(), split_id="c3", share=600)),
            lambda: desk.do(Freeze(request=request())),
        ):
            with pytest.raises(RefusedError, match=r"frozen.*holidays"):
                refused()
        desk.do(Share(request=request(), split_id="c3", share=400))
        desk.roll_back(Dim.PROMPT, "12", agent="planner")
        desk.do(Kill(request=request(), target=Target()))
        desk.do(Thaw(request=request()))
        with pytest.raises(RefusedError, match="not frozen"):
            desk.do(Thaw(request=request()))


def test_nothing_runs_yet_is_said_with_the_way_to_change_it(tmp_path):
    empty = Desk(tmp_path)
    empty.add(release())
    for operation in (
        Start(request=request(), release=release().id, share=500),
        RollBackRelease(request=request(), to=release().id),
    ):
        with pytest.raises(RefusedError, match="nothing runs"):
            empty.do(operation)


def test_the_same_request_twice_is_done_once(desk):
    desk.promote(release(planner="13"))
    first = desk.roll_back(Dim.PROMPT, "12", agent="planner", id="alert 1290d9 2026-12-01T10:00:00Z")
    again = desk.roll_back(Dim.PROMPT, "12", agent="planner", id="alert 1290d9 2026-12-01T10:00:00Z")
    assert (first.changed, again.changed, again.revision) == (True, False, first.revision)
