"""Recorded cases whose truth is known, asked as they went on, and of a real Prometheus at their end.

Each once got a wrong answer: because of slowness beside it, a rollback, many deployments, a mean with a heavy tail.
"""

import io
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from support.memory_source import openmetrics
from support.recorded import replayed

from agentobs.contract import Label
from alerts.prometheus import Prometheus
from alerts.source import MetricsSource
from runbooks.why import text
from runbooks.why.diagnosis import Window, diagnose
from runbooks.why.document import Diagnosis, Hypothesis, Origin, Status, Verdict
from stacks.cli import show_why

FOLDER = Path(__file__).parent / "golden" / "why"
AGE_S, HOUR_S = 1500.0, 3600.0
AFTER_S = (5, 15, 25, 45, 65)
"""Seconds after the fault at which it is asked; and once more at the end."""


@dataclass(frozen=True)
class Case:
    """`fault_s` is when it broke, `end_s` when the work ended, both since the recording began."""

    fault_s: float
    end_s: float
    right: Callable[[Diagnosis], bool]
    """Whether the answer at the end is right."""
    allowed: Callable[[Hypothesis], bool]
    """Whether a cause may be named, at any time."""


def _version(one: Hypothesis, dimension: str, name: str, version: str) -> bool:
    culprit = one.culprit
    return culprit is not None and (culprit.dimension, culprit.version) == (dimension, version) and name in {
        culprit.tool, culprit.agent
    }  # fmt: skip


def _of(one: Hypothesis, tool: str = "", agent: str = "") -> bool:
    wanted = {k: v for k, v in ((Label.TOOL, tool), (Label.AGENT, agent)) if v}
    return one.culprit is None and {k: v for k, v in one.subject.items() if k != Label.ENVIRONMENT} == wanted


def _masked(found: Diagnosis) -> bool:
    first, second = found.hypotheses[:2]
    return found.verdict is Verdict.REGRESSION and _masked_named(first) and second.culprit is None


def _masked_named(one: Hypothesis) -> bool:
    tools = ("order_lookup", "order_refund")
    return any(_version(one, "tool", tool, "4.0.0") for tool in tools) or one.culprit is None  # all was slow


def _names_no_one(one: Hypothesis) -> bool:
    del one
    return False


def _taken_back(found: Diagnosis) -> bool:
    first = found.hypotheses[0]
    said = text.plain(found)
    resolved = (found.verdict, first.status) == (Verdict.RESOLVED, Status.TAKEN_BACK) and first.harm.tasks > 0
    return resolved and "taken back at" in said and "failed tasks" in said and "Nothing is left to roll back" in said


CASES = {
    "masked-regression": Case(20, 40, _masked, _masked_named),
    "slow-at-the-same-time": Case(18, 40, _masked, _masked_named),
    "rollback": Case(100, 215, _taken_back, lambda one: _version(one, "tool", "calendar_book", "2.1.6")),
    "outage-among-many-deployments": Case(
        89, 190, lambda found: found.culprit is None and _of(found.hypotheses[0], tool="sql_runner"),
        lambda one: _of(one, tool="sql_runner"),
    ),
    "outage-with-100-versions": Case(
        79, 170, lambda found: found.culprit is None and _of(found.hypotheses[0], tool="fx_rate"),
        lambda one: _of(one, tool="fx_rate"),
    ),
    "canary-prompt": Case(
        79, 170, lambda found: _version(found.hypotheses[0], "prompt", "maple-planner", "v26"),
        lambda one: _version(one, "prompt", "maple-planner", "v26"),
    ),
    "weak-tool-regression": Case(
        79, 170, lambda found: found.verdict is Verdict.NOT_ENOUGH_DATA and found.undecided[0].events_needed > 0,
        lambda one: _version(one, "tool", "sql_runner", "2.2.1"),
    ),
    "one-agent-fails-with-a-shared-tool": Case(
        79, 170, lambda found: _of(found.hypotheses[0], tool="kb-search", agent="river-critic"),
        lambda one: _of(one, tool="kb-search", agent="river-critic"),
    ),
    "one-slow-call": Case(120, 250, lambda found: found.verdict is Verdict.HEALTHY, _names_no_one),
    "drift-and-one-slow-call": Case(
        120, 250, lambda found: found.hypotheses[0].origin is Origin.DATA_DRIFT,
        lambda one: one.culprit is None and one.origin is Origin.DATA_DRIFT,
    ),
    # Of the sample agents: one was slow from the start, and the first tasks to end are those without loops.
    "looping-graph-on-a-busy-machine": Case(
        29, 118, lambda found: found.culprit is not None and found.culprit.version == "4",
        lambda one: one.culprit is None or one.culprit.version == "4",
    ),
    # Of the sample agents: once no task begins any more, tasks are counted whose loops were counted before.
    "looping-graph-whose-last-tasks-end-late": Case(
        31, 57, lambda found: found.culprit is not None and found.culprit.version == "4",
        lambda one: one.culprit is not None and one.culprit.version == "4",
    ),
    # Of the sample agents, three scenarios at once on two processors: the loops crowd them, and then all is slow.
    "looping-graph-that-crowds-the-machine": Case(
        33, 100, lambda found: found.culprit is not None and found.culprit.version == "4",
        lambda one: one.culprit is None or one.culprit.version == "4",
    ),
    # Of the sample agents, with two builds beside them: tasks that lasted 3 s last 15 s, two seconds before the fault.
    "violations-on-a-machine-that-slows-down": Case(
        43, 114, lambda found: found.culprit is None and found.evidence[0].kpi == "policy_violations",
        lambda one: one.culprit is None,
    ),
    "cost-without-version": Case(
        120, 250, lambda found: _of(found.hypotheses[0], agent="lumen-worker") and "context" in text.plain(found),
        # The tasks cost more before it is certain whose calls do.
        lambda one: _of(one, agent="lumen-worker") or _of(one),
    ),
}  # fmt: skip


def _asked(source: MetricsSource, start: float, at: float, environment: str) -> Diagnosis:
    """What is said at a moment (seconds since the recording began)."""
    where = {Label.ENVIRONMENT: environment}
    return diagnose(source, Window(start=start + at - HOUR_S, end=start + at, where=where))


@pytest.fixture(scope="module")
def ends(tmp_path_factory) -> dict[str, Diagnosis]:
    """What is said of each case at its end."""
    files = {name: FOLDER / f"{name}.om.xz" for name in CASES}
    with replayed(files, tmp_path_factory.mktemp("cases"), AGE_S) as (prometheus, start):
        source = Prometheus(prometheus.url)
        return {name: _asked(source, start, case.end_s, name) for name, case in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_case_is_answered_right_at_its_end(ends, name):
    assert CASES[name].right(ends[name]), text.plain(ends[name])


@pytest.mark.parametrize("name", CASES)
def test_nothing_wrong_is_named_on_the_way(name):
    """From memory, which `test_memory_source` proves to answer as a real Prometheus does."""
    case, start = CASES[name], 1_700_000_000.0
    source = openmetrics(lzma.decompress((FOLDER / f"{name}.om.xz").read_bytes()).decode().splitlines(), start)
    for after in AFTER_S:
        found = _asked(source, start, case.fault_s + after, "case")
        wrong = [one.title for one in found.hypotheses if one.confidence >= 0.5 and not case.allowed(one)]
        assert wrong == [], f"{after} s after the fault:\n{text.plain(found)}"


@pytest.mark.parametrize("name", CASES)
def test_an_answer_reads_as_a_page_and_as_text_and_never_blames_the_environment(ends, name):
    found = ends[name]
    with Console(width=120, record=True, file=io.StringIO()) as console:
        console.print(show_why.diagnosis(found))
    page = console.export_text()
    for one in found.hypotheses:
        assert name not in one.title
    if found.hypotheses:
        assert found.hypotheses[0].fixes[0][:40] in page.replace("\n", " ")
        assert " UTC" in page or "+" in page or "since" in page
    assert len(found.other_changes) <= 5
