"""The release controller as agents, programs and Alertmanager meet it: over HTTP, on a real store."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
from support.controlled import WEBHOOK, as_process, in_thread, metrics_of
from support.delivered import ENVIRONMENT, Desk, prompt_text, release, request, sha
from support.waiting import eventually

from agentobs import pins
from alerts.release_metrics import LABELS, ReleaseMetric
from delivery.controller.followers import DEAF_S, Followers
from delivery.controller.webhook import LARGEST, Gate
from delivery.environments.operations import Kill, Start, Target
from delivery.releases import Dim
from delivery.store import StoreError

SNAPSHOT = f"/v1/environments/{ENVIRONMENT}/snapshot"


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "store")
    desk.promote(release())
    return desk


@pytest.fixture
def controlled(tmp_path, desk):  # noqa: ARG001 its store
    with in_thread(tmp_path) as controlled:
        yield controlled


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    """A controller that is asked for what it refuses, by many tests."""
    folder = tmp_path_factory.mktemp("unchanged")
    desk = Desk(folder / "store")
    desk.promote(release())
    with in_thread(folder) as controlled:
        yield controlled
    assert (desk.head.revision, [*(folder / "store").glob("alerts/*")]) == (1, [])


def kill(desk, agent="planner"):
    return desk.do(Kill(request=request(), target=Target(agent=agent)))


def test_an_agent_has_its_snapshot_at_once_and_waits_for_the_next(controlled):
    first = controlled.get(f"{SNAPSHOT}?after=0&instance=a&wait=20")
    assert pins.parse(first.content).revision == 1
    assert controlled.get(f"{SNAPSHOT}?after=1&instance=a&wait=0.1").status_code == 204
    # One that holds more than the store has is not sent back: the store may be an old backup.
    assert controlled.get(f"{SNAPSHOT}?after=9&instance=b&wait=0").status_code == 204


def test_whoever_waits_wakes_when_somebody_else_writes_the_store(controlled, desk):
    got: list[tuple[float, int]] = []

    def wait():
        answer = controlled.get(f"{SNAPSHOT}?after=1&instance=a&wait=20")
        got.append((time.monotonic(), pins.parse(answer.content).revision))

    waiting = threading.Thread(target=wait)
    waiting.start()
    eventually(lambda: controlled.service.followers.of(ENVIRONMENT))
    kill(desk)
    waiting.join(timeout=20)
    assert [number for _, number in got] == [2]


def test_who_waits_when_it_ends_is_answered(tmp_path, desk):
    got: list[int] = []
    with as_process(tmp_path) as controlled:
        waiting = threading.Thread(
            target=lambda: got.append(controlled.get(f"{SNAPSHOT}?after=1&instance=a&wait=20").status_code)
        )
        waiting.start()
        eventually(lambda: 'instance="a"' in controlled.get("/metrics").text)
        controlled.process.terminate()
        controlled.process.wait(timeout=20)
        waiting.join(timeout=20)
    assert (got, desk.head.revision) == ([204], 1)
    assert "Traceback" not in (tmp_path / "controller.log").read_text()


def test_the_clients_of_the_sdk_hold_what_the_controller_tells(controlled):
    client = pins.configure(environment=ENVIRONMENT, url=controlled.url, instance="sdk-1")
    try:
        assert client.wait(20).revision == 1
        assert client.text(sha(prompt_text("planner", "12"))) == prompt_text("planner", "12")
        controlled.post("/v1/operations", json=operation("kill", agent="planner"))
        eventually(lambda: client.killed.of("planner"))
        eventually(lambda: holds(controlled) == {"sdk-1": 2})
    finally:
        client.close()


def holds(controlled):
    return {one.instance: one.revision for one in controlled.service.followers.of(ENVIRONMENT)}


def test_agents_that_read_a_file_hear_of_what_is_done_here(tmp_path, desk):
    file = tmp_path / "store/snapshots/prod.json"
    with as_process(tmp_path) as controlled:
        eventually(file.exists)
        client = pins.configure(environment=ENVIRONMENT, file=file)
        try:
            controlled.post("/v1/operations", json=operation("kill", agent="planner"))
            eventually(lambda: client.wait().killed.of("planner"))
        finally:
            client.close()
    assert desk.head.revision == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{SNAPSHOT}?after=-1", 400),
        (f"{SNAPSHOT}?after=nan", 400),
        (f"{SNAPSHOT}?wait=1e9", 400),
        (f"{SNAPSHOT}?instance=a%20b", 400),
        (f"{SNAPSHOT}?instance={'a' * 201}", 400),
        ("/v1/environments/..%2Fprod/snapshot", 404),
        ("/v1/environments/PROD/snapshot", 400),
        ("/v1/environments/new/snapshot?wait=0", 204),
        ("/v1/content/etc", 404),
        (f"/v1/content/{'0' * 64}", 404),
    ],
)
def test_what_agents_ask_wrongly_is_refused(unchanged, path, status):
    assert unchanged.get(path).status_code == status


@pytest.mark.usefixtures("desk")
def test_with_a_token_of_agents_nobody_else_reads_what_they_run(tmp_path):
    with in_thread(tmp_path, {"AGENTOBS_CONTROLLER_AGENT_TOKEN": "secret-of-agents"}) as controlled:
        asked = f"{SNAPSHOT}?after=0"
        right = {"Authorization": "Bearer secret-of-agents"}
        statuses = [controlled.get(asked, headers=headers).status_code for headers in ({}, controlled.login, right)]
    assert statuses == [401, 401, 200]


def test_a_store_that_breaks_keeps_what_is_held_and_says_so(controlled, tmp_path):
    assert controlled.get(f"{SNAPSHOT}?after=0").status_code == 200
    (tmp_path / "store/environments/prod/00000002").write_bytes(b"{}")
    eventually(lambda: controlled.service.feed.error)
    assert controlled.get(f"{SNAPSHOT}?after=0").status_code == 200
    status = controlled.get(f"/v1/environments/{ENVIRONMENT}/status")
    assert (status.status_code, "revision 2" in status.text) == (503, True)
    assert metrics_of(controlled.get("/metrics").text)["agentobs_release_store_readable"][()] == 0


def test_an_agent_that_is_silent_for_two_minutes_is_deaf_and_named():
    now = [1000.0]
    followers = Followers(clock=lambda: now[0])
    followers.heard("prod", "a", 1)
    followers.heard("prod", "b", 1)
    now[0] += DEAF_S - 1
    followers.heard("prod", "b", 2)
    now[0] += 1
    found = {one.instance: (one.deaf, one.held_s) for one in followers.of("prod")}
    assert found == {"a": (True, DEAF_S), "b": (False, 1.0)}


@pytest.mark.parametrize("path", ["/", "/metrics", "/v1/environments/prod/snapshot?after=0&wait=0", "/readyz"])
@pytest.mark.parametrize(
    ("host", "status"), [("evil.example.com", 400), ("127.0.0.1.evil.example.com", 400), ("", 400)]
)
def test_a_name_that_is_not_this_computers_is_not_answered(unchanged, path, host, status):
    """A page whose name leads here by DNS would read releases and prompts as its own."""
    assert unchanged.get(path, headers={**unchanged.login, "Host": host}).status_code == status


def test_an_agent_that_ends_is_gone_and_not_deaf(controlled):
    """Also where what it waited for ends after it has left."""
    controlled.get(f"{SNAPSHOT}?after=1&instance=a&wait=0")
    assert controlled.get(f"{SNAPSHOT}?instance=a&leaving=1").status_code == 204
    controlled.get(f"{SNAPSHOT}?after=1&instance=a&wait=0")
    assert 'instance="a"' not in controlled.get("/metrics").text


def test_the_metrics_say_who_runs_what(controlled, desk):
    controlled.get(f"{SNAPSHOT}?after=1&instance=a&wait=0")
    controlled.get(f"{SNAPSHOT}?after=0&instance=%22b%5C&wait=0")
    found = metrics_of(controlled.get("/metrics").text)
    running = desk.head.stable.release
    assert found["agentobs_release_revision"] == {(("environment", "prod"),): 1}
    assert found["agentobs_release_deaf_agents"] == {(("environment", "prod"),): 0}
    told = {dict(labels)["instance"]: dict(labels) for labels in found["agentobs_release_instance_info"]}
    assert told["a"] == {"environment": "prod", "instance": "a", "release": running, "revision": "1"}
    assert told['"b\\']["release"] == ""
    for name, series in found.items():
        # A scrape keeps `instance` for its own.
        said = {"exported_instance" if label == "instance" else label for labels in series for label, _ in labels}
        assert said <= {*LABELS[ReleaseMetric(name)]}, name


def test_the_metrics_name_the_pins_of_both_tracks_as_telemetry_names_versions(controlled, desk):
    desk.promote(release(executor="5", name="support-2"))
    desk.roll_back(Dim.PROMPT, "4", "executor")
    desk.do(Start(request=request(), release=desk.add(release(planner="13", search="3.1.0")), share=500))
    found = [dict(each) for each in metrics_of(controlled.get("/metrics").text)["agentobs_release_pin_info"]]
    assert all(each.pop("environment") == "prod" for each in found)
    assert {(each.pop("dimension"), each.pop("version"), *sorted(each.items())) for each in found} == {
        ("graph", "7", ("workflow", "support")),
        ("prompt", "4", ("agent_name", "executor"), ("prompt_name", "executor")),
        ("prompt", "12", ("agent_name", "planner"), ("prompt_name", "planner")),
        ("prompt", "13", ("agent_name", "planner"), ("prompt_name", "planner")),
        ("model", "gpt-4.1", ("agent_name", "executor")),
        ("model", "gpt-4.1", ("agent_name", "planner")),
        ("tool", "3.0.0", ("tool_name", "search")),
        ("tool", "3.1.0", ("tool_name", "search")),
    }


def operation(kind, environment=ENVIRONMENT, reason="because", **words):
    more = {"id": words.pop("id")} if "id" in words else {}
    return {"environment": environment, "reason": reason, "operation": {"kind": kind, **words}, **more}


def test_an_operation_over_the_api_is_done_once_and_in_the_history(controlled, desk):
    asked = operation("kill", tool="search", id="mine")
    answers = [controlled.post("/v1/operations", json=asked).json() for _ in range(2)]
    assert answers == [{"revision": 2, "changed": True}, {"revision": 2, "changed": False}]
    done = desk.head.operation
    assert (done.kind, done.via, done.reason, done.set) == ("kill", "api", "because", {"tool": "search"})


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (operation("explode"), 400),
        (operation("kill"), 400),
        (operation("kill", agent="planner", tool="search"), 400),
        (operation("kill", agent="planner", more=1), 400),
        (operation("kill", agent="planner", reason=" "), 400),
        (operation("kill", agent="planner", environment="../prod"), 400),
        (operation("start", release="0" * 12, share=0), 400),
        (operation("start", release="0" * 12, share=10_001), 400),
        (operation("promote", release="0" * 12), 422),
        (operation("rollback", dimension="prompt", to="11"), 400),
        (operation("rollback", dimension="prompt", agent="planner", to="11", expect="10"), 409),
        (operation("thaw"), 422),
        ([], 400),
        ("[" * 100_000, 413),
        ("[" * 50_000, 400),
        ("{", 400),
    ],
)
def test_what_is_no_operation_changes_nothing(unchanged, sent, status):
    body = {"data": sent, "headers": {**unchanged.login, "Content-Type": "application/json"}}
    answer = unchanged.post("/v1/operations", **(body if isinstance(sent, str) else {"json": sent}))
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_an_operation_needs_somebody_and_no_page_of_another_site_sends_it(unchanged, headers, status):
    login = {} if status == 401 else unchanged.login
    answer = unchanged.post("/v1/operations", json=operation("freeze"), headers={**login, **headers})
    assert answer.status_code == status


def alert(fingerprint="1290d9aa01", began=None, status="firing", **labels):
    began = began or datetime.now(UTC) - timedelta(minutes=6)
    return {
        "status": status, "fingerprint": fingerprint, "startsAt": began.isoformat(), "annotations": {},
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://x/",
        "labels": {"alertname": "VersionRegression", "environment": ENVIRONMENT, **labels},
    }  # fmt: skip


def kept(controlled):
    return controlled.service.journal.names("alerts")


def test_an_alert_is_kept_once_however_often_it_is_told(controlled):
    again, other = alert(), alert("77aa77aa77")
    answers = [controlled.notify(each, each).json() for each in (again, again, other)]
    assert [each["new"] for each in answers] == [1, 0, 1]
    later = {**again, "startsAt": datetime.now(UTC).isoformat()}
    assert controlled.notify(later).json()["new"] == 1
    assert len(kept(controlled)) == 3


@pytest.mark.parametrize("token", ["", "wrong", WEBHOOK[:-1]])
def test_a_webhook_without_its_token_is_refused(unchanged, token):
    assert unchanged.notify(alert(), token=token).status_code == 401
    assert kept(unchanged) == []


@pytest.mark.usefixtures("desk")
def test_without_a_configured_token_no_alert_is_taken(tmp_path):
    with in_thread(tmp_path, {"AGENTOBS_CONTROLLER_WEBHOOK_TOKEN": ""}) as controlled:
        assert [controlled.notify(alert(), token=token).status_code for token in ("", "None")] == [401, 401]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"\xff\xfe", b'{"version": "3", "alerts": []}', b'{"version": "4"}',
        b'{"version": "4", "alerts": [{"status": "firing"}]}',
        b'{"version": "4", "alerts": [{"status": "firing", "labels": {}, "startsAt": "x", "fingerprint": "../.."}]}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_webhook_of_another_form_is_refused(unchanged, body):
    answer = unchanged.post("/v1/alerts", data=body, headers={"Authorization": f"Bearer {WEBHOOK}"})
    assert answer.status_code == 400


@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_are_not_read(unchanged, chunked):
    piece = b" " * LARGEST
    data = iter([piece] * 10) if chunked else piece * 10
    try:
        status = unchanged.post("/v1/alerts", data=data, headers={"Authorization": f"Bearer {WEBHOOK}"}).status_code
    except requests.ConnectionError:
        status = 413  # hung up before all of it was sent, which is what it is about
    assert status == 413


def test_a_flood_is_told_to_come_again(controlled):
    controlled.service.gate = Gate(per_s=0.0, burst=2)
    assert [controlled.notify(alert()).status_code for _ in range(4)] == [200, 200, 429, 429]


def test_a_gate_fills_again_with_time_and_never_beyond_its_burst():
    now = [0.0]
    gate = Gate(per_s=1, burst=2, clock=lambda: now[0])
    first = [gate.lets_in() for _ in range(3)]
    now[0] = 1.5
    second = [gate.lets_in() for _ in range(2)]
    now[0] = 1000
    assert (first, second, [gate.lets_in() for _ in range(3)]) == (
        [True, True, False],
        [True, False],
        [True, True, False],
    )


def test_an_alert_that_cannot_be_kept_is_not_answered_for(controlled, monkeypatch):
    def full(*_):
        raise StoreError("the disk is full")

    monkeypatch.setattr(controlled.service.journal._blobs, "create", full)
    assert controlled.notify(alert()).status_code == 503
    monkeypatch.undo()
    assert controlled.notify(alert()).json()["new"] == 1
