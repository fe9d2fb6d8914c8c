"""A decision for its readers: JUnit for CI, Markdown for a pull request, a page, the checklist's evidence.

What systems answered is text of others: it is escaped in each form.
"""

import html
from collections.abc import Iterator, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET  # written, never read

from collector import quotes
from delivery.golden.dataset import Case, Dataset
from delivery.golden.gate import Answer, Decision, Reason
from delivery.golden.results import Result

_ROWS: Final = 20
_LONGEST: Final = 60_000
"""Characters that a comment on a pull request may have."""
_XML_REFUSES: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "�")


def junit(dataset: Dataset, results: Sequence[Result], decision: Decision | None, skipped: Sequence[Case]) -> bytes:
    """A test case per golden case: failure for regressed, error for invalid, skipped for quarantined."""
    suite = ET.Element("testsuite", name=dataset.reference, tests=str(len({result.case for result in results})))
    counts = {"failures": 0, "errors": 0, "skipped": len(skipped)}
    by_case: dict[str, list[Result]] = {}
    for result in results:
        by_case.setdefault(result.case, []).append(result)
    for case, runs in by_case.items():
        seconds = sum(run.ms for run in runs) / 1000
        place = ET.SubElement(suite, "testcase", classname=dataset.name, name=case, time=f"{seconds:.3f}")
        invalid = next((run.invalid for run in runs if run.invalid), "")
        blocking = [each for each in decision.reasons if each.blocks] if decision else []
        reasons = [each.text for each in blocking if each.case == case]
        failed = [f"{check.name}: expected {check.expected}, got {check.got}" for run in runs for check in run.failed]
        if invalid:
            counts["errors"] += 1
            ET.SubElement(place, "error", message=clean(invalid))
        elif reasons or (decision is None and failed):
            counts["failures"] += 1
            failure = ET.SubElement(place, "failure", message=clean("; ".join(reasons or failed[:1])))
            failure.text = clean("\n".join(failed))
    for each in skipped:
        place = ET.SubElement(suite, "testcase", classname=dataset.name, name=each.example.id)
        reason = each.example.quarantine.reason if each.example.quarantine else ""
        ET.SubElement(place, "skipped", message=clean(f"quarantined: {reason}"))
    if decision is not None and decision.answer is not Answer.PASSED:
        counts["failures"] += 1
        place = ET.SubElement(suite, "testcase", classname=dataset.name, name="gate")
        told = "\n".join(_line(reason) for reason in decision.reasons)
        ET.SubElement(place, "failure", message=str(decision.answer)).text = clean(told)
    suite.attrib.update({key: str(value) for key, value in counts.items()})
    made: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return made


def clean(text: str) -> str:
    """Text without what XML has no letter for."""
    return text.translate(_XML_REFUSES).encode("utf-8", "replace").decode()


def _line(reason: Reason) -> str:
    return f"{reason.rule} {reason.case}: {reason.text}" if reason.case else f"{reason.rule}: {reason.text}"


def markdown(dataset: Dataset, decision: Decision) -> str:
    """What a pull request is told: the answer, the figures, the first reasons. The first line marks the comment."""
    cells = [(reason.rule, reason.case or "all", reason.text) for reason in decision.reasons]
    rows = [f"| {' | '.join(map(_cell, row))} |" for row in cells]
    shown, left = rows[:_ROWS], len(rows) - _ROWS
    parts = [
        f"<!-- agentobs golden {dataset.name} -->",
        f"### Golden dataset {_cell(dataset.reference)}: **{decision.answer}**",
        "",
        *(f"- {line}" for line in figures(decision)),
    ]
    if shown:
        parts += ["", "| rule | case | why |", "|---|---|---|", *shown]
    if left > 0:
        parts.append(f"\n… and {left} more in the report.")
    return "\n".join(parts)[: _LONGEST - 1] + "\n"


def figures(decision: Decision) -> Iterator[str]:
    """The figures behind a decision, a line each."""
    kind = ", every run alike" if decision.deterministic else ""
    yield f"{decision.cases} cases, {decision.runs} run{'s' if decision.runs > 1 else ''} each{kind}"
    yield f"{100 * decision.share_now:.1f} % of runs pass, {100 * decision.share_before:.1f} % before"
    yield f"at most {-100 * decision.bound:.1f} points worse (95 % sure), allowed {100 * decision.margin:g}"
    yield "; ".join(f"{metric} x{ratio:.2f}" for metric, ratio in decision.ratios.items())


def _cell(text: str) -> str:
    return quotes.markdown(text)


def page(dataset: Dataset, decision: Decision, results: Sequence[Result]) -> str:
    """One page without scripts and without a network."""
    reasons = "".join(
        f"<tr><td>{html.escape(each.rule)}<td>{html.escape(each.case or 'all')}<td>{html.escape(each.text)}"
        for each in decision.reasons
    )
    runs = "".join(_row(result) for result in sorted(results, key=lambda run: (run.passed, run.case, run.run)))
    lines = "".join(f"<li>{html.escape(line)}" for line in figures(decision))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Golden dataset</title>"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<style>body{font:15px/1.5 system-ui;margin:2rem;max-width:75rem}td,th{padding:.2rem .6rem;text-align:left;"
        "border-bottom:1px solid #ccc;vertical-align:top}table{border-collapse:collapse}.no{color:#a00}</style>"
        f"<h1>{html.escape(dataset.reference)}: {decision.answer}</h1><ul>{lines}</ul>"
        f"<h2>Why</h2><table><tr><th>rule<th>case<th>why{reasons or '<tr><td colspan=3>nothing got worse'}</table>"
        f"<h2>Runs</h2><table><tr><th>case<th>run<th>result<th>agents<th>tools<th>what failed{runs}</table></html>\n"
    )


def _row(result: Result) -> str:
    failed = "; ".join(f"{check.name}: expected {check.expected}, got {check.got}" for check in result.failed)
    path = " > ".join(" | ".join(step) for step in result.path)
    ended = "passed" if result.passed else "failed"
    cells = (result.case, str(result.run), ended, path, ", ".join(result.tools), failed)
    style = "" if result.passed else ' class="no"'
    return f"<tr{style}>" + "".join(f"<td>{html.escape(cell)}" for cell in cells)


def evidence(dataset: Dataset, decision: Decision, results: Sequence[Result], ran_at: str) -> dict[str, Any]:
    """The section `golden_dataset` of the checklist's evidence file (runbooks.checklist.evidence)."""
    passed = {result.case: all(run.passed for run in results if run.case == result.case) for result in results}
    return {
        "dataset": dataset.reference,
        "cases": decision.cases,
        "passed": sum(passed.values()),
        "required_share": round(max(0.01, decision.share_before - decision.margin), 4),
        "ran_at": ran_at,
    }
