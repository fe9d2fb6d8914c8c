"""A diagnosis as plain text for an alert's annotation, a ticket or a chat: a dozen short lines, no layout."""

from runbooks import wording
from runbooks.report import Diagnosis, Hypothesis, Verdict

_PERCENT = 100
_NAMELESS = {
    Verdict.HEALTHY: "Nothing got worse in this window.",
    Verdict.NO_DATA: "No tasks in this window. Is telemetry arriving? Try a longer --since.",
    Verdict.NOT_ENOUGH_DATA: "Not enough data to tell.",
}


def plain(document: Diagnosis) -> str:
    """Return the verdict, why it is believed, what else it may be, what to do, and where to look."""
    if not document.hypotheses:
        return "\n".join([_NAMELESS.get(document.verdict, ""), *_undecided(document)])
    first, *rivals = document.hypotheses
    lines = [_head(document, first), *(f"- {reason}" for reason in first.reasons)]
    if first.inseparable_from:
        lines.append(f"These data cannot tell it from: {'; '.join(first.inseparable_from)}.")
    lines += [f"Also possible or also true ({_sure(rival)}): {rival.title}." for rival in rivals]
    lines += [f"Mind: {warning}" for warning in document.warnings]
    lines += [f"{number}. {fix}" for number, fix in enumerate(first.fixes, start=1)]
    for name, found in (("good", document.baseline_traces), ("failing", document.failing_traces)):
        if found:
            lines.append(f"A {name} trace: {found[0].url or found[0].trace_id}")
    return "\n".join(lines)


def _head(document: Diagnosis, first: Hypothesis) -> str:
    began = f"since {wording.clock(first.since)} ({wording.ago(document.window_end - first.since)} ago)"
    where = next(iter(first.subject.values()), "")
    carried = ""
    if document.contributions:
        most = document.contributions[0]
        carried = f" {most.name} carries {most.share * _PERCENT:.0f} % of the excess."
    return f"{where}: {first.title}, {began}; {_sure(first)}.{carried}"


def _sure(hypothesis: Hypothesis) -> str:
    return f"{wording.sure(hypothesis.confidence)} sure"


def _undecided(document: Diagnosis) -> list[str]:
    return [
        f"- {one.evidence.title} of {wording.place(one.evidence.subject)} looks worse"
        f" ({wording.amount(one.evidence.before.value, one.evidence.unit)} ->"
        f" {wording.amount(one.evidence.after.value, one.evidence.unit)}, {one.evidence.before.events:,.0f} /"
        f" {one.evidence.after.events:,.0f} events): about {one.events_needed:,} on each side would tell."
        for one in document.undecided
    ]
