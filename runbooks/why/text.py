"""A diagnosis as plain text for an alert's annotation, a ticket or a chat: a dozen short lines, no layout."""

from typing import Final

from agentobs.contract import Label
from collector.quotes import line
from runbooks import wording
from runbooks.why import words
from runbooks.why.document import Diagnosis, Hypothesis, Status, Verdict

_PERCENT: Final = 100
NAMELESS: Final = {
    Verdict.HEALTHY: "Nothing got worse in this window.",
    Verdict.NO_DATA: "No tasks in this window. Is telemetry arriving? Try a longer --since.",
    Verdict.NOT_ENOUGH_DATA: "Not enough data to tell.",
}


def plain(document: Diagnosis) -> str:
    """Return the verdict, why it is believed, what else it may be, what to do, and where to look."""
    return "\n".join(map(line, _lines(document)))


def _lines(document: Diagnosis) -> list[str]:
    if not document.hypotheses:
        return [NAMELESS.get(document.verdict, ""), *document.notes, *_undecided(document)]
    first, *others = document.hypotheses
    lines = [_head(document, first), *(f"- {reason}" for reason in first.reasons)]
    if first.inseparable_from:
        lines.append(f"One of these two: {first.title}; or {'; or '.join(first.inseparable_from)}.")
        lines += first.tells_apart
    lines += [
        f"Also true: {titled(document, other)}, {state(other)}."
        if other.incident != first.incident and _leads(document, other)
        else f"Also possible ({_sure(other)}): {titled(document, other)}."
        for other in others
    ]
    lines += document.notes
    lines += [f"Mind: {warning}" for warning in document.warnings]
    lines += [f"{number}. {fix}" for number, fix in enumerate(first.fixes, start=1)]
    if first.rollback and not first.inseparable_from:
        lines.append(f"Take it back, where releases are managed: {first.rollback}")
        lines += [f"What that would do: {first.preview}"] if first.preview else []
    for name, found in (("good", document.baseline_traces), ("failing", document.failing_traces)):
        if found:
            lines.append(f"A {name} trace: {found[0].url or found[0].trace_id}")
    return lines


def titled(document: Diagnosis, hypothesis: Hypothesis) -> str:
    """The title, with its environment where it is another than that of the first."""
    own, first = (one.subject.get(Label.ENVIRONMENT, "") for one in (hypothesis, document.hypotheses[0]))
    return hypothesis.title if own == first else f"{own}: {hypothesis.title}"


def _leads(document: Diagnosis, hypothesis: Hypothesis) -> bool:
    """Whether it is the cause of its incident, and no rival of it."""
    return next(one for one in document.hypotheses if one.incident == hypothesis.incident) is hypothesis


def state(hypothesis: Hypothesis) -> str:
    """`since 2026-11-30 16:00:00 UTC`, `taken back at ...`, and what it cost."""
    began = f"since {wording.clock(hypothesis.since)}"
    if hypothesis.until is None:
        return began
    how = "taken back at" if hypothesis.status is Status.TAKEN_BACK else "over at"
    return f"{began}, {how} {wording.clock(hypothesis.until)}"


def cost(hypothesis: Hypothesis) -> str:
    """What an incident has cost: failed tasks and bad events beyond what was usual."""
    parts = [f"{hypothesis.harm.tasks:,.0f} failed tasks"] if hypothesis.harm.tasks >= 1 else []
    if hypothesis.harm.events >= 1 and hypothesis.harm.kpi != "task_success" and hypothesis.evidence:
        parts.append(f"{hypothesis.harm.events:,.0f} bad events of {hypothesis.evidence[0].title.lower()}")
    return ", ".join(parts)


def _head(document: Diagnosis, first: Hypothesis) -> str:
    where = next(iter(first.subject.values()), "")
    spent = cost(first)
    carried = f" It cost {spent} beyond the usual." if spent else ""
    if len(document.contributions) > 1 and first.status is Status.OPEN:
        most = document.contributions[0]
        carried += f" {most.name} carries {most.share * _PERCENT:.0f} % of the excess."
    ago = wording.ago(document.window_end - (first.since if first.until is None else first.until))
    return f"{where}: {first.title}, {state(first)} ({ago} ago); {_sure(first)}.{carried}"


def _sure(hypothesis: Hypothesis) -> str:
    return f"{words.sure(hypothesis.confidence)} sure"


def _undecided(document: Diagnosis) -> list[str]:
    return [
        f"- {one.evidence.title} of {words.place(one.evidence.subject)} looks worse"
        f" ({wording.amount(one.evidence.before.value, one.evidence.unit)} ->"
        f" {wording.amount(one.evidence.after.value, one.evidence.unit)}, {one.evidence.before.events:,.0f} /"
        f" {one.evidence.after.events:,.0f} events): about {one.events_needed:,} on each side would tell."
        for one in document.undecided
    ]
