"""What to type next, by what was found."""

from agentobs.contract import ABSENT
from alerts.alerting import command
from alerts.evidence import About
from collector.quotes import shell
from runbooks.run.document import Run, Verdict
from runbooks.why.document import Culprit, Diagnosis
from runbooks.why.document import Verdict as Found

_ROLLBACKS = ("prompt", "tool", "model", "graph")


def onward(run: Run, stack: str = "") -> Run:
    """The run with the next command and why; `stack` is which one to ask, where it is not that of this computer."""
    line, reason = _next(run, f" -s {stack}" if stack else "")
    return run.model_copy(update={"next_command": line, "next_reason": reason})


def _next(run: Run, stack: str) -> tuple[str, str]:
    if blamed := _blamed(run.diagnosis):
        back = f"from {blamed.version} to {blamed.previous}" if blamed.previous != ABSENT else f"{blamed.version}"
        reason = f"the {blamed.dimension} version is to blame: take it back {back}"
        return f"agentobs runbooks show rollback-{blamed.dimension}", reason
    if not run.is_wrong and not run.is_whole:
        reason = "not everything could be asked: see whether telemetry and stores are well, and names right"
        return f"agentobs status{stack}", reason
    trace = _trace(run)
    if run.is_wrong and trace:
        return f"agentobs traces {shell(trace)}{stack}", "it shows which step went wrong"
    if run.is_wrong:
        return f"agentobs runbooks show {run.alert}", "no version and no trace explains it: follow the page's Diagnosis"
    again = command.line(run.alert, run.labels, stack.removeprefix(" -s "))
    return again, "nothing is wrong now: ask again in a few minutes, before it is resolved"


def _blamed(diagnosis: Diagnosis | None) -> Culprit | None:
    """The version to take back, where a page says how."""
    if diagnosis is None or diagnosis.verdict is not Found.REGRESSION:
        return None
    culprit = diagnosis.culprit
    return culprit if culprit is not None and culprit.dimension in _ROLLBACKS else None


def _trace(run: Run) -> str:
    """One that shows this alert, else one that the diagnosis names."""
    for step in run.steps:
        if step.about is About.TRACES and step.verdict is Verdict.FOUND and step.results:
            return step.results[0].labels["trace_id"]
    return run.diagnosis.trace.trace_id if run.diagnosis is not None and run.diagnosis.trace is not None else ""
