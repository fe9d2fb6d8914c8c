"""One look at a canary: from what is known and what is new to what to do. Pure, without a clock.

In this order, the first that holds decides:

1. what was decided for good stays decided;
2. no answer, or one with fewer tasks than before: hold, and tell people after five minutes;
3. a violation that reached a user, where stable lets none through: roll back, whatever the limits on automatic actions;
4. a guardrail that rolls back is worse beyond chance: roll back, or pause where those limits refuse;
5. the canary has been silent while stable was not: end it, blame nobody;
6. a guardrail that pauses is worse beyond chance: pause;
7. anything unknown, odd or bad on both tracks: hold;
8. too few sessions, or not surely good enough: hold until the next look;
9. else advance, or say that it can be promoted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from alerts.catalogue import FAMILY_LEVEL, MIN_BAD, MIN_EVENTS, Severity
from alerts.catalogue.model import MINUTE
from alerts.statistics import Outcomes, chance_beyond, chance_of_split, design_effect, highest_worsening
from delivery.environments.state import SplitKind
from delivery.rollout import words
from delivery.rollout.decision import FINAL, Action, Decision, Finding, Standing
from delivery.rollout.evidence import Tick, Watch
from delivery.rollout.guardrails import GUARDRAILS, TASKS, Effect, Guardrail
from delivery.rollout.limits import Ledger
from delivery.rollout.plan import SURE, Plan
from delivery.rollout.state import State

UNANSWERED_S: Final = 5 * MINUTE
SILENT_S: Final = 2 * MINUTE
QUIET_S: Final = 10 * MINUTE
QUIET_SESSIONS: Final = 20
"""So many sessions the canary should have had before its silence is called one. Tasks of a session come and stay away
together; of single ones it would get none by chance once in 480 million looks."""
STEP_S: Final = 5 * MINUTE
"""What comes late (scores, slow tasks) gets so much time on each step, however much traffic there is."""
ODD_SPLIT: Final = 0.001
"""The chance of a split below which it is called odd."""
_FEW_DUE: Final = 5.0  # sessions of the canary below which chi-square says nothing (Cochran 1954)


@dataclass(frozen=True, slots=True)
class Looked:
    """A decision, and the state to store before anything is done about it."""

    decision: Decision
    state: State


def decide(plan: Plan, state: State, tick: Tick, ledger: Ledger) -> Looked:
    """Look once. `state` is this plan's (`state.resumed`), `ledger` has the automatic actions of its environment."""
    if state.verdict is not None:
        return Looked(state.verdict, state)
    state = state.after(tick)
    findings = tuple(_finding(plan, state, key, watch) for key, watch in state.watches.items())
    made = _decision(plan, state, findings, ledger)
    # A look that found it not good enough is spent: the next one is at twice the sessions.
    spent = made.action is Action.HOLD and _is_spent(plan, state, findings)
    broken = tuple(finding.key for finding in findings if finding.standing is Standing.WORSE)
    state = replace(state, looked=state.looked + spent, broken=broken)
    shown = replace(
        made,
        findings=findings,
        sessions=state.step_tasks / plan.tasks_per_session,
        sessions_needed=_next_look(plan, state),
    )
    return Looked(shown, replace(state, verdict=shown if shown.action in FINAL else None))


def _decision(plan: Plan, state: State, findings: Sequence[Finding], ledger: Ledger) -> Decision:
    if not state.answered:
        page = Severity.PAGE if state.unanswered_s >= UNANSWERED_S else None
        return _hold(state, [words.unanswered(state.unanswered_s)], page)
    worse = [finding for finding in findings if finding.standing is Standing.WORSE]
    return (
        _taken_away(plan, state, worse, ledger)
        or _paused(state, worse)
        or _held(plan, state, findings)
        or _grown(plan, state, findings)
    )


def _hold(state: State, reasons: Sequence[str], notify: Severity | None = None, missing: str = "") -> Decision:
    return Decision(
        action=Action.HOLD,
        share=state.share,
        reasons=tuple(reasons),
        missing=(missing,) if missing else tuple(reasons),
        notify=notify,
    )


def _taken_away(plan: Plan, state: State, worse: Sequence[Finding], ledger: Ledger) -> Decision | None:
    """Rolled back, or ended without blame."""
    harmful = [finding for finding in worse if finding.effect is Effect.ROLL_BACK]
    if harmful:
        reasons = tuple(words.worse(finding) for finding in harmful)
        refusal = None if any(finding.at_once for finding in harmful) else ledger.refusal(plan.agents)
        if refusal:
            reasons = (f"it would be rolled back, but {refusal}: a person decides", *reasons)
            return Decision(action=Action.PAUSE, share=state.share, reasons=reasons, notify=Severity.PAGE)
        return Decision(action=Action.ROLL_BACK, share=0, reasons=reasons, notify=Severity.PAGE, lock=True)
    if state.quiet_s >= QUIET_S and state.quiet_expected >= QUIET_SESSIONS * plan.tasks_per_session:
        reason = words.quiet(state.quiet_s, state.quiet_expected)
        return Decision(action=Action.END, share=0, reasons=(reason,), notify=Severity.TICKET)
    return None


def _paused(state: State, worse: Sequence[Finding]) -> Decision | None:
    reasons = tuple(words.worse(finding) for finding in worse)
    if not reasons:
        return None
    return Decision(action=Action.PAUSE, share=state.share, reasons=reasons, notify=Severity.TICKET)


def _held(plan: Plan, state: State, findings: Sequence[Finding]) -> Decision | None:
    both = [words.both_bad(finding) for finding in findings if finding.standing is Standing.BOTH_BAD]
    if both:
        return _hold(state, both, Severity.PAGE)
    reasons = [*_unknown(state, findings), *_odd(plan, state)]
    return _hold(state, reasons) if reasons else None


def _unknown(state: State, findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        if finding.standing is Standing.MISSING:
            yield words.missing(finding)
        elif finding.standing is Standing.SILENT:
            yield words.silent(finding, state.watches[finding.key].silent_s)


def _odd(plan: Plan, state: State) -> Iterator[str]:
    """Whether tasks came to the canary as its share says. Sessions of any length (geometric) scatter more."""
    spread = 2 * plan.tasks_per_session - 1
    split = state.split
    if split.expected < _FEW_DUE * plan.tasks_per_session:
        return
    if chance_of_split(split.seen, split.expected, split.variance * spread) < ODD_SPLIT:
        yield words.odd_split(split.seen, split.expected, state.share)


def _grown(plan: Plan, state: State, findings: Sequence[Finding]) -> Decision:
    """What a canary gets that nothing speaks against."""
    if plan.kind is SplitKind.AB:
        return _compared(plan, state, findings)
    sessions, needed = state.step_tasks / plan.tasks_per_session, _next_look(plan, state)
    if sessions < needed:
        return _hold(state, [words.few(sessions, needed)])
    if state.step_s < STEP_S:
        return _hold(state, [words.early(state.step_s, STEP_S)])
    open_ = [words.not_sure(finding) for finding in findings if finding.standing is Standing.OPEN]
    if open_:
        return _hold(state, open_, missing=words.few(sessions, 2 * needed))
    share = plan.next_share(state.share)
    reasons = (words.good(sessions, len(findings)),)
    if share is None:
        return Decision(action=Action.PROMOTABLE, share=state.share, reasons=reasons, notify=Severity.TICKET)
    return Decision(action=Action.ADVANCE, share=share, reasons=reasons)


def _compared(plan: Plan, state: State, findings: Sequence[Finding]) -> Decision:
    """An A/B comparison: which side is better so far, for people to read."""
    better = [
        words.better(finding)
        for finding in findings
        if finding.better is not None and finding.better >= 1 / plan.level(finding.effect)
    ]
    return _hold(state, better or ["no difference beyond chance so far; an A/B comparison promotes nothing"])


def _next_look(plan: Plan, state: State) -> float:
    """Sessions of this step at which it is asked again whether it is good enough: twice as many each time.

    Asked at every tick, a canary that is too bad would sooner or later look good enough by chance.
    """
    return float(plan.sessions * 2**state.looked)


def _is_spent(plan: Plan, state: State, findings: Sequence[Finding]) -> bool:
    """Whether a canary that is held was asked if this step is good enough, and was not."""
    if plan.kind is SplitKind.AB or not state.answered or state.step_s < STEP_S:
        return False
    enough = state.step_tasks / plan.tasks_per_session >= _next_look(plan, state)
    return enough and _held(plan, state, findings) is None


def _finding(plan: Plan, state: State, key: str, watch: Watch) -> Finding:
    guardrail, seen = GUARDRAILS[key], watch.seen
    effect = design_effect(_cluster(plan, state, seen.events), plan.correlation)
    found = Finding(
        key=key,
        effect=guardrail.effect,
        standing=Standing.OPEN,
        stable=seen.stable,
        canary=seen.canary,
        design_effect=effect,
        e_value=watch.worse.e_value(effect),
        needed=1 / plan.level(guardrail.effect),
        bound=highest_worsening(seen.stable, seen.canary, effect, SURE),
        tolerance=guardrail.tolerance,
        better=watch.better.e_value(effect) if watch.better else None,
        at_once=guardrail.at_once and seen.stable.bad == 0 and plan.watched[key].past.bad == 0,
    )
    return replace(found, standing=_standing(plan, state, watch, found))


def _cluster(plan: Plan, state: State, events: float) -> float:
    """Events of a guardrail for one session: a task has several tool calls, a session several tasks."""
    tasks = state.watches[TASKS].seen.events
    return events / tasks * plan.tasks_per_session if tasks > 0 else plan.tasks_per_session


def _standing(plan: Plan, state: State, watch: Watch, found: Finding) -> Standing:
    guardrail = GUARDRAILS[found.key]
    is_worse = found.key in state.broken or (found.e_value >= found.needed and found.canary.bad >= MIN_BAD)
    cases = (
        (Standing.WORSE, found.at_once and found.canary.bad > 0),
        (Standing.GOOD, found.at_once),
        (Standing.ACCEPTED, found.key in state.accepted),
        (Standing.BOTH_BAD, _both_bad(guardrail, watch, plan.watched[found.key].past)),
        (Standing.WORSE, is_worse),
        (Standing.MISSING, not watch.there),
        (Standing.SILENT, watch.silent_s >= SILENT_S),
        (Standing.GOOD, found.bound < found.tolerance),
    )
    return next((standing for standing, holds in cases if holds), Standing.OPEN)


def _both_bad(guardrail: Guardrail, watch: Watch, past: Outcomes) -> bool:
    """Whether stable broke its promise too, beyond chance and not only as it always did: then no canary is to blame."""
    if guardrail.promise is None:
        return False
    lately = watch.lately
    if lately.stable.events < MIN_EVENTS or min(lately.stable.share, lately.canary.share) <= guardrail.promise:
        return False
    if past.events > 0 and lately.stable.share <= past.share + guardrail.tolerance:
        return False
    return chance_beyond(lately.stable.bad, lately.stable.events, guardrail.promise) <= FAMILY_LEVEL
