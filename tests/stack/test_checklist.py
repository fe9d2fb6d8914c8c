"""The checklist on the running stack: a healthy release passes, what is broken fails, and records are whole."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
import requests
import yaml
from support.stores import CHOSEN, LOGS, TRACES
from typer.testing import CliRunner

from alerts.prometheus import Prometheus
from collector.stores import TITLES
from dashboards.report import Period
from runbooks import checklist
from runbooks.baseline import record
from runbooks.checklist import Context, Limits, Phase, Status
from stacks import paths
from stacks.checklist.running import ERRORS, RunningStack
from stacks.cli.main import app
from stacks.endpoints import Endpoints
from stacks.environments import EnvName
from stacks.workspace import Workspace

RELEASE, SINCE = "support-desk-1.5.0", "40m"
EXAMPLE = Path(__file__).parents[2] / "runbooks/docs/evidence.example.yaml"
NONE = checklist.no_evidence("no evidence file was named")
BY_KEY = {item.key: item for item in checklist.ITEMS}


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


def written(path: Path, **changed) -> Path:
    """The example, with times of now."""
    good = yaml.safe_load(EXAMPLE.read_text())
    good["golden_dataset"]["ran_at"] = good["approvals"][0]["at"] = good["review"]["at"] = ago(minutes=1)
    good["rollback"]["rehearsed"]["at"] = ago(days=5)
    good |= changed
    path.write_text(yaml.safe_dump({key: value for key, value in good.items() if value is not None}))
    return path


@pytest.fixture(scope="module")
def released(stack, truths, tmp_path_factory):  # noqa: ARG001 they feed it
    """A healthy release, looked at from the command line in a folder of its own."""
    folder = tmp_path_factory.mktemp("release")
    where = ("-e", "healthy", "--since", SINCE)
    recorded = stack.agentobs("baseline", "record", "stable", *where, "-r", "support-desk-1.4.0", cwd=folder)
    evidence = written(folder / "evidence.yaml")
    options = ("-r", RELEASE, *where, "--evidence", str(evidence), "--baseline", "stable")
    before = stack.agentobs("checklist", "before", *options, "--json", ok=False, cwd=folder)
    return SimpleNamespace(folder=folder, options=options, recorded=recorded, before=before)


def test_a_baseline_holds_intervals_and_all_four_kinds_of_versions(released):
    found = json.loads((released.folder / "baselines/stable.json").read_text())
    assert {each["dimension"] for each in found["versions"]} == {"prompt", "tool", "model", "graph"}
    points = {point["kpi"]: point for point in found["points"]}
    success = points["task_success"]
    assert success["low"] < success["value"] < success["high"]
    assert success["events"] == 200
    assert points["task_latency"]["error"] > 0
    assert {point["labels"]["environment"] for point in found["points"]} == {"healthy"}


def test_a_healthy_release_passes_every_item(released):
    document = json.loads(released.before.stdout)
    other = {r["key"]: (r["status"], r["message"]) for r in document["results"] if r["status"] != "pass"}
    assert {key: status for key, (status, _) in other.items()} == {"grafana": "not applicable"}, other
    assert released.before.returncode == 0
    jsonschema.validate(document, checklist.Record.model_json_schema())
    names = {path.name for path in (released.folder / "checklists" / RELEASE).iterdir()}
    assert names == {"before.json", "before.md", "before.html", "before-client.html"}


@pytest.mark.usefixtures("released")
def test_the_probe_reached_the_receiver_and_was_taken_back(notified, eventually):
    def states():
        return {n.status for n in list(notified.notices) if n.labels["alertname"] == "DeliveryProbe"}

    assert eventually(states, lambda found: found == {"firing", "resolved"}) == {"firing", "resolved"}


def test_a_second_run_takes_over_what_passed_and_sends_no_second_probe(released, stack, notified):
    def probes():
        return sum(n.labels["alertname"] == "DeliveryProbe" and n.status == "firing" for n in list(notified.notices))

    sent = probes()
    again = stack.agentobs("checklist", "before", *released.options, cwd=released.folder)
    assert again.stdout.count("min ago)") == 30
    assert (
        sum(n.labels["alertname"] == "DeliveryProbe" and n.status == "firing" for n in list(notified.notices)) == sent
    )
    for name in ("before.json", "before.html"):
        path = released.folder / "checklists" / RELEASE / name
        assert "is unchanged" in CliRunner().invoke(app, ["checklist", "verify", str(path)]).output


def test_the_first_hours_of_a_healthy_release_pass(released, stack):
    evidence = written(released.folder / "after.yaml", canary=None)
    options = ("-r", RELEASE, "-e", "healthy", "--window", SINCE, "--evidence", str(evidence), "--baseline", "stable")
    done = stack.agentobs("checklist", "after", *options, "--json", ok=False, cwd=released.folder)
    results = {r["key"]: r for r in json.loads(done.stdout)["results"]}
    other = {key: (r["status"], r["message"]) for key, r in results.items() if r["status"] != "pass"}
    assert set(other) == {"canary"}, other
    assert other["canary"][0] == "not applicable"
    assert done.returncode == 0
    drawn = results["sample-drawn"]["proofs"]
    # The slow ones are often the dear ones, and are drawn once.
    assert all(f"{kind} of" in results["sample-drawn"]["message"] for kind in ("failed", "slow", "costly", "random"))
    assert {proof["what"].split(":")[0] for proof in drawn} >= {"failed", "slow", "random"}
    assert len({proof["link"] for proof in drawn}) == len(drawn)
    assert requests.get(drawn[0]["link"], timeout=10).status_code == 200


@pytest.fixture
def look(stack, monkeypatch):
    """Look at one item of the running stack, in this process."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(stack.home))
    urls = {name: stack.url(name) for name in ("prometheus", "alertmanager", LOGS, TRACES)}

    def judge(key, environment, start, end, *, evidence=NONE, baseline="none", limits=(0.1, 0.1, 3), **moved):
        platform = RunningStack(
            Workspace(EnvName.LOCAL), Endpoints(urls={**urls, **moved}), Period(start=start, end=end), environment
        )
        context = Context(
            stack="local", environment=environment, release=RELEASE, start=start, end=end, evidence=evidence,
            baseline=baseline, platform=platform, seed="1", errors=ERRORS,
            limits=Limits(disk_free=limits[0], memory_free=limits[1], per_stratum=limits[2]),
        )  # fmt: skip
        return checklist.run([BY_KEY[key]], context)[0]

    return judge


def now() -> float:
    return datetime.now(UTC).timestamp()


def recent(look, key, environment="healthy", **rest):
    return look(key, environment, now() - 2400, now(), **rest)


@contextmanager
def changed(stack, **settings):
    """Settings of the stack changed in its file and not rolled out; None takes one out."""
    file = stack.home / "project" / "Pulumi.local.yaml"
    good = file.read_text()
    document = yaml.safe_load(good)
    wanted = document["config"] | {f"agentobs:{key}": value for key, value in settings.items()}
    document["config"] = {key: value for key, value in wanted.items() if value is not None}
    file.write_text(yaml.safe_dump(document))
    try:
        yield
    finally:
        file.write_text(good)


@pytest.mark.usefixtures("truths")
def test_settings_that_were_not_rolled_out_are_found_as_rules_and_as_drift(stack, look):
    with changed(stack, dailyBudgetUsd="7"):
        rules, drift = recent(look, "rules-loaded"), recent(look, "no-drift")
    assert (rules.status, drift.status) == (Status.FAIL, Status.FAIL)
    assert "missing or other than rendered: kpi:spend:daily_budget" in rules.message
    assert "update prometheus" in drift.message


@pytest.mark.usefixtures("truths")
def test_a_receiver_that_should_not_be_there_is_found(stack, look):
    with changed(stack, alertWebhook=None):
        found = recent(look, "receivers")
    assert found.status is Status.FAIL
    assert "does not run with the rendered routes and receivers" in found.message
    assert [proof.value for proof in found.proofs] == [
        "show: webhook; dead-mans-switch: webhook",
        "show: nobody; dead-mans-switch: webhook",
    ]


@pytest.mark.usefixtures("truths")
def test_a_silence_is_found_with_its_owner(stack, look):
    url = f"{stack.url('alertmanager')}/api/v2/silence"
    matcher = {"name": "environment", "value": "healthy", "isRegex": False, "isEqual": True}
    body = {
        "matchers": [matcher], "startsAt": ago(seconds=5), "endsAt": ago(minutes=-5), "createdBy": "bob",
        "comment": "maintenance",
    }  # fmt: skip
    made = requests.post(f"{url}s", json=body, timeout=10).json()["silenceID"]
    try:
        found, elsewhere = recent(look, "silences"), recent(look, "silences", "canary")
    finally:
        requests.delete(f"{url}/{made}", timeout=10)
    assert found.status is Status.FAIL
    assert 'environment="healthy" by bob' in found.proofs[0].what
    assert elsewhere.status is Status.PASS


@pytest.mark.usefixtures("truths")
def test_an_environment_without_traffic_has_no_boards(look):
    found = recent(look, "boards-fed", "nobody-here")
    assert found.status is Status.FAIL
    assert "nothing to show for environment nobody-here" in found.message


@pytest.mark.usefixtures("truths")
def test_a_disk_is_low_by_the_limit_that_was_given(look):
    assert recent(look, "disk").status is Status.PASS
    assert "free, at least 99.9% wanted" in recent(look, "disk", limits=(0.999, 0.1, 3)).message


@pytest.mark.usefixtures("truths")
@pytest.mark.parametrize(
    ("key", "store"),
    [
        ("watchdog", "alertmanager"),
        ("delivery", "alertmanager"),
        ("targets-up", "prometheus"),
        ("sample-drawn", TRACES),
    ],
)
def test_a_store_that_is_down_leaves_its_items_unjudged(look, key, store):
    found = recent(look, key, **{store: "http://127.0.0.1:9"})
    assert found.status is Status.UNJUDGED
    assert "answers at http://127.0.0.1:9" in found.message


def test_a_store_that_is_down_makes_its_panels_errors(look, truths):  # noqa: ARG001 they feed it
    found = recent(look, "boards-fed", **{LOGS: "http://127.0.0.1:9"})
    assert found.status is Status.FAIL
    assert f"no {TITLES[CHOSEN.logs]} answers" in found.message


def test_a_bad_release_fails_objectives_baseline_alerts_and_versions(stack, truths, look):
    truth = truths["tool-regression"]
    # The workload's last calls of the old version end after the change; counters are told a little later still.
    change, end = truth["changed_at"], truth["ended_at"] + 30
    source = Prometheus(stack.url("prometheus"))
    stable = record(
        source, name="old", environment="tool-regression", start=truth["started_at"] - 5, end=change, by="ada"
    )
    text = yaml.safe_dump({**yaml.safe_load(EXAMPLE.read_text()), "release": RELEASE})
    evidence = checklist.parse_evidence(text, "evidence.yaml", RELEASE)
    found = {
        item.key: look(item.key, "tool-regression", change, end, baseline=stable, evidence=evidence)
        for item in checklist.items(Phase.AFTER)
    }
    failed = {key for key, result in found.items() if result.status is Status.FAIL}
    assert failed >= {"objectives", "against-baseline", "alerts-fired", "versions-running"}
    assert "Tool call success order_lookup" in found["objectives"].message
    assert "Tool call success order_lookup" in found["against-baseline"].message
    assert "ToolFailing" in found["alerts-fired"].message
    assert "tool order_lookup also ran as 4.0.0" in found["versions-running"].message
    assert any("new version: " in proof.what and "tool 4.0.0" in proof.what for proof in found["sample-drawn"].proofs)


@pytest.mark.usefixtures("truths")
def test_the_same_seed_draws_the_same_sample(look):
    end = now()
    first, second = (look("sample-drawn", "healthy", end - 2400, end) for _ in range(2))
    assert first.proofs == second.proofs
    assert first.status is Status.PASS


@pytest.mark.usefixtures("reports")
def test_a_canary_that_fails_is_judged_against_what_is_stable(look):
    found = recent(look, "canary", "canary")
    assert found.status is Status.FAIL
    assert "worse than the stable track: Task success support" in found.message
