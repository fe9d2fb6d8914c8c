"""Items of the release process: judged from the evidence file, as no store knows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from alerts.catalogue import DIMENSIONS
from alerts.catalogue.readiness import CANARY_MAX_SHARE, GOLDEN_MAX_AGE_S, REHEARSAL_MAX_AGE_S, ROLLBACK_MAX_S
from runbooks.checklist.evidence import Approval, Canary, GoldenDataset, Pin, Rollback
from runbooks.checklist.model import Context, Outcome, Proof, failed, passed

_DAY_S: Final = 86_400
_SCHEMA: Final = "see `agentobs checklist before --schema evidence`"
_FLOATING: Final = frozenset({"latest", "stable", "current", "main", "head", "*"})


def _age_s(context: Context, at: datetime) -> float:
    return context.end - at.timestamp()


def _days(seconds: float) -> str:
    return f"{seconds / _DAY_S:.0f} days"


def golden_dataset(context: Context) -> Outcome:
    """The golden dataset passes with this release, and the run is fresh."""
    found = context.evidence.section("golden_dataset", GoldenDataset)
    if isinstance(found, str):
        return failed(found, f"run the golden dataset with {context.release} and write the result down; {_SCHEMA}")
    proof = Proof(what=found.dataset, value=f"{found.passed} of {found.cases} cases at {found.ran_at}", link=found.link)
    if found.passed > found.cases:
        return failed(f"{found.passed} of {found.cases} cases cannot have passed", "correct the evidence file", proof)
    share, age = found.passed / found.cases, _age_s(context, found.ran_at)
    if share < found.required_share:
        said = f"{share:.1%} of the cases passed, {found.required_share:.1%} are required"
        return failed(said, "mend the release, or agree on another bar before the next run", proof)
    if not 0 <= age <= GOLDEN_MAX_AGE_S:
        said = f"the golden dataset ran {_days(age)} ago; at most {_days(GOLDEN_MAX_AGE_S)} count"
        return failed(said, "run it again with this release", proof)
    return passed(f"{found.passed} of {found.cases} cases passed, {found.required_share:.1%} required", proof)


def versions_pinned(context: Context) -> Outcome:
    """The release names a version for everything it runs, in all four dimensions."""
    pins = _pins(context)
    if isinstance(pins, str):
        return failed(pins, f"list every prompt, tool, model and graph with its version; {_SCHEMA}")
    wanted = {dimension.key for dimension in DIMENSIONS}
    lacking = sorted(wanted - {pin.dimension for pin in pins})
    if lacking:
        return failed(f"no version of any {', '.join(lacking)} is listed", "list what the release runs of each")
    floating = [f"{pin.dimension} {pin.name}: {pin.version}" for pin in pins if pin.version.lower() in _FLOATING]
    if floating:
        return failed(f"a name that moves is no version: {'; '.join(floating)}", "pin the version that was tested")
    changed = [pin for pin in pins if pin.version != pin.previous]
    proofs = [
        Proof(what=f"{pin.dimension} {pin.name}", value=f"{pin.previous or 'new'} -> {pin.version}") for pin in changed
    ]
    return passed(f"{len(pins)} versions are pinned, {len(changed)} of them change", *proofs)


def _pins(context: Context) -> Sequence[Pin] | str:
    found = context.evidence.section("versions", list)
    return found if isinstance(found, str) or found else "the list of versions is empty"


def rollback_plan(context: Context) -> Outcome:
    """Every dimension that changes has a way back, and somebody who decides."""
    plan = context.evidence.section("rollback", Rollback)
    if isinstance(plan, str):
        return failed(plan, f"write down how each dimension is taken back, and who decides; {_SCHEMA}")
    pins = context.evidence.section("versions", list)
    wanted = (
        {dimension.key for dimension in DIMENSIONS}
        if isinstance(pins, str)
        else {str(pin.dimension) for pin in pins if pin.version != pin.previous}
    )
    lacking = sorted(wanted - {str(key) for key in plan.steps})
    proofs = [Proof(what=f"rollback of the {key}", value=step) for key, step in plan.steps.items()]
    if lacking:
        return failed(f"the plan has no step for {', '.join(lacking)}", "add the command or page for it", *proofs)
    return passed(f"a step for each dimension that changes; {plan.owner} decides", *proofs)


def rollback_rehearsed(context: Context) -> Outcome:
    """The rollback was tried lately, and was fast enough."""
    plan = context.evidence.section("rollback", Rollback)
    fix = "rehearse the rollback in an environment like this one, and write down when, where and how long"
    if isinstance(plan, str):
        return failed(plan, fix)
    if plan.rehearsed is None:
        return failed("the rollback was never rehearsed", fix)
    tried, age = plan.rehearsed, _age_s(context, plan.rehearsed.at)
    proof = Proof(what=f"rehearsal in {tried.environment}", value=f"{tried.took_s:g} s at {tried.at} by {tried.by}")
    if not 0 <= age <= REHEARSAL_MAX_AGE_S:
        return failed(f"it was rehearsed {_days(age)} ago; at most {_days(REHEARSAL_MAX_AGE_S)} count", fix, proof)
    if tried.took_s > ROLLBACK_MAX_S:
        said = f"it took {tried.took_s:g} s; more than {ROLLBACK_MAX_S} s is too slow for a page"
        return failed(said, "make it faster: move a pointer instead of building", proof)
    return passed(f"rehearsed {_days(age)} ago in {tried.took_s:g} s", proof)


def canary_share(context: Context) -> Outcome:
    """The share of the canary is set, with what ends it."""
    found = context.evidence.section("canary", Canary)
    if isinstance(found, str):
        return failed(found, f"set how much traffic the release gets first; {_SCHEMA}")
    proof = Proof(what="ends when", value="; ".join(found.aborts_when))
    if found.percent == 0:
        return failed("the canary gets 0 %, so nothing is tried", "set a share above 0", proof)
    if found.percent > CANARY_MAX_SHARE * 100:
        said = f"the canary gets {found.percent:g} %; more than {CANARY_MAX_SHARE:.0%} is no canary"
        return failed(said, "start with less", proof)
    return passed(f"{found.percent:g} % for {found.hold}", proof)


def approvals(context: Context) -> Outcome:
    """Somebody who did not make the release agreed to it."""
    found = context.evidence.section("approvals", list)
    author = context.evidence.section("author", str)
    fix = "have somebody other than the author approve, and write down who, in which role and when"
    if isinstance(found, str):
        return failed(found, fix)
    if "author" not in context.evidence.sections:
        return failed(author, "name the author")
    given: list[Approval] = found
    proofs = [Proof(what=each.role, value=f"{each.by} at {each.at}") for each in given]
    future = [each.by for each in given if _age_s(context, each.at) < 0]
    if future:
        return failed(f"the approval of {', '.join(future)} lies in the future", "correct the evidence file", *proofs)
    others = [each.by for each in given if each.by.casefold() != author.casefold()]
    if not others:
        return failed(f"nobody but the author, {author}, approved", fix, *proofs)
    return passed(f"approved by {', '.join(others)}", *proofs)
