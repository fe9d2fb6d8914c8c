"""What is decided about a canary: each rule by the smallest story in which it decides, and the stories beside it."""

from dataclasses import replace

import pytest
from support.canaries import Story, changed, plan

from alerts.catalogue import FAMILY_LEVEL, Severity
from alerts.statistics import Outcomes
from delivery.environments.state import SplitKind
from delivery.errors import DeliveryError, RefusedError
from delivery.releases.document import Dim
from delivery.rollout import (
    Acted,
    Action,
    Effect,
    Ledger,
    Sides,
    Standing,
    Watched,
    begin,
    from_json,
    resumed,
    to_json,
)

HEALTHY = ((12, 285), (1, 15))
GOOD = ((12, 285), (0, 15))
BAD = ((12, 285), (8, 15))
MINUTE = 4
FIRST_LOOK = 20  # five minutes, in which 300 sessions came


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_canary_as_good_as_stable_moves_on_after_its_sample(story):
    waiting = story.looks(FIRST_LOOK - 1, *GOOD)
    assert (waiting.action, waiting.share, waiting.missing) == (
        Action.HOLD, 500, ("5 min of at least 5 min on this step",),
    )  # fmt: skip
    decision = story.look(*GOOD)
    assert (decision.action, decision.share) == (Action.ADVANCE, 2000)
    assert decision.reasons == ("300 sessions on this step, and each of 1 guardrails is surely good enough",)
    assert (decision.sessions, decision.sessions_needed) == (300, 200)


def test_few_sessions_decide_nothing_however_good(story):
    decision = story.looks(199, (1, 19), (0, 1))
    assert (decision.action, decision.missing) == (Action.HOLD, ("199 of 200 sessions of the canary on this step",))
    assert story.look((1, 19), (0, 1)).action is Action.ADVANCE


def test_a_sample_counts_sessions_not_tasks():
    story = Story(plan(tasks_per_session=6))
    waiting = story.looks(79, *GOOD)
    assert waiting.missing == ("198 of 200 sessions of the canary on this step",)
    assert story.look(*GOOD).action is Action.ADVANCE


def test_a_new_share_counts_its_sessions_anew_but_keeps_the_evidence(story):
    story.looks(FIRST_LOOK, *GOOD)
    story.share = 2000
    decision = story.look((10, 240), (2, 60))
    assert (decision.action, decision.sessions) == (Action.HOLD, 60)
    assert decision.findings[0].canary == Outcomes(2, 360)


def test_after_the_last_step_it_can_be_promoted():
    story = Story(share=5000)
    decision = story.looks(FIRST_LOOK, (6, 150), (6, 150))
    assert (decision.action, decision.share, decision.notify) == (Action.PROMOTABLE, 5000, Severity.TICKET)


def test_a_step_that_is_not_good_enough_is_asked_about_again_at_twice_the_sessions(story):
    """Asked at each look it would pass by chance sooner or later."""
    decision = story.looks(FIRST_LOOK, (8, 190), (0.9, 10))
    assert (decision.action, decision.missing) == (Action.HOLD, ("200 of 400 sessions of the canary on this step",))
    assert decision.sessions_needed == 400
    assert decision.reasons[0].endswith("at most 7.8 points worse with 90% certainty, less than 5 are needed")
    asked = [story.look((8, 190), (0, 10)) for _ in range(FIRST_LOOK)]
    assert [each.action for each in asked] == [*[Action.HOLD] * (FIRST_LOOK - 1), Action.ADVANCE]
    assert asked[-2].findings[0].standing is Standing.GOOD


def test_a_canary_with_all_sessions_has_nothing_to_be_compared_with():
    decision = Story(share=10_000).looks(2 * FIRST_LOOK, (0, 0), (12, 300))
    assert (decision.action, decision.findings[0].bound, decision.findings[0].e_value) == (Action.HOLD, 1, 1)


def test_one_error_of_a_new_canary_is_not_enough(story):
    assert story.look((0, 20), (1, 1)).action is Action.HOLD
    assert story.look((0, 20), (1, 1)).action is Action.HOLD
    assert story.look((0, 20), (1, 1)).action is Action.HOLD


def test_a_canary_that_is_worse_beyond_chance_is_rolled_back_and_locked(story):
    decision = story.look(*BAD)
    assert (decision.action, decision.share, decision.notify) == (Action.ROLL_BACK, 0, Severity.PAGE)
    assert decision.lock
    (finding,) = decision.findings
    assert (finding.canary, finding.stable) == (Outcomes(8, 15), Outcomes(12, 285))
    assert finding.e_value > finding.needed == 1 / FAMILY_LEVEL
    stored = decision.document()
    assert (stored["action"], stored["reasons"]) == ("roll back", [*decision.reasons])
    assert stored["findings"][0]["canary"] == {"bad": 8, "events": 15}
    assert decision.reasons[0].startswith("Task success: canary 8 bad of 15 (53.3%), stable 12 bad of 285 (4.2%): ")


def test_what_was_decided_for_good_stays_decided(story):
    decision = story.looks(2, *BAD)
    assert story.looks(50, *GOOD) == decision
    assert story.read(None) == decision


def test_the_level_is_shared_by_the_guardrails_that_roll_back():
    five = plan("task_success", "agent_success", "tool_success", "evaluation_pass", "hallucination", "task_latency")
    assert [round(1 / five.level(g)) for g in (Effect.ROLL_BACK, Effect.PAUSE)] == [500, 100]


def test_one_violation_that_reached_a_user_is_enough_where_stable_lets_none_through():
    story = Story(plan("task_success", "violations_passed", past=0))
    assert story.look((0, 19), (0, 1), violations_passed=((0, 19), (0, 1))).action is Action.HOLD
    decision = story.look((0, 19), (0, 1), violations_passed=((0, 19), (1, 1)))
    assert (decision.action, decision.share) == (Action.ROLL_BACK, 0)
    assert "1 from the canary reached a tool or a user, none from stable" in decision.reasons[0]
    assert decision.lock


def test_where_stable_lets_violations_through_too_the_canary_needs_more_of_them_than_chance():
    story = Story(plan("task_success", "violations_passed"))
    story.look((0, 19), (0, 1), violations_passed=((1, 19), (0, 1)))
    assert story.looks(100, (0, 19), (0, 1), violations_passed=((1, 19), (0.05, 1))).action is not Action.ROLL_BACK
    decision = story.looks(60, (0, 19), (0, 1), violations_passed=((1, 19), (0.7, 1)))
    assert decision.action is Action.ROLL_BACK
    assert "evidence" in decision.reasons[0]


def test_what_stable_let_through_in_the_day_before_counts_too():
    story = Story(plan("task_success", "violations_passed", past=0.01))
    assert story.look((0, 19), (0, 1), violations_passed=((0, 19), (1, 1))).action is Action.HOLD


@pytest.mark.parametrize("key", ["task_latency", "task_cost", "request_tokens", "tool_retries"])
def test_what_wakes_nobody_pauses_until_a_person_has_looked(key):
    story = Story(plan("task_success", key))
    paused = story.looks(FIRST_LOOK, *GOOD, **{key: BAD})
    assert (paused.action, paused.share, paused.notify) == (Action.PAUSE, 500, Severity.TICKET)
    # Better counts do not take it back, a person does.
    assert story.looks(400, *GOOD).action is Action.PAUSE
    story.state = story.state.accepting([key])
    decision = story.look(*GOOD)
    assert decision.action is Action.ADVANCE
    assert {f.key: f.standing for f in decision.findings}[key] is Standing.ACCEPTED


def test_a_paused_canary_is_still_rolled_back():
    story = Story(plan("task_success", "task_cost"))
    assert story.looks(FIRST_LOOK, *GOOD, task_cost=BAD).action is Action.PAUSE
    assert story.looks(60, *BAD).action is Action.ROLL_BACK


@pytest.mark.parametrize("per_look", [(0, 0), (0, 9.4), (0, 9.6)])  # 19.8 and 20.2 tasks are due in 40 looks
def test_no_traffic_of_the_canary_holds_and_then_ends_it_without_blame(story, per_look):
    story.look(*GOOD)
    quiet = story.looks(10 * MINUTE - 1, per_look, (0, 0))
    assert quiet.action is Action.HOLD
    decision = story.look(per_look, (0, 0))
    # No traffic at all is a quiet night, whoever is on which track.
    expected = Action.END if per_look[1] > 9.5 else Action.HOLD
    assert (decision.action, decision.lock) == (expected, False)


def test_a_canary_that_is_due_hardly_any_task_is_not_silent():
    story = Story(share=1)
    assert story.looks(30 * MINUTE, (1, 20), (0, 0)).action is Action.HOLD


def test_an_answer_that_does_not_come_never_advances_and_pages_after_five_minutes(story):
    story.looks(FIRST_LOOK - 1, *GOOD)
    silent = [story.read(None) for _ in range(5 * MINUTE)]
    assert {decision.action for decision in silent} == {Action.HOLD}
    assert [decision.notify for decision in silent] == [*[None] * (5 * MINUTE - 1), Severity.PAGE]
    # What happened meanwhile comes with the first answer and counts.
    assert story.look((0, 2000), (60, 100)).action is Action.ROLL_BACK


def test_the_first_look_after_a_start_does_not_advance_without_an_answer():
    """Everything is good, no time has passed for the new process, and nothing answers."""
    story = Story(plan("task_success", "task_cost"))
    assert story.looks(FIRST_LOOK, *GOOD, task_cost=BAD).action is Action.PAUSE
    story.state = story.state.accepting(["task_cost"])
    held = story.read(None, elapsed_s=0.0)
    assert (held.action, held.reasons[0][:24]) == (Action.HOLD, "no counts to trust for 0")
    assert story.look(*GOOD, elapsed_s=0.0).action is Action.ADVANCE


def test_an_empty_answer_is_no_zero(story):
    """A selector that matches nothing: the canary stays where it is, and none of it looks good."""
    story.looks(FIRST_LOOK - 1, *GOOD)
    empty = [story.read({}) for _ in range(30)]
    assert {decision.action for decision in empty} == {Action.HOLD}
    assert empty[-1].missing == ("Task success has no series any more: unknown is not good",)
    assert empty[-1].findings[0].canary == Outcomes(0, 285)


def test_a_guardrail_without_series_stops_the_canary_and_only_that():
    story = Story(plan("task_success", "hallucination"))
    held = story.looks(2 * FIRST_LOOK, *GOOD, missing=("hallucination",))
    assert (held.action, held.reasons) == (
        Action.HOLD, ("Hallucination rate has no series any more: unknown is not good",),
    )  # fmt: skip
    assert story.look(*GOOD).action is Action.ADVANCE


def test_a_guardrail_is_silent_two_minutes_after_its_last_event_while_tasks_end():
    story = Story(plan("task_success", "evaluation_pass"))
    story.looks(FIRST_LOOK, *GOOD)
    quiet = [story.look(*GOOD, evaluation_pass=((0, 0), (0, 0))).findings[1].standing for _ in range(2 * MINUTE)]
    assert [standing is Standing.SILENT for standing in quiet] == [*[False] * (2 * MINUTE - 1), True]
    assert story.look(*GOOD).findings[1].standing is Standing.GOOD
    # When no tasks end, nothing is due of any guardrail.
    assert story.looks(9 * MINUTE).findings[1].standing is Standing.GOOD


def test_a_guardrail_without_events_is_never_called_good():
    story = Story(plan("task_success", "evaluation_pass"))
    story.looks(FIRST_LOOK, *GOOD, evaluation_pass=((0, 0), (0, 0)))
    held = story.look(*GOOD, evaluation_pass=((0, 0), (0, 0)))
    assert held.action is Action.HOLD
    assert held.reasons == ("Evaluations passed: tasks end, but nothing was counted for 5 min",)
    # Scores of stable alone say nothing of the canary.
    held = story.look(*GOOD, evaluation_pass=((10, 200), (0, 0)))
    assert (held.action, held.findings[1].bound) == (Action.HOLD, 1)


def test_missing_zero_and_bad_are_three_things():
    looked = {
        "missing": Story().read({}),
        "zero": Story().look((1, 20), (0, 0)),
        "bad": Story().look((1, 20), (5, 5)),
    }
    found = {name: (d.findings[0].standing, d.findings[0].canary) for name, d in looked.items()}
    assert found == {
        "missing": (Standing.MISSING, Outcomes(0, 0)),
        "zero": (Standing.OPEN, Outcomes(0, 0)),
        "bad": (Standing.WORSE, Outcomes(5, 5)),
    }


def test_fewer_tasks_than_before_are_no_news(story):
    """A store that lost some, or was asked for an earlier time: nothing is negative, and nothing counts twice."""
    story.looks(10, *GOOD)
    full = dict(story.counts)
    half = {"task_success": Sides(Outcomes(60, 1400), Outcomes(0, 70))}
    fell = [story.read(half) for _ in range(5 * MINUTE)]
    assert {decision.action for decision in fell} == {Action.HOLD}
    assert [decision.notify for decision in fell][-2:] == [None, Severity.PAGE]
    assert story.read(full).findings[0].stable == Outcomes(120, 2850)


@pytest.mark.parametrize("wobble", [0.4, 5, 25])
def test_a_store_that_guesses_a_little_less_is_believed_and_counts_stay(story, wobble):
    story.looks(10, *GOOD)
    (sides,) = story.counts.values()
    less = Sides(Outcomes(sides.stable.bad - 0.4, sides.stable.events - wobble), sides.canary)
    decision = story.read({"task_success": less})
    assert decision.findings[0].stable == Outcomes(120, 2850)
    assert "sessions" in decision.missing[0]


def test_bad_events_are_never_more_than_events(story):
    story.look((0, 10), (0, 1))
    odd = Sides(Outcomes(0, 20), Outcomes(9, 2))
    assert story.read({"task_success": odd}).findings[0].canary == Outcomes(1, 2)


INCIDENT = ((150, 285), (9, 15))


def test_what_breaks_on_both_tracks_is_an_incident_and_blames_nobody(story):
    story.looks(FIRST_LOOK, *GOOD)
    decision = story.looks(2 * MINUTE, *INCIDENT)
    assert (decision.action, decision.notify, decision.lock) == (Action.HOLD, Severity.PAGE, False)
    assert decision.reasons[0].startswith("Task success is below its objective on both tracks: an incident")
    assert story.looks(2 * FIRST_LOOK, *INCIDENT).action is Action.HOLD


@pytest.mark.parametrize(("events", "standing"), [(9, Standing.OPEN), (10, Standing.BOTH_BAD)])
def test_an_incident_has_as_many_events_as_any_verdict(story, events, standing):
    assert story.look((events, events), (1, 1)).findings[0].standing is standing


def test_an_incident_of_one_guardrail_hides_no_other():
    story = Story(plan("task_success", "model_success"))
    story.looks(FIRST_LOOK, *HEALTHY)
    assert story.looks(3, *BAD, model_success=INCIDENT).action is Action.ROLL_BACK


def test_stable_that_never_kept_its_promise_does_not_protect_a_canary():
    """An agent that fails a third of its tasks every day has no incident, and a canary that fails all is worse."""
    story = Story(plan(past=0.33))
    assert story.looks(3, (95, 285), (15, 15)).action is Action.ROLL_BACK


def test_sessions_that_go_elsewhere_hold_the_canary(story):
    decision = story.looks(2 * FIRST_LOOK, (12, 285), (1, 40))
    assert decision.action is Action.HOLD
    assert "expected at 5.00%: sessions are not assigned as the share says" in decision.reasons[0]


@pytest.mark.parametrize(("canary", "size", "odd"), [(18, 1, True), (18, 6, False), (16.5, 1, False), (11, 1, True)])
def test_a_split_is_odd_beyond_what_sessions_scatter(canary, size, odd):
    """15 of 300 are due; after 32 looks 18 are 4 standard errors of single tasks more, and 1.3 of sessions of six."""
    decision = Story(plan(tasks_per_session=size)).looks(2 * FIRST_LOOK, (0, 285), (0, canary))
    assert ("sessions are not assigned" in decision.reasons[0]) is odd


@pytest.mark.parametrize(("looks", "odd"), [(9, False), (11, True)])
def test_of_few_tasks_no_split_is_odd(looks, odd):
    """At 1 %, with half a task due at each look: five are due in ten looks."""
    story = Story(share=100)
    story.looks(2 * MINUTE, (2, 50), (0, 0))
    held = story.looks(looks, (2, 48), (0, 2))
    assert ("sessions are not assigned" in held.reasons[0]) is odd


def test_tasks_that_began_before_a_new_share_make_no_odd_split(story):
    story.looks(FIRST_LOOK, *GOOD)
    story.share = 5000
    story.looks(2 * MINUTE, *GOOD)
    decision = story.looks(MINUTE, (6, 150), (6, 150))
    assert decision.missing == ("3 min of at least 5 min on this step",)


@pytest.mark.parametrize(
    ("acted", "refused"),
    [
        ((), None),
        ((Acted(("executor",), 29 * 60),), "executor had an automatic action in the last 30 min"),
        ((Acted(("executor",), 31 * 60),), None),
        ((Acted(("planner",), 60),), None),
        ((Acted(("a",), 60), Acted(("b",), 5 * 3600)), "this environment had 2 automatic actions in the last 6 h"),
        ((Acted(("a",), 60), Acted(("b",), 6 * 3600)), None),
    ],
)
def test_a_machine_acts_only_so_often_then_a_person_decides(acted, refused):
    decision = Story(ledger=Ledger(acted)).looks(2, *BAD)
    assert decision.action is (Action.PAUSE if refused else Action.ROLL_BACK)
    if refused:
        assert decision.reasons[0] == f"it would be rolled back, but {refused}: a person decides"
        assert decision.notify is Severity.PAGE


def test_limits_age_by_the_looks_and_end():
    ledger = Ledger().and_now(("executor",))
    assert ledger.refusal(("executor", "planner")) is not None
    assert ledger.after(1800).refusal(("executor",)) is None
    assert ledger.after(6 * 3600) == Ledger()


@pytest.mark.parametrize("elapsed_s", [-86_400.0, 0.0, 86_400.0])
def test_a_clock_that_jumps_by_a_day_decides_nothing(elapsed_s):
    plain, jumped = Story(), Story()
    for story, seconds in ((plain, 15.0), (jumped, elapsed_s)):
        story.looks(30, (12, 285), (0, 14))
        story.look((0, 0), (0, 0), elapsed_s=seconds)
        story.looks(2, (12, 285), (0, 14))
    decisions = [story.look((12, 285), (0, 14)) for story in (plain, jumped)]
    assert decisions[0] == decisions[1]


def test_ab_finds_both_ways_promotes_nothing_and_still_guards():
    good = Story(plan(kind=SplitKind.AB, past=0.3), share=5000)
    better = good.looks(FIRST_LOOK, (45, 150), (6, 150))
    assert better.action is Action.HOLD
    assert better.reasons[0].startswith("Task success is better: canary 120 bad of 3,000")
    alike = Story(plan(kind=SplitKind.AB), share=5000).looks(10 * FIRST_LOOK, (6, 150), (6, 150))
    assert alike.reasons == ("no difference beyond chance so far; an A/B comparison promotes nothing",)
    assert Story(plan(kind=SplitKind.AB), share=5000).looks(3, (6, 150), (45, 150)).action is Action.ROLL_BACK
    assert plan(kind=SplitKind.AB).level(Effect.ROLL_BACK) == FAMILY_LEVEL / 2


@pytest.mark.parametrize(
    "change",
    [
        {"candidate": "b00000000000"},
        {"stable": "b00000000000"},
        {"id": "c8"},
        {"changes": (changed(Dim.PROMPT, "14", agent="executor"),)},
        {"kind": SplitKind.AB},
    ],
)
def test_another_candidate_begins_from_zero(story, change):
    story.looks(FIRST_LOOK, *GOOD)
    same, other = plan(), replace(plan(), **change)
    assert resumed(same, 500, story.state) == story.state
    assert resumed(other, 500, story.state) == begin(other, 500)
    assert resumed(same, 500, None) == begin(same, 500)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": SplitKind.SHADOW}, "a shadow answers nobody"),
        ({"candidate": "3f9ac1d07b52"}, "is the stable release"),
        ({"shares": ()}, "its shares are ()"),
        ({"shares": (500, 500)}, "each larger"),
        ({"shares": (0, 500)}, "a share of 0 %"),
        ({"shares": (-500, 500)}, "a share of -5 %"),
        ({"shares": (500, 10_001)}, "a share of 100.01 %"),
        ({"watched": {"task_success": Watched(), "happiness": Watched()}}, "nothing is guarded by happiness"),
        ({"watched": {"hallucination": Watched()}}, "task_success has no series in prod"),
        ({"tasks_per_session": 0.5}, "sample makes no sense"),
    ],
)
def test_a_rollout_that_cannot_be_is_refused(change, named):
    with pytest.raises(RefusedError, match="expected") as caught:
        replace(plan(), **change)
    assert named in str(caught.value)


@pytest.mark.parametrize("document", [None, {}, {"key": 3}, "x", {**to_json(begin(plan(), 500)), "watches": {"a": 1}}])
def test_stored_evidence_that_cannot_be_read_is_named(document):
    with pytest.raises(DeliveryError, match=r"stored evidence of a canary cannot be read: .*fix: end this canary"):
        from_json(document)
