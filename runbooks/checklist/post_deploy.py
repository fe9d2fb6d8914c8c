"""Items after a deployment: objectives, baseline, canary, cost, alerts, versions, and what people are to read."""

from collections.abc import Iterator
from typing import Final

from agentobs.contract import Label
from alerts import probing, promql
from alerts.catalogue import (
    BLIND,
    CATALOGUE,
    MIN_BAD,
    MIN_EVENTS,
    MODEL_COST,
    REQUEST_TOKENS,
    TASK_COST,
    TASK_SUCCESS,
    Direction,
    Kpi,
    Severity,
)
from alerts.catalogue.counts import SPEND
from alerts.catalogue.model import DAY
from alerts.catalogue.readiness import REVIEW_MAX_BAD
from alerts.recording import rule
from alerts.statistics import Counted, counts_of, estimate, quantile
from runbooks.baseline import Baseline, Basis, Change, Comparison, Finding, InUse, compare, compare_tracks
from runbooks.baseline.reading import read, versions
from runbooks.checklist import sample
from runbooks.checklist.evidence import Canary, Review
from runbooks.checklist.model import Context, Outcome, Proof, failed, not_applicable, passed, unjudged

_FEW: Final = 6
_MONEY: Final = frozenset({TASK_COST.key, MODEL_COST.key, REQUEST_TOKENS.key})


def objectives(context: Context) -> Outcome:
    """Every KPI keeps its promises over the window, beyond what chance explains."""
    judged = 0
    broken: list[Proof] = []
    for kpi in CATALOGUE:
        promises = [*_promises(kpi)]
        if not promises:
            continue
        where = {Label.ENVIRONMENT: context.environment}
        query = promql.increase(kpi.denominator, kpi.by, where, context.end - context.start)
        for slice_, counted in read(context.platform.metrics, kpi, kpi.by, where, context.start, context.end).items():
            place = " ".join(name for label, name in zip(kpi.by, slice_, strict=True) if label is not Label.ENVIRONMENT)
            for name, target, q, least in promises:
                if counted.denominator < least:
                    continue
                judged += 1
                value = _broken(kpi, counted, target, q)
                if value is not None:
                    said = f"{value:.4g}, promised {target:g}, {counted.denominator:g} events"
                    broken.append(Proof(what=f"{kpi.title} {place} ({name})", value=said, query=query))
    if not judged:
        return unjudged("no KPI has enough events to keep or break a promise", "wait for traffic, or look further back")
    if broken:
        said = "; ".join(f"{proof.what}: {proof.value}" for proof in broken[:_FEW])
        return failed(f"{len(broken)} of {judged} promises are broken: {said}", "agentobs why", *broken)
    return passed(f"{judged} promises are kept")


def _promises(kpi: Kpi) -> Iterator[tuple[str, float, float | None, int]]:
    """Name, target, quantile and the fewest events of each promise."""
    for objective in kpi.objectives:
        yield objective.alert, objective.target, objective.quantile, objective.min_events
    if kpi.slo is not None:
        yield "30 days", kpi.slo.target, None, MIN_EVENTS


def _broken(kpi: Kpi, counted: Counted, target: float, q: float | None) -> float | None:
    """The value, where the whole of its interval is on the wrong side of the target."""
    if q is not None:
        value = quantile(counted.buckets, q)
        return value if value is not None and value > target else None
    if _is_chance(kpi, counted, target):
        return None
    made = estimate(kpi, counted)
    if kpi.direction is Direction.LOWER_IS_BETTER:
        best = made.low if made.low is not None else made.value
        return made.value if best > target else None
    best = made.high if made.high is not None else made.value
    return made.value if best < target else None


def _is_chance(kpi: Kpi, counted: Counted, target: float) -> bool:
    """Of few events two bad ones are a large share, as in alerts. Where nothing is tolerated, one is too many."""
    tolerated = 1 - target if kpi.direction is Direction.HIGHER_IS_BETTER else target
    return kpi.is_share and tolerated > 0 and counts_of(kpi, counted.numerator, counted.denominator).bad < MIN_BAD


def against_baseline(context: Context) -> Outcome:
    """No KPI is worse than the baseline by more than is tolerated and than chance explains."""
    found = _baseline(context)
    if isinstance(found, str):
        return failed(found, "name the baseline that was recorded before: --baseline NAME")
    made = compare(found, context.platform.metrics, context.start, context.end)
    return _judged(made, "agentobs why; the rollback is in the evidence file")


def _baseline(context: Context) -> Baseline | str:
    """The baseline, or why there is none to compare this environment with."""
    found = context.baseline
    if isinstance(found, Baseline) and found.environment != context.environment:
        return f"the baseline {found.name} is of environment {found.environment}, not {context.environment}"
    return found


def _judged(made: Comparison, fix: str) -> Outcome:
    worse, same = made.of(Finding.WORSE), made.of(Finding.NOT_WORSE)
    few, gone = made.of(Finding.TOO_FEW), made.of(Finding.GONE)
    if worse:
        proofs = [_proof(change) for change in worse]
        said = "; ".join(f"{proof.what} {proof.value}" for proof in proofs[:_FEW])
        return failed(f"worse than {made.before}: {said}", fix, *proofs)
    if not any(change.kpi == TASK_SUCCESS.key for change in same):
        return unjudged(
            f"too few tasks to compare with {made.before}: at least {MIN_EVENTS} on either side,"
            f" and enough to see task success {BLIND * TASK_SUCCESS.tolerance:.0%} lower",
            "wait for traffic and run this again",
            *(_proof(change) for change in few[:_FEW]),
        )
    rest = f"; {len(few)} had too few events" if few else ""
    rest += f"; not measured any more: {', '.join(_place(change) for change in gone)}" if gone else ""
    return passed(f"{len(same)} comparisons with {made.before}, none worse{rest}", *(_proof(c) for c in same[:_FEW]))


def _place(change: Change) -> str:
    names = [name for label, name in change.labels.items() if label != Label.ENVIRONMENT]
    return " ".join([change.title, *names])


def _proof(change: Change) -> Proof:
    chance = "" if change.p is None else f", chance {change.p:.2g}"
    seen = "" if change.detectable is None else f", a worsening of {change.detectable:.0%} would be seen"
    after = "nothing" if change.after is None else f"{change.after:.4g}"
    events = f"{change.before_events:g} and {change.after_events:g} events"
    how = ", by means: record the baseline again" if change.test == Basis.MEANS_ONLY else ""
    return Proof(what=_place(change), value=f"{change.before:.4g} -> {after} ({events}{chance}{seen}{how})")


def canary(context: Context) -> Outcome:
    """The canary is not worse than what is stable in the same time."""
    made = compare_tracks(context.platform.metrics, context.environment, context.start, context.end)
    if not made.changes:
        found = context.evidence.section("canary", Canary)
        if isinstance(found, Canary):
            return unjudged(
                f"a canary of {found.percent:g} % was set, and no call says that it is one",
                "set agentic.rollout.track to canary and stable on the spans of the release",
            )
        return not_applicable("no traffic is marked as canary, and none was announced")
    return _judged(made, "take the canary back; the rollback is in the evidence file")


def cost(context: Context) -> Outcome:
    """Money: cost per task and call as in the baseline, and the day's spend within its budget."""
    proofs = []
    here = {Label.ENVIRONMENT: context.environment}
    query = promql.increase(SPEND.of, SPEND.by, here, context.end - context.start)
    spent = sum(s.value for s in context.platform.metrics.instant(query, context.end))
    a_day = spent * DAY / (context.end - context.start)
    proofs.append(
        Proof(what="money spent in the window", value=f"${spent:.2f}, at that pace ${a_day:.2f} a day", query=query)
    )
    budget = [s.value for s in context.platform.metrics.instant(rule.DAILY_BUDGET, context.end)]
    if budget and a_day > budget[0]:
        return failed(
            f"at this pace ${a_day:.2f} a day are spent, the budget is ${budget[0]:.2f}", "board cost", *proofs
        )
    if not spent:
        return unjudged(
            "no money was spent in the window, or no model has a price", "item objectives, alert ModelUnpriced"
        )
    found = _baseline(context)
    if isinstance(found, str):
        return unjudged(f"${spent:.2f} were spent; {found}", "name the baseline: --baseline NAME", *proofs)
    made = compare(found, context.platform.metrics, context.start, context.end)
    worse = [change for change in made.of(Finding.WORSE) if change.kpi in _MONEY]
    proofs += [_proof(change) for change in made.changes if change.kpi in _MONEY]
    if worse:
        said = "; ".join(f"{proof.what} {proof.value}" for proof in map(_proof, worse[:_FEW]))
        return failed(f"dearer than {made.before}: {said}", "agentobs why; board cost", *proofs)
    return passed(f"${spent:.2f} were spent, a task costs what it did", *proofs)


def alerts_fired(context: Context) -> Outcome:
    """No page fired in the window."""
    query = probing.fired(Severity.PAGE, context.environment, context.end - context.start)
    found = sorted({s.labels.get("alertname", "?") for s in context.platform.metrics.instant(query, context.end)})
    proof = Proof(what="pages that fired", query=query, value=", ".join(found) or "none")
    if found:
        return failed(f"pages fired: {', '.join(found)}", "each has a runbook; write down what was done", proof)
    return passed("no page fired", proof)


def versions_running(context: Context) -> Outcome:
    """What runs is what was approved: every pinned version, and no third one beside it and the one before."""
    pins = context.evidence.section("versions", list)
    if isinstance(pins, str):
        return failed(pins, "list the versions of the release in the evidence file")
    running = versions(context.platform.metrics, {Label.ENVIRONMENT: context.environment}, context.start, context.end)
    problems, proofs = [], []
    for pin in pins:
        seen = sorted(
            {each.version for each in running if each.dimension == pin.dimension and pin.name in each.entity.values()}
        )
        proofs.append(Proof(what=f"{pin.dimension} {pin.name}", value=f"runs {', '.join(seen) or 'nothing'}"))
        if pin.version not in seen:
            problems.append(f"{pin.dimension} {pin.name} {pin.version} never ran")
        foreign = [version for version in seen if version not in {pin.version, pin.previous}]
        if foreign:
            problems.append(f"{pin.dimension} {pin.name} also ran as {', '.join(foreign)}")
    if problems:
        return failed("; ".join(problems[:_FEW]), "deploy what was approved, or have what runs approved", *proofs)
    return passed(f"{len(pins)} pinned versions ran, and nothing else in their place", *proofs)


def sample_drawn(context: Context) -> Outcome:
    """Traces for people to read, drawn by strata; the same seed draws the same."""
    new = [*_new(context)]
    kinds = sample.strata(context.platform.metrics, context.environment, new, context.start, context.end)
    drawn = [*sample.draw(context.platform, kinds, context.seed, context.limits.per_stratum)]
    proofs = [
        Proof(
            what=f"{each.stratum.key}: {each.stratum.why}",
            value=f"{trace.name or 'trace'} {trace.trace_id}, {trace.duration_s:.2f} s",
            link=f"{context.trace_url}{trace.trace_id}" if context.trace_url else "",
            query=each.stratum.command,
        )
        for each in drawn
        for trace in each.traces
    ]
    if not proofs:
        return unjudged("no trace was found in the window", "see whether traces arrive: agentobs telemetry check")
    said = ", ".join(f"{len(each.traces)} {each.stratum.key} of {each.of}" for each in drawn)
    return passed(f"drawn with seed {context.seed}: {said}", *proofs)


def _new(context: Context) -> Iterator[InUse]:
    """Versions that ran in the window and not in the baseline; without one, those that the release brings."""
    running = versions(context.platform.metrics, {Label.ENVIRONMENT: context.environment}, context.start, context.end)
    if isinstance(context.baseline, str):
        pins = context.evidence.section("versions", list)
        fresh = set() if isinstance(pins, str) else {(p.dimension, p.version) for p in pins if p.version != p.previous}
        yield from (each for each in running if (each.dimension, each.version) in fresh)
        return
    before = {(each.dimension, *each.entity.values(), each.version) for each in context.baseline.versions}
    yield from (each for each in running if (each.dimension, *each.entity.values(), each.version) not in before)


def sample_reviewed(context: Context) -> Outcome:
    """People have read the sample, and found it good enough."""
    found = context.evidence.section("review", Review)
    fix = "read the traces of item sample-drawn, and write section `review` into the evidence file"
    if isinstance(found, str):
        return failed(found, fix)
    proof = Proof(what=f"read by {', '.join(found.by)}", value=f"{found.bad} of {found.read} bad at {found.at}")
    wrong = _unfit(found, context)
    if wrong:
        return failed(wrong, fix, proof)
    if found.bad > REVIEW_MAX_BAD * found.read:
        said = f"{found.bad} of {found.read} were bad, at most {REVIEW_MAX_BAD:.0%} may be"
        return failed(said, "find out what they have in common: agentobs why; roll back where users are hurt", proof)
    return passed(f"{found.read} traces were read, {found.bad} were bad", proof)


def _unfit(found: Review, context: Context) -> str:
    """Why a review does not count, or nothing."""
    if found.seed and found.seed != context.seed:
        return f"the sample of seed {found.seed} was read, this one has {context.seed}"
    if found.bad > found.read:
        return f"{found.bad} of {found.read} cannot be bad"
    if found.at.timestamp() < context.start:
        return "the review is older than the window"
    if found.read < context.limits.per_stratum:
        return f"{found.read} traces were read, at least {context.limits.per_stratum} are wanted"
    return ""
