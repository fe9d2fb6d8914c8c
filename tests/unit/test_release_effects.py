"""What follows alerts and revisions: rollbacks that `why` agrees to, effects elsewhere; once, also after SIGKILL."""

import json
import os
import signal
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from support.controlled import as_process, in_thread
from support.delivered import ENVIRONMENT, Desk, release, request
from support.waiting import eventually

from alerts.prometheus import PrometheusError
from delivery.controller.canaries import Canaries
from delivery.controller.journal import Journal
from delivery.controller.regressions import Regressions
from delivery.controller.webhook import Alert, keep
from delivery.environments.operations import Kill, LockOut, Start, Target
from delivery.environments.state import Lock
from delivery.releases import Dim
from delivery.store import FileBlobs
from runbooks.why.document import Culprit, Diagnosis, Harm, Hypothesis, Origin, Status, Verdict


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "store")
    desk.promote(release(planner="12"))
    desk.promote(release(planner="13", name="support-2"))
    return desk


def culprit(**more):
    said = {"agent": "planner", "agents": ["planner"], "tool": None, "workflow": None, "prompt": "planner"}
    said |= {"environment": ENVIRONMENT, "dimension": "prompt", "version": "13", "previous": "12", "since": 0.0}
    return Culprit(**{**said, **more})


def diagnosis(confidence=0.97, status=Status.OPEN, origin=Origin.VERSION, **blamed):
    harm = Harm(tasks=10, events=10, kpi="task_success")
    told = Hypothesis(
        incident=0, origin=origin, status=status, until=None, harm=harm, confidence=confidence, title="",
        culprit=culprit(**blamed), subject={}, since=0.0, evidence=[], reasons=[], fixes=[], inseparable_from=[],
    )  # fmt: skip
    return Diagnosis(
        verdict=Verdict.REGRESSION, culprit=told.culprit, evidence=[], impact=[], trace=None, other_changes=[],
        hypotheses=[told], window_start=0.0, window_end=1.0,
    )  # fmt: skip


PROMPT = {"dimension": "prompt", "agent_name": "planner", "version": "13", "previous": "12"}


def alert(minutes_ago=6.0, status="firing", fingerprint="1290d9aa01", **labels):
    began = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
    told = {"alertname": "VersionRegression", "environment": ENVIRONMENT, **PROMPT, **labels}
    return {"status": status, "labels": told, "startsAt": began, "fingerprint": fingerprint, "annotations": {}}


class Handled:
    """A controller's way with alerts, without its web."""

    def __init__(self, desk, folder, ask=None):
        self.desk, self.journal = desk, Journal(FileBlobs(folder / "store"))
        self.canaries = Canaries(desk.store, self.journal, None)
        self.regressions = Regressions(desk.store, self.journal, self.canaries, ask or (lambda _: diagnosis()))

    def take(self, *alerts):
        """What became of all alerts so far; these came so long ago that nothing more is waited for."""
        came = datetime.now(UTC) - timedelta(minutes=31)
        keep(self.journal, [Alert.model_validate(each) for each in alerts], came.isoformat())
        self.regressions.work()
        return sorted(self.journal.get(f"handled/{name}")["outcome"] for name in self.journal.names("handled"))


@pytest.fixture
def handled(desk, tmp_path):
    return Handled(desk, tmp_path)


def test_a_regression_that_why_agrees_to_is_rolled_back_once(handled, desk, tmp_path):
    told = alert()
    assert handled.take(told, told) == ["rolled back: prompt of planner 13 -> 12"]
    done = desk.head.operation
    assert (desk.running.agents["planner"].prompt.version, done.automatic, done.alert) == ("12", True, "1290d9aa01")
    again = Handled(desk, tmp_path)
    again.take(told, alert(minutes_ago=1))
    assert desk.head.revision == 3


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (alert(status="resolved"), "nothing done: it is over"),
        (alert(minutes_ago=25 * 60), "nothing done: it did not begin"),
        (alert(minutes_ago=-60), "nothing done: it did not begin"),
        (alert(alertname="TaskSuccessLow"), "nothing done: VersionRegression alone"),
        (alert(alertname="CanaryWorse"), "looked: "),
        (alert(version="99"), "ticket only: the version it names"),
        (alert(version="12", previous="11"), "ticket only: the version it names"),
        (alert(environment="elsewhere"), "ticket only: no release is known"),
        (alert(environment="../prod"), "ticket only: no release is known"),
        (alert(dimension="weather"), "ticket only: the version it names"),
        (alert(agent_name="nobody"), "refused: "),
        (alert(previous="never"), "refused: no release has version never"),
    ],
)
def test_an_alert_that_is_over_old_or_about_something_unknown_changes_nothing(handled, desk, told, said):
    (outcome,) = handled.take(told)
    assert outcome.startswith(said)
    assert desk.head.revision == 2


@pytest.mark.parametrize(
    "found",
    [
        diagnosis(confidence=0.49),
        diagnosis(status=Status.OVER),
        diagnosis(origin=Origin.DATA_DRIFT),
        diagnosis(version="12"),
        diagnosis(agent="executor", agents=["executor"]),
        diagnosis(dimension="model"),
        diagnosis(environment="staging"),
    ],
)
def test_where_why_does_not_blame_this_very_version_people_decide(desk, tmp_path, found):
    (outcome,) = Handled(desk, tmp_path, lambda _: found).take(alert())
    assert outcome.startswith("ticket only: `agentobs why`")
    assert desk.head.revision == 2


def test_a_canary_is_left_to_its_own_counts_and_a_locked_target_is_refused(handled, desk):
    mark = request().mark
    desk.do(LockOut(request=request(), lock=Lock(dimension=Dim.PROMPT, version="12", agent="planner", mark=mark)))
    desk.do(Start(request=request(), release=desk.add(release(planner="14")), share=100))
    assert handled.take(alert())[0].startswith("nothing done: c4 is active")
    desk.promote(release(planner="14"))
    outcomes = handled.take(alert(fingerprint="aa11aa11aa", version="14", previous="12"))
    assert outcomes[-1].startswith("ticket only")
    ask = Handled(desk, desk.store._blobs._root.parent, lambda _: diagnosis(version="14"))
    outcomes = ask.take(alert(fingerprint="bb11aa11aa", version="14", previous="12"))
    assert any(each.startswith("refused: prompt 12 of planner is locked") for each in outcomes)


def test_a_machine_acts_twice_in_six_hours_and_once_for_an_agent_in_half_an_hour(desk, tmp_path):
    blamed = [diagnosis(version="13")]
    handled = Handled(desk, tmp_path, lambda _: blamed[0])
    handled.regressions.clock = lambda: 0.0
    handled.take(alert())
    desk.promote(release(planner="14"))
    blamed[0] = diagnosis(version="14")
    handled.regressions.clock = lambda: 121.0
    told = alert(fingerprint="bb11aa11aa", version="14", previous="12")
    assert any(each.startswith("limited: planner had an automatic action") for each in handled.take(told))
    # After a restart the limits are not forgotten.
    later = Handled(desk, tmp_path, lambda _: blamed[0])
    outcomes = later.take(alert(fingerprint="cc11aa11aa", version="14", previous="12"))
    assert sum(each.startswith("limited: ") for each in outcomes) == 2


@pytest.mark.parametrize("first", [PrometheusError("no Prometheus answers"), diagnosis(confidence=0.3)])
def test_an_alert_waits_while_prometheus_is_away_or_why_is_not_sure_yet(desk, tmp_path, first):
    answers, now = [first], [0.0]

    def ask(_):
        if isinstance(answers[-1], Exception):
            raise answers[-1]
        return answers[-1]

    handled = Handled(desk, tmp_path, ask)
    handled.regressions.clock = lambda: now[0]
    keep(handled.journal, [Alert.model_validate(alert())], datetime.now(UTC).isoformat())
    handled.regressions.work()
    assert handled.journal.names("handled") == []
    answers.append(diagnosis())
    now[0] += 121
    handled.regressions.work()
    assert len(handled.journal.names("handled")) == 1
    assert desk.head.revision == 3


def test_why_is_asked_once_for_a_flood_of_alerts(desk, tmp_path):
    asked = []

    def ask(environment):
        asked.append(environment)
        return diagnosis(confidence=0.3)

    outcomes = Handled(desk, tmp_path, ask).take(*(alert(fingerprint=f"{number:010x}") for number in range(30)))
    assert (asked, len(outcomes)) == ([ENVIRONMENT], 30)


class Elsewhere(ThreadingHTTPServer):
    """Grafana, Langfuse and a collector in one: keeps what it is told, and may kill who tells it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[tuple[str, str, dict]] = []
        self.annotations: list[dict] = []
        self.status = 200
        self.victim: int | None = None
        self.dies = ""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def kills(self, when):
        """Whether whoever asks is killed at this moment: once."""
        if self.dies != when or self.victim is None:
            return False
        os.kill(self.victim, signal.SIGKILL)
        self.victim = None
        return True


class _Handler(BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self):
        tag = self.path.partition("tags=")[2].partition("&")[0].replace("%3A", ":")
        self._answer([each for each in self.server.annotations if tag in each["tags"]])

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.kills("before"):
            self.close_connection = True
            return
        self.server.told.append((self.command, self.path, body))
        if self.path == "/api/annotations" and self.server.status == 200:
            self.server.annotations.append(body)
        self.server.kills("after")
        self._answer({})

    def do_PATCH(self):
        self.do_POST()

    def _answer(self, document):
        data = json.dumps(document).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextmanager
def elsewhere():
    server = Elsewhere()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def grafana(server):
    return {"AGENTOBS_CONTROLLER_GRAFANA_URL": server.url, "AGENTOBS_CONTROLLER_GRAFANA_TOKEN": "of-grafana"}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_a_revision_and_its_effects_they_are_done_once_after_the_next_start(tmp_path, desk, moment):
    with elsewhere() as server:
        with as_process(tmp_path, grafana(server)) as controlled:
            eventually(lambda: len(server.annotations) == 2)
            server.dies, server.victim = moment, controlled.process.pid
            sent = {"environment": ENVIRONMENT, "reason": "x", "operation": {"kind": "kill", "agent": "planner"}}
            with suppress(requests.ConnectionError):  # it may be killed before it answers
                controlled.post("/v1/operations", json=sent)
            controlled.process.wait(timeout=60)
        assert desk.head.revision == 3
        with as_process(tmp_path, grafana(server)):
            eventually(lambda: len(server.annotations) == 3)
            eventually((tmp_path / "store/effects/prod/00000003-annotation").exists)
    told = [each["text"].partition(" (")[0] for each in server.annotations]
    assert [each.partition(":")[0] for each in told] == ["prod revision 1", "prod revision 2", "prod revision 3"]


def handled_of(folder):
    return lambda: [*folder.glob("store/handled/[0-9a-f]*")]


def test_killed_after_an_alert_was_answered_for_it_is_dealt_with_after_the_next_start(tmp_path, desk):
    with as_process(tmp_path) as controlled:
        assert controlled.notify(alert(version="99")).status_code == 200
        controlled.kill()
    with as_process(tmp_path):
        (handled,) = eventually(handled_of(tmp_path))
    assert json.loads(handled.read_bytes())["outcome"].startswith("ticket only")
    assert desk.head.revision == 2


def langfuse(server):
    return {
        "AGENTOBS_CONTROLLER_LANGFUSE_URL": server.url,
        "AGENTOBS_CONTROLLER_LANGFUSE_PUBLIC_KEY": "pk-lf-1",
        "AGENTOBS_CONTROLLER_LANGFUSE_SECRET_KEY": "sk-lf-1",
    }


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("status", [500, 403, 404])
def test_with_langfuse_down_or_refusing_the_revision_stands_and_the_drift_is_shown(tmp_path, status):
    with elsewhere() as server, in_thread(tmp_path, langfuse(server)) as controlled:
        server.status = status
        sent = {"environment": ENVIRONMENT, "reason": "x", "operation": {"kind": "freeze"}}
        assert controlled.post("/v1/operations", json=sent).json()["revision"] == 3
        path = f"/v1/environments/{ENVIRONMENT}/status"
        shown = eventually(lambda: controlled.get(path).json()["effects"]["errors"])
        assert (str(status) in shown["label"], "sk-lf-1" in json.dumps(shown)) == (True, False)
        assert str(status) in controlled.get(f"/environments/{ENVIRONMENT}").text
        server.status = 200
        controlled.service.outbox._pauses.clear()
        controlled.service.wake()
        eventually(lambda: not controlled.get(path).json()["effects"]["errors"])
    labelled = {path: body for _, path, body in server.told}
    assert labelled["/api/public/v2/prompts/planner/versions/13"] == {"newLabels": ["prod"]}
    assert "/api/public/v2/prompts/planner/versions/12" not in labelled


def test_what_was_done_is_a_log_record_with_who_and_why(tmp_path, desk):
    desk.do(Kill(request=request("pays twice"), target=Target(tool="search")))
    with elsewhere() as server, in_thread(tmp_path, {"AGENTOBS_CONTROLLER_OTLP_ENDPOINT": server.url}):
        eventually(lambda: len(server.told) == 3)
    record = server.told[-1][2]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    attributes = {each["key"]: each["value"]["stringValue"] for each in record["attributes"]}
    assert record["body"]["stringValue"] == "prod revision 3: kill (tool search): pays twice"
    assert (attributes["agentobs.release.by"], attributes["log.record.uid"]) == ("ada", "prod-3")
    assert record["timeUnixNano"] == "1796119200000000000"
