"""Runbooks on the running stack: a quick check shows what it promises while its alert fires, a command runs."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.asking import ALERT_SPEED, ask, filled
from support.stores import FOREIGN_PAGES, LOGS, TRACES

from alerts import instances
from alerts.evidence import quick_checks
from alerts.timing import Timing
from collector.search import LineSearch, SpanSearch
from runbooks.book import commands, library
from runbooks.book.kinds import Kind
from runbooks.book.library import expected
from runbooks.book.prose import Language
from stacks.ports import PORTS

LIBRARY = library.load()
AS_RUN = Timing(ALERT_SPEED)
# Where nothing fires: every label has some value, so that a query or a command is whole.
SOME = {
    "environment": "healthy", "agent_name": "executor", "tool_name": "order_lookup", "workflow": "support",
    "service": "support-desk",
}  # fmt: skip
RECORDED_LATE_S = 4
# A tool server breaks with a new version and stays broken, until it is ended; as many calls on any machine.
_BROKEN = """
import sys, time
from agentobs import emit
telemetry = emit.configure(service="support-desk", version="1.4.0", environment="at-night", endpoint=sys.argv[1])
for number in range(6000):
    version = "3.1.0" if number < 60 else "4.0.0"
    with (
        emit.task(workflow="support", type="refund", graph_version="7"),
        emit.agent("executor", emit.Prompt("executor", "3")),
        emit.tool_call("order_lookup", version=version) as call,
    ):
        if version == "4.0.0" and number % 2:
            call.fail("tool_error")
    time.sleep(0.1)
"""
_PORT = re.compile(r"(?:127\.0\.0\.1|localhost):(\d+)")
_UNLIKE = re.compile(r"\d+[smhd]|--since|--output|\S+\.html")


def _kinds(text):
    """The same commands with the same options are of one kind, however far each looks back and wherever it writes."""
    calls = [[_ALIASES.get(word, word) for word in call] for call in commands.calls(text)]
    if any(call[0] != "agentobs" for call in calls):
        return {text}
    return {tuple(sorted(word for word in call if not _UNLIKE.fullmatch(word))) for call in calls}


def _once(fences):
    """What several pages say is run once: those that say most come first, and then those that say anything else."""
    run, seen = [], set()
    for name, text in sorted(fences, key=lambda each: -len(_kinds(each[1]))):
        if not _kinds(text) <= seen:
            run.append((name, text))
            seen |= _kinds(text)
    return run


_ALIASES = {"-e": "--environment", "-s": "--stack", "-o": "--output"}
COMMANDS = _once(
    (page.name, fence.text)
    for page in LIBRARY.pages.values()
    for fence in page.fences
    # A page about a store that is not in use asks that store; its commands run where it is.
    if fence.language is Language.BASH and not fence.not_run and not page.name.startswith(FOREIGN_PAGES)
)


def shown(stack, notice, check):
    """What a person sees who looks when the alert began to fire, or when it reached them."""
    query = filled(check.query, notice.labels)
    return next((found for at in _looks(notice) if (found := ask(stack, query, at))), [])


def _looks(notice):
    """Also just before: on a crowded machine a rule records its value of a moment when an alert has read the last."""
    return [*(notice.began - late_s for late_s in range(RECORDED_LATE_S)), notice.at]


def test_quick_checks_show_what_they_promise_while_the_alert_fires(stack, arrived):
    silent, asked = [], 0
    for notice in [notice for found in arrived.values() for notice in found]:
        answers = {check: shown(stack, notice, check) for check in quick_checks(notice.name, timing=AS_RUN)}
        asked += len(answers)
        empty = [check for check, found in answers.items() if check.answers and not found]
        silent += [(notice.name, check.title, filled(check.query, notice.labels)) for check in empty]
        # Of several rules of one name at least the one that fired.
        if not any(found for check, found in answers.items() if check.title.startswith("What fired")):
            silent.append((notice.name, "none of its rules", str(notice.labels)))
    assert "\n".join(map(str, silent)) == ""
    assert asked > 100


def test_evidence_in_lines_is_found(stack, arrived):
    """Events that a KPI counts are lines: the very ones that the alert is about."""
    for scenario, name in (("hallucination", "Hallucinating"), ("policy-violation", "PolicyViolationsPassed")):
        notice = next(notice for notice in arrived[scenario] if notice.name == name)
        (lines,) = [check for check in quick_checks(name) if isinstance(check.query, LineSearch)]
        assert ask(stack, filled(lines.query, notice.labels))


@pytest.mark.parametrize("kind", [str, SpanSearch, LineSearch])
def test_a_store_takes_every_quick_check(stack, kind):
    queries = {
        filled(check.query, SOME)
        for name in expected()[Kind.ALERT]
        for check in quick_checks(name)
        if isinstance(check.query, kind)
    }
    assert queries
    for query in queries:
        ask(stack, query)


def test_prometheus_takes_every_query_of_a_page(stack):
    asked = [fence for page in LIBRARY.pages.values() for fence in page.fences if fence.language is Language.PROMQL]
    assert asked
    for fence in asked:
        for query in re.split(r"\n\s*\n", filled(fence.text, SOME).strip()):
            ask(stack, query)


def test_every_command_of_a_page_runs(stack, truths, tmp_path):  # noqa: ARG001 they made what is asked for
    here = Path(sys.executable).parent
    moved = {str(PORTS[name]): str(number) for name, number in stack.ports.items()}

    def run(name, text):
        script = _PORT.sub(lambda found: found[0].replace(found[1], moved.get(found[1], found[1])), text)
        known = instances.labels_of(name) if name in expected()[Kind.ALERT] else ()
        labels = {label: SOME.get(label, "none") for label in known}
        environment = {**stack.env(), **SOME, **labels, "PATH": f"{here}:/usr/bin:/bin"}
        shell = ["bash", "-eu", "-o", "pipefail", "-c", script]
        done = subprocess.run(shell, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        return None if done.returncode == 0 else (name, text, done.stdout[-300:], done.stderr[-500:])

    with ThreadPoolExecutor(2) as pool:
        failed = [each for each in pool.map(run, *zip(*COMMANDS, strict=True)) if each]
    assert failed == []


@pytest.fixture(scope="module")
def woken(stack, notified, eventually):
    """A tool breaks, its alert arrives, and whoever is woken pastes the line while it fires: what each form says."""

    def typed(line):
        return stack.run("bash", "-c", f'PATH="{Path(sys.executable).parent}:$PATH"; {line}', ok=False)

    def arrived():
        return [notice for notice in notified.firing("at-night") if notice.name == "ToolFailing"]

    with subprocess.Popen([sys.executable, "-c", _BROKEN, stack.url("otlp-http")], env=stack.env()) as agents:
        try:
            notices = eventually(arrived, bool, 120)
            assert notices, "ToolFailing did not arrive"
            line = notices[0].annotations["command"]
            elsewhere = f"--{TRACES} http://127.0.0.1:1 --{LOGS} http://127.0.0.1:1"
            said = {
                "line": line,
                "tool": notices[0].labels["tool_name"],
                "json": typed(f"{line} --json"),
                "shown": typed(line),
                "without": typed(f"{line} --json {elsewhere}"),
            }
        finally:
            agents.kill()
    return {**said, "calm": typed("agentobs runbooks run ToolFailing -e nowhere tool_name=none --json")}


def test_the_line_of_a_message_says_what_is_wrong(woken):
    assert woken["line"] == f"agentobs runbooks run ToolFailing -e at-night tool_name={woken['tool']}"
    done = woken["json"]
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert [step["title"] for step in document["steps"]] == [check.title for check in quick_checks("ToolFailing")]
    verdicts = {step["title"]: step["verdict"] for step in document["steps"]}
    assert "cannot be asked" not in verdicts.values(), verdicts
    assert verdicts["How far it reaches"] == verdicts["Its traces"] == "found", verdicts
    assert document["diagnosis"] is not None
    assert document["next_command"].startswith("agentobs ")


def test_a_person_reads_it_and_can_type_what_is_next(woken, stack):
    done = woken["shown"]
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("ToolFailing (environment at-night, tool_name")
    said = done.stdout.split("Next: ")
    assert len(said) == 2
    following = said[1].splitlines()[0].split()
    if following[1] == "traces":
        assert stack.agentobs(*following[1:]).stdout
    else:
        assert following[1:3] in (["runbooks", "show"], ["runbooks", "run"])


def test_a_store_that_is_away_stops_its_own_checks_alone(woken):
    done = woken["without"]
    assert done.returncode == 1, done.stderr
    steps = json.loads(done.stdout)["steps"]
    assert [step["title"] for step in steps if step["failed"]] == ["Its traces", "Its lines"]
    assert all("answers at http://127.0.0.1:1" in step["message"] for step in steps if step["failed"])


def test_where_nothing_was_ever_measured_it_is_not_called_well(woken):
    done = woken["calm"]
    assert done.returncode == 2, done.stdout + done.stderr
    assert json.loads(done.stdout)["steps"][0]["verdict"] == "does not hold"
