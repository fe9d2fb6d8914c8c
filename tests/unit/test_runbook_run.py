"""Quick checks that are run: filled in with labels, each with a verdict, whatever a store or a name does."""

import json
import shlex
import time

import pytest
from typer.testing import CliRunner
from unit.test_look import STEERS, shown

from alerts import alerting, instances
from alerts.alerting import command
from alerts.evidence import About, identity, quick_checks
from alerts.lint import queries
from alerts.source import Sample
from alerts.timing import PRODUCTION
from collector.search import LogLine, SpanSearch, Trace
from runbooks import run as quick
from runbooks.book.kinds import Kind
from runbooks.book.library import expected
from runbooks.run import Asked, LabelError, Sources, Verdict, labels
from runbooks.why.document import Culprit, Diagnosis
from runbooks.why.document import Verdict as Found
from stacks.cli import patience, run_alert, show_run
from stacks.cli.main import app
from stacks.clients.http import StoreError

NOW = 1_800_000_000.0
WORDS = ("tool_name=order_lookup",)
HOSTILE = ('a"b', "$(x)", "it's", "\\", 'x"} or vector(1) #', "$tool_name", "a\nb", "[red]", "\x1b[31m")


class Metrics:
    """Answers a query by the first part of it that is known; whatever it is asked is kept."""

    def __init__(self, answers=(), refuses=""):
        self.answers, self.refuses, self.asked = dict(answers), refuses, []

    def instant(self, query, at):
        assert at == NOW
        self.asked.append(query)
        if self.refuses and self.refuses in query:
            raise StoreError(f"no store answers {self.refuses}")
        return next((found for part, found in self.answers.items() if query.startswith(part)), [])

    def range(self, *_):
        return []

    def exemplars(self, *_):
        return []


class Traces:
    def __init__(self, count=1):
        self.found, self.searches = [_trace(number) for number in range(count)], []

    def find(self, search, start, end, limit):
        assert (start, end) == (NOW - 3600, NOW)
        self.searches.append(search)
        return self.found[:limit]


class Logs:
    def lines(self, *_):
        return [LogLine(at=NOW, text="tool failed\nbadly", severity="WARN", service="desk")]


def _trace(number):
    return Trace(trace_id=f"abc{number}", service="desk", name="task", start=NOW, duration_s=1.0)


def sample(value, **own):
    return [Sample(own, value)]


FAILING = {
    'kpi:tool_success:ratio5m{environment="prod",tool_name="order_lookup"} < 0.9': sample(0.62),
    "kpi:tool_success:ratio5m": sample(0.62),
    "kpi:tool_success:events5m": sample(50),
    "round(": sample(2),
    "ALERTS": [Sample({"alertstate": "firing"}, 1.0), Sample({"alertstate": "pending"}, 1.0)],
    "version:value1h": [Sample({"tool_version": "1"}, 0.99), Sample({"tool_version": "2", "model": "none"}, 0.41)],
    "version:first_seen": [
        Sample({"version": "2", "tool_name": "order_lookup"}, NOW - 7300),
        Sample({"version": "3", "tool_name": "other"}, NOW - 9),
    ],
}  # fmt: skip


def asked(alert="ToolFailing", words=WORDS, metrics=None, traces=None, logs=None):
    sources = Sources(metrics=metrics or Metrics(), traces=traces, logs=logs, errors=(StoreError,))
    return quick.ask(quick.named(alert, "prod", words), sources, Asked(at=NOW, since=NOW - 3600), lambda *_: None)


def by_title(steps):
    return {step.title: (step.verdict, step.message) for step in steps}


def test_each_check_of_the_page_is_asked_in_its_order_with_the_labels_filled_in():
    metrics, traces = Metrics(), Traces()
    steps = asked(metrics=metrics, traces=traces)
    checks = quick_checks("ToolFailing")
    assert [step.title for step in steps] == [check.title for check in checks]
    values = {"$environment": "prod", "$tool_name": "order_lookup"}
    for check, step in zip(checks, steps, strict=True):
        text = check.text
        for name, value in values.items():
            text = text.replace(name, value)
        assert shlex.split(step.query) == shlex.split(text)
    assert sorted(metrics.asked) == sorted(step.query for step in steps if step.language == "promql")
    assert isinstance(traces.searches[0], SpanSearch)


def test_every_step_has_its_verdict_its_number_and_what_it_means():
    found = by_title(asked(metrics=Metrics(FAILING), traces=Traces(25), logs=Logs()))
    assert found == {
        "What fired": (Verdict.HOLDS, "the condition holds now, with the value 0.62"),
        "The value": (Verdict.HOLDS, "0.62 is below 0.9"),
        "Events that it rests on": (Verdict.HOLDS, "50 is at least 10"),
        "Bad ones among them": (Verdict.DOES_NOT_HOLD, "2 is not at least 4"),
        "How far it reaches": (Verdict.FOUND, "1 firing, 1 pending; look for what they share"),
        "Tool call success by version": (
            Verdict.FOUND,
            "tool 1: 0.99, tool 2: 0.41 (is one worse than the others, it is the version)",
        ),
        "What changed within a day": (Verdict.FOUND, "first seen: 3 other 9 s ago, 2 2 h ago"),
        "Its traces": (Verdict.FOUND, "20 or more traces, the newest abc0"),
        "Its lines": (Verdict.FOUND, "1 line, the newest of desk: tool failed badly"),
    }


def test_nothing_is_a_verdict_too():
    found = by_title(asked(traces=Traces(0), logs=None))
    assert found["What fired"] == (Verdict.DOES_NOT_HOLD, "the condition does not hold any more")
    assert found["The value"][0] is Verdict.NOTHING
    assert found["What changed within a day"] == (Verdict.NOTHING, "no version changed within a day")
    assert found["Its traces"][0] is Verdict.NOTHING
    assert found["Its lines"] == (
        Verdict.NOT_ASKED,
        "there is no store of logs; name one with --loki or --victorialogs URL",
    )


def test_what_is_missing_holds_as_long_as_nothing_is_found():
    (name,) = {each for each in expected()[Kind.ALERT] for check in quick_checks(each) if check.about is About.MISSING}
    words = [f"{label}=x" for label in instances.required_of(name)]
    for there, verdict in ((False, Verdict.HOLDS), (True, Verdict.DOES_NOT_HOLD)):
        steps = asked(name, words, Metrics({"": sample(1.0)} if there else {}))
        assert {step.verdict for step in steps if step.about is About.MISSING} == {verdict}


@pytest.mark.parametrize(("spent", "verdict"), [(60.0, Verdict.HOLDS), (40.0, Verdict.DOES_NOT_HOLD)])
def test_a_value_is_judged_by_a_threshold_that_was_asked_for(spent, verdict):
    steps = asked("CostBudget50", (), Metrics({"kpi:spend:increase1d": sample(spent), "0.5 *": sample(50.0)}))
    assert [step.about for step in steps[1:3]] == [About.VALUE, About.THRESHOLD]
    assert (steps[1].verdict, "above 50" in steps[1].message) == (verdict, True)


def test_a_store_that_does_not_answer_stops_one_step_alone():
    steps = asked(metrics=Metrics(FAILING, refuses="events5m{"), traces=Traces())
    refused = [step for step in steps if step.failed]
    # The rule reads that series too.
    assert [step.title for step in refused] == ["What fired", "Events that it rests on", "Bad ones among them"]
    assert {step.verdict for step in refused} == {Verdict.NOT_ASKED}
    assert by_title(steps)["The value"][0] is Verdict.HOLDS
    assert by_title(steps)["Its traces"][0] is Verdict.FOUND


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leaves_its_quotes(name):
    metrics, traces = Metrics(), Traces()
    steps = asked(words=(f"tool_name={name}",), metrics=metrics, traces=traces)
    for query in metrics.asked:
        assert list(queries.problems(query)) == []
    assert traces.searches[0].terms[-1].value == name
    document = quick.Run(alert="ToolFailing", labels={"tool_name": name}, at=NOW, steps=steps, diagnosis=None)
    line = quick.onward(document.model_copy(update={"labels": {"environment": "prod", "tool_name": name}})).next_command
    assert len(shlex.split(line)) in {2, 6}


@pytest.mark.parametrize("alert", expected()[Kind.ALERT])
def test_the_line_of_every_alert_is_taken(alert):
    """What its message says: all labels of the instance, and only those that every instance has."""
    rules = [each for each in alerting.alerts(PRODUCTION) if each.name == alert]
    assert {(*each.by, *each.also) for each in rules} == {(*rules[0].by, *rules[0].also)}
    assert {*rules[0].by, *rules[0].also} == {*identity(alert)}
    for own in (identity(alert), instances.required_of(alert)):
        line = command.line(alert, dict.fromkeys(own, "it's $(x)"))
        program, verb, run, name, *rest = shlex.split(line)
        assert (program, verb, run) == ("agentobs", "runbooks", "run")
        environment = rest.pop(rest.index("-e") + 1) if "-e" in rest else ""
        named = quick.named(name, environment, [word for word in rest if word != "-e"])
        assert named.given == dict.fromkeys(own, "it's $(x)")
        steps = quick.ask(
            named,
            Sources(metrics=Metrics(), traces=None, logs=None, errors=()),
            Asked(at=NOW, since=0),
            lambda *_: None,
        )
        assert not any("$" in step.query.replace("$(x)", "").replace("$1", "") for step in steps)


def test_what_an_instance_has_not_is_no_condition():
    words = ["kpi=tool_success", "dimension=tool", "version=2", "previous=1", "tool_name=t"]
    named = quick.named("VersionRegression", "prod", words)
    assert (named.labels["agent_name"], named.given.get("agent_name")) == ("", None)
    assert 'agent_name=""' in labels.filled(quick_checks("VersionRegression")[0], named.labels).text


WRONG = [
    (["ToolFaling"], "no alert is called ToolFaling; did you mean ToolFailing"),
    ([], "name the alert that fires; for example agentobs runbooks run ToolFailing -e prod tool_name=order_lookup"),
    (["ToolFailing", "-e", "prod"], "needs the label tool_name, which the alert's message has; for example agentobs"),
    (["ToolFailing", "tool_name=x"], "agentobs runbooks run ToolFailing -e prod tool_name=x"),
    (["ToolFailing", "tol=x"], "ToolFailing has no label tol; it has environment, tool_name"),
    (["ToolFailing", "x"], "'x' is no label=value; for example"),
    (["ToolFailing", "tool_name=x", "tool_name=y"], "tool_name is given twice, as 'x' and 'y'"),
    (["ToolFailing", "-e", "a", "environment=b", "tool_name=x"], "-e a and environment=b; name one of them"),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=str)
def test_a_wrong_line_is_one_error_that_names_the_fix(words, said):
    done = CliRunner().invoke(app, ["runbooks", "run", *words])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_labels_that_are_the_same_for_every_instance_may_be_pasted_too():
    assert quick.named("toolfailing", "", ["severity=page", "environment=e", "tool_name=x"]).alert == "ToolFailing"
    with pytest.raises(LabelError):
        quick.named("ToolFailing", "", ["environment=e", "tool_name=x", "job=y"])


def test_exit_code_2_where_nobody_answers_and_each_step_says_so():
    arguments = ["runbooks", "run", "ToolFailing", "-e", "prod", *WORDS, "--prometheus", "http://127.0.0.1:1", "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    document = json.loads(done.stdout)
    assert {step["verdict"] for step in document["steps"]} == {"cannot be asked"}
    assert "no Prometheus answers at http://127.0.0.1:1" in document["undiagnosed"]
    assert document["next_command"] == "agentobs status"


def whole(metrics, verdict=Found.HEALTHY, **more):
    diagnosis = Diagnosis(
        verdict=verdict, culprit=None, evidence=[], impact=[], trace=None, other_changes=[],
        window_start=NOW - 3600, window_end=NOW,
    )  # fmt: skip
    steps = asked(metrics=metrics, **more)
    return quick.Run(
        alert="ToolFailing",
        labels={"environment": "prod", "tool_name": "order_lookup"},
        at=NOW,
        steps=steps,
        diagnosis=diagnosis,
    )


def test_what_is_next_follows_from_what_was_found():
    calm = quick.onward(whole(Metrics(), traces=Traces(0), logs=Logs()), "prod")
    assert (calm.is_wrong, calm.is_whole) == (False, True)
    assert calm.next_command == "agentobs runbooks run ToolFailing -s prod -e prod tool_name=order_lookup"
    failing = quick.onward(whole(Metrics(FAILING), traces=Traces(), logs=Logs()), "prod")
    assert (failing.is_wrong, failing.next_command) == (True, "agentobs traces abc0 -s prod")
    assert quick.onward(whole(Metrics(FAILING))).next_command == "agentobs runbooks show ToolFailing"
    culprit = Culprit(
        environment="prod", agent=None, agents=[], tool="order_lookup", workflow=None, prompt=None, dimension="tool",
        version="4.0.0", previous="3.1.0", since=NOW,
    )  # fmt: skip
    regression = whole(Metrics(FAILING), verdict=Found.REGRESSION)
    diagnosis = regression.diagnosis.model_copy(update={"culprit": culprit})
    blamed = quick.onward(regression.model_copy(update={"diagnosis": diagnosis}))
    assert blamed.next_command == "agentobs runbooks show rollback-tool"
    assert blamed.next_reason == "the tool version is to blame: take it back from 4.0.0 to 3.1.0"
    worse = whole(Metrics(), verdict=Found.SYMPTOM)
    assert worse.is_wrong
    half = quick.onward(whole(Metrics(refuses="ALERTS")))
    assert (half.is_wrong, half.is_whole, half.next_command) == (False, False, "agentobs status")


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_person_sees_is_text(name):
    metrics = Metrics({**FAILING, "version:first_seen": [Sample({"version": name}, NOW - 60)]})
    document = quick.onward(whole(metrics).model_copy(update={"labels": {"tool_name": name}}))
    said = shown(show_run.run(document))
    assert not STEERS.search(said)
    assert "ToolFailing" in said
    assert "its condition holds" in said
    if name.isprintable():
        assert name in said


def test_a_line_says_what_is_waited_for_once_it_lasts(monkeypatch, capsys):
    monkeypatch.setattr(patience, "_PATIENCE_S", 0.05)
    said, deadline = "", time.monotonic() + 30
    with show_run.progress() as tell:
        tell("The value", 1, 9)
        while not said.strip() and time.monotonic() < deadline:
            time.sleep(0.02)
            said += capsys.readouterr().err
    assert said.strip() == "1 of 9 quick checks done, asking: The value ..."
    monkeypatch.setattr(patience, "_PATIENCE_S", 5.0)
    with show_run.progress() as tell:
        tell("The value", 1, 9)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("answers", "verdict", "code"),
    [(FAILING, Found.HEALTHY, 1), ({}, Found.HEALTHY, 0), ({}, Found.SYMPTOM, 1)],
)
def test_the_exit_code_says_whether_something_is_wrong(monkeypatch, answers, verdict, code):
    monkeypatch.setattr(run_alert, "_found", lambda *_: whole(Metrics(answers), verdict))
    done = CliRunner().invoke(app, ["runbooks", "run", "ToolFailing", "-e", "prod", *WORDS, "--prometheus", "http://x"])
    assert done.exit_code == code
