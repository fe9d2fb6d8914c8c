"""Items about the platform itself: baseline, boards, backends, drift, machines, and room to grow."""

from collections.abc import Callable
from typing import Final

from alerts import probing
from alerts.catalogue import MIN_EVENTS, TASK_SUCCESS
from alerts.catalogue.readiness import BASELINE_MAX_AGE_S
from runbooks.checklist.model import Context, Outcome, Proof, failed, not_applicable, passed, unjudged

_FEW: Final = 6
_DAY_S: Final = 86_400
_LOOKS: Final = 20


def baseline_recorded(context: Context) -> Outcome:
    """A baseline of this environment is there, fresh, and says how tasks do."""
    found = context.baseline
    again = f"agentobs baseline record NAME -s {context.stack} -e {context.environment}, then --baseline NAME"
    if isinstance(found, str):
        return failed(found, again)
    proof = Proof(what=f"baseline {found.name}", value=f"{len(found.points)} values, by {found.recorded_by}")
    if found.environment != context.environment:
        said = f"the baseline {found.name} is of environment {found.environment}, not {context.environment}"
        return failed(said, again, proof)
    age = context.end - found.recorded_at
    if age > BASELINE_MAX_AGE_S:
        said = f"the baseline is {age / _DAY_S:.0f} days old; at most {BASELINE_MAX_AGE_S // _DAY_S} days count"
        return failed(said, again, proof)
    if TASK_SUCCESS.key not in found.kpis():
        said = f"the baseline has no value of {TASK_SUCCESS.title.lower()}: fewer than {MIN_EVENTS} tasks in its window"
        return failed(said, f"record a longer window: {again}", proof)
    return passed(f"{len(found.kpis())} KPIs, {len(found.versions)} versions, {age / 3600:.1f} h old", proof)


def boards_fed(context: Context) -> Outcome:
    """Every board answers for this environment, and panels of KPIs that have traffic show it."""
    boards = context.platform.boards()
    proofs = [
        Proof(what=f"board {board.slug}", value=f"{board.with_data} of {board.panels} panels with data")
        for board in boards
    ]
    errors = [f"{board.slug} / {panel}: {why}" for board in boards for panel, why in board.errors]
    if errors:
        return failed(f"{len(errors)} panels show an error: {errors[0]}", "mend the store or the query", *proofs)
    if not any(board.due for board in boards):
        said = f"the boards have nothing to show for environment {context.environment}: no KPI has traffic there"
        return failed(said, "send telemetry (agentobs telemetry check), or name another environment with -e", *proofs)
    without_data = [f"{board.slug} / {panel}" for board in boards for panel in board.without_data]
    if without_data:
        more = f" and {len(without_data) - _FEW} more" if len(without_data) > _FEW else ""
        said = f"without data though their KPI has traffic: {', '.join(without_data[:_FEW])}{more}"
        return failed(said, "see whether the recording rules run: item rules-loaded", *proofs)
    return passed(
        f"{sum(b.with_data for b in boards)} of {sum(b.panels for b in boards)} panels on {len(boards)} boards have"
        " data; the others have nothing to show",
        *proofs,
    )


def grafana(context: Context) -> Outcome:
    """The boards in Grafana are the ones of this version."""
    if "grafana" in context.missing:
        return not_applicable(context.missing["grafana"])
    states = context.platform.grafana()
    other = [f"{slug} ({state})" for slug, state in states.items() if state != "unchanged"]
    proof = Proof(what="boards", value=f"{len(states) - len(other)} of {len(states)} as rendered")
    if other:
        return failed(
            f"not as rendered: {', '.join(other)}", "agentobs dashboards push --dry-run --diff, then push", proof
        )
    return passed(f"all {len(states)} boards are there as rendered", proof)


def backends_ready(context: Context) -> Outcome:
    """Every part of the platform answers its readiness check."""
    found = context.platform.backends()
    down = [each for each in found if not each.ready]
    proofs = [Proof(what=each.name, value=each.message or "ready", link=each.url) for each in found]
    if down:
        said = "; ".join(f"{each.name} is not ready: {each.message}" for each in down)
        return failed(said, "its runbook is BackendDown; on this computer `agentobs up` starts what is gone", *proofs)
    return passed(f"{', '.join(each.name for each in found)} are ready", *proofs)


def targets_up(context: Context) -> Outcome:
    """Prometheus reaches everything that it scrapes."""
    probe = probing.probe(probing.TARGETS)
    samples = context.platform.metrics.instant(probe.expr, context.end)
    down = sorted(f"{s.labels.get('job')} ({s.labels.get('instance')})" for s in samples if s.value == probe.threshold)
    proof = Proof(what="targets", query=probe.expr, value=f"{len(samples) - len(down)} of {len(samples)} up")
    if not samples:
        return unjudged(
            "Prometheus scrapes nothing of ours", "name the Prometheus of this stack with --prometheus", proof
        )
    if down:
        return failed(f"not reached: {', '.join(down)}", "its runbook is BackendDown", proof)
    return passed(f"all {len(samples)} targets are reached", proof)


def no_drift(context: Context) -> Outcome:
    """A preview of the stack would change nothing: what runs is what is in the repository."""
    changes = context.platform.drift()
    if changes:
        said = f"a preview would change {len(changes)} resources: {', '.join(changes[:_FEW])}"
        fix = f"agentobs pulumi -s {context.stack} preview --diff, then pulumi up"
        return failed(said, fix, *(Proof(what="would change", value=change) for change in changes))
    return passed("a preview changes nothing", Proof(what="pulumi preview --refresh", value="0 changes"))


def telemetry_complete(context: Context) -> Outcome:
    """No service leaves out what KPIs depend on."""
    lacking = context.platform.telemetry()
    if lacking:
        said = f"required telemetry is missing: {'; '.join(lacking[:_FEW])}"
        return failed(said, f"agentobs telemetry check -s {context.stack} -e {context.environment}")
    return passed("every service sends what KPIs depend on")


def live(subject: str, good: str) -> Callable[[Context], Outcome]:
    """An item about what was found on the machines under one `subject`."""

    def judge(context: Context) -> Outcome:
        found = [check for check in context.platform.live() if check.subject == subject]
        bad = [check for check in found if not check.good]
        proofs = [Proof(what=check.what, value=check.message) for check in found]
        if not found:
            return not_applicable(context.missing.get("live", f"no {subject} can be looked at on this kind of stack"))
        if bad:
            said = "; ".join(f"{check.what}: {check.message}" for check in bad[:_FEW])
            return failed(
                said, next((check.fix for check in bad if check.fix), f"pulumi up -s {context.stack}"), *proofs
            )
        return passed(f"{len(found)} {subject}: {good}", *proofs)

    return judge


def disk(context: Context) -> Outcome:
    """The disks of the stores have room."""
    return _room(
        context, "disk", context.limits.disk_free, "free some, or shorten agentobs:metricsRetention and the others"
    )


def memory(context: Context) -> Outcome:
    """There is memory left."""
    return _room(context, "memory", context.limits.memory_free, "end what else runs there, or give it more memory")


def _room(context: Context, kind: str, least: float, fix: str) -> Outcome:
    found = [room for room in context.platform.room() if room.what.startswith(kind)]
    if not found:
        return not_applicable(context.missing.get("live", f"no {kind} can be looked at on this kind of stack"))
    proofs = [Proof(what=room.what, value=room.message) for room in found]
    low = [room for room in found if room.free < least]
    if low:
        said = "; ".join(f"{room.what}: {room.free:.1%} free, at least {least:.1%} wanted" for room in low)
        return failed(said, fix, *proofs)
    return passed("; ".join(f"{room.what}: {room.free:.0%} free" for room in found), *proofs)


def full(key: str, what: str) -> Callable[[Context], Outcome]:
    """An item that compares how full something is with where its alert begins, as long as the alert waits."""
    probe = probing.probe(probing.ROOM[key])
    hold_s = probe.alert.hold_s

    def judge(context: Context) -> Outcome:
        # As the alert does: what was less at any moment of its hold is a peak, not a lack of room.
        series = context.platform.metrics.range(probe.expr, context.end - hold_s, context.end, hold_s / _LOOKS)
        lowest = [(min(value for _, value in each.points), each.labels) for each in series if each.points]
        share, labels = max(lowest, key=lambda pair: pair[0], default=(None, {}))
        if share is None:
            return unjudged(f"there is no measure of {what}", "see whether Prometheus scrapes the platform: targets-up")
        at = " ".join(value for label, value in labels.items() if label in {"exporter", "rule_group", "instance"})
        proof = Proof(what=f"{what}: the fullest is {at}", query=probe.expr, value=f"{share:.1%}")
        if share > probe.threshold:
            begins = f"{probe.alert.name} begins at {probe.threshold:.0%}"
            said = f"{what} at {share:.0%} for {hold_s / 60:.0f} minutes; {begins}"
            return failed(said, f"follow the runbook of {probe.alert.name}", proof)
        return passed(f"{share:.1%} used of {what}; the alert begins at {probe.threshold:.0%}", proof)

    return judge
