"""The checklist: a release in order passes, each single thing that is broken fails with its own message."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from support.in_order import NOW, FakePlatform, Metrics, StoreDownError, baseline, context, healthy_metrics, running

from alerts import probing
from alerts.routing import Profile, Routing, config
from alerts.source import Sample, Series
from runbooks import checklist
from runbooks.checklist import Phase, Status
from runbooks.checklist.platform import (
    ActiveAlert,
    Backend,
    BoardState,
    Delivery,
    Headroom,
    LiveCheck,
    Sent,
    Silence,
)

EXAMPLE = Path(__file__).parents[2] / "runbooks/docs/evidence.example.yaml"


def at(days: float) -> str:
    return datetime.fromtimestamp(NOW - days * 86_400, UTC).isoformat()


def written(**changed) -> dict:
    good = {
        "release": "r1",
        "author": "ada",
        "versions": [
            {"dimension": "prompt", "name": "planner", "version": "8", "previous": "7"},
            {"dimension": "tool", "name": "lookup", "version": "3.1.0", "previous": "3.1.0"},
            {"dimension": "model", "name": "planner", "version": "m-1", "previous": "m-1"},
            {"dimension": "graph", "name": "support", "version": "3", "previous": "3"},
        ],
        "golden_dataset": {"dataset": "g 1", "cases": 200, "passed": 196, "required_share": 0.95, "ran_at": at(1)},
        "rollback": {
            "steps": {"prompt": "move the label"},
            "owner": "lin",
            "rehearsed": {"at": at(10), "environment": "staging", "took_s": 40, "by": "lin"},
        },
        "canary": {"percent": 5, "hold": "24h", "aborts_when": ["VersionRegression"]},
        "approvals": [{"by": "grace", "role": "owner", "at": at(0.1)}],
    }
    return {**good, **changed}


def evidence(**changed):
    return checklist.parse_evidence(yaml.safe_dump(written(**changed)), "evidence.yaml", "r1")


def looked(platform=None, *, found=None, phase=Phase.BEFORE, **changed):
    ctx = context(platform or FakePlatform(), found or evidence(), **changed)
    return {result.key: result for result in checklist.run(checklist.items(phase), ctx)}


def test_a_release_in_order_passes():
    results = looked()
    assert {result.status for result in results.values()} == {Status.PASS}
    assert len(results) == len(checklist.items(Phase.BEFORE))


# ruff: noqa: E501 tables of one line a case
# One thing is broken: item -> what is spoilt in the platform, and words of the message.
PLATFORM = [
    ("backends-ready", {"backends_": [Backend(name="loki", url="u", ready=False, message="nobody answers at u")]},
     "loki is not ready: nobody answers at u"),
    ("rules-loaded", {"rules_": running()[1:]}, "missing or other than rendered: kpi:x"),
    ("rules-loaded", {"rules_": [*running()[:1], replace(running()[1], expr="vector(0)")]}, "Watchdog"),
    ("rules-healthy", {"rules_": [replace(running()[0], error="bad vector"), running()[1]]}, "rules fail: kpi:x"),
    ("rules-healthy", {"rules_": [replace(running()[0], at=NOW - 3600), running()[1]]}, "not evaluated for 10 minutes"),
    ("receivers", {"config_": config(Routing(profile=Profile.SHOW))}, "does not run with the rendered routes"),
    ("watchdog", {"alerts_": []}, "the Watchdog does not reach Alertmanager"),
    ("watchdog", {"deliveries_": {}}, "the dead man's switch has no receiver"),
    ("watchdog", {"deliveries_": {"dead-mans-switch": Delivery(requests=3, failed=3)}}, "never delivered"),
    ("delivery", {"sent": Sent(receivers=("show",), took_s=60, message="show did not take the probe")}, "show did not take"),
    ("silences", {"silences_": [Silence(matchers=('severity="page"',), until=NOW, by="bob", comment="")]}, "1 silences"),
    ("no-open-page", {"alerts_": [
        *FakePlatform().alerts_,
        ActiveAlert(labels={"alertname": "ToolFailing", "severity": "page", "environment": "prod"}, receivers=(), muted_by=()),
    ]}, "pages are open: ToolFailing"),
    ("boards-fed", {"boards_": [BoardState(slug="fleet", title="", panels=9, with_data=2, due=0, without_data=(), errors=())]},
     "nothing to show for environment prod: no KPI has traffic there"),
    ("boards-fed", {"boards_": [BoardState(slug="fleet", title="", panels=9, with_data=8, due=3, without_data=("Tasks",), errors=())]},
     "without data though their KPI has traffic: fleet / Tasks"),
    ("boards-fed", {"boards_": [BoardState(slug="fleet", title="", panels=9, with_data=8, due=3, without_data=(), errors=(("P", "no"),))]},
     "1 panels show an error: fleet / P: no"),
    ("grafana", {"grafana_": {"fleet": "edited"}}, "not as rendered: fleet (edited)"),
    ("no-drift", {"drift_": ["update tempo"]}, "a preview would change 1 resources: update tempo"),
    ("processes", {"live_": [LiveCheck(subject="processes", what="loki", good=False, message="does not run")]}, "loki: does not run"),
    ("ports", {"live_": [LiveCheck(subject="ports", what="tempo 3200", good=False, message="open to the network")]}, "tempo 3200"),
    ("secrets", {"live_": [LiveCheck(subject="secrets", what="passphrase", good=False, message="mode 0644")]}, "mode 0644"),
    ("binaries", {"live_": [LiveCheck(subject="versions", what="loki", good=False, message="3.6.0, pinned is 3.7.8")]}, "3.6.0"),
    ("disk", {"room_": [Headroom(what="disk", free=0.1, message="")]}, "disk: 10.0% free, at least 15.0% wanted"),
    ("memory", {"room_": [Headroom(what="memory", free=0.02, message="")]}, "memory: 2.0% free"),
    ("telemetry-complete", {"telemetry_": ["web: no outcome"]}, "required telemetry is missing: web: no outcome"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "spoilt", "said"), PLATFORM)
def test_a_broken_platform_fails_the_item_that_looks_at_it(key, spoilt, said):
    results = looked(FakePlatform(**spoilt))
    assert results[key].status is Status.FAIL
    assert said in results[key].message
    assert results[key].fix
    others = {other for other, result in results.items() if result.status is Status.FAIL} - {key}
    assert others <= {"watchdog"} if key == "no-open-page" else True


METRICS = [
    ("targets-up", "up", [Sample({"job": "loki", "instance": "a"}, 0.0)], "not reached: loki (a)"),
    (
        "notifications",
        probing.probe(probing.NOTIFICATIONS).expr,
        [Sample({"integration": "slack"}, 2.0)],
        "by slack fail",
    ),
    (
        "queues",
        probing.probe(probing.ROOM["queues"]).expr,
        [Sample({"exporter": "loki"}, 0.6)],
        "CollectorQueueFilling",
    ),
    ("series", probing.probe(probing.ROOM["series"]).expr, [Sample({}, 0.9)], "SeriesNearLimit begins at 80%"),
    ("rules-time", probing.probe(probing.ROOM["rules"]).expr, [Sample({"rule_group": "kpi"}, 0.9)], "RulesSlow"),
]


@pytest.mark.parametrize(("key", "query", "samples", "said"), METRICS)
def test_a_measure_beyond_its_alert_fails(key, query, samples, said):
    metrics = Metrics({**healthy_metrics().answers, query: samples})
    result = looked(FakePlatform(metrics=metrics))[key]
    assert result.status is Status.FAIL
    assert said in result.message


def test_a_peak_is_no_lack_of_room():
    class Peak(Metrics):
        def range(self, query, start, end, step):  # noqa: ARG002 a protocol
            return [Series({"rule_group": "kpi"}, [(start, 0.1), (end, 0.99)])]

    result = looked(FakePlatform(metrics=Peak(healthy_metrics().answers)))["rules-time"]
    assert result.status is Status.PASS


EVIDENCE = [
    ("golden-dataset", {"golden_dataset": None}, "evidence.yaml has no section `golden_dataset`"),
    ("golden-dataset", {"golden_dataset": {**written()["golden_dataset"], "passed": 150}}, "75.0% of the cases passed"),
    ("golden-dataset", {"golden_dataset": {**written()["golden_dataset"], "ran_at": at(30)}}, "ran 30 days ago"),
    ("golden-dataset", {"golden_dataset": {"dataset": "g", "cases": 1, "passed": 1, "ran_at": at(1)}},
     "`golden_dataset.required_share` is missing"),
    ("golden-dataset", {"golden_dataset": {**written()["golden_dataset"], "ran_at": "2026-01-01T00:00:00"}}, "without a zone"),
    ("golden-dataset", {"golden_dataset": {**written()["golden_dataset"], "passed": "many"}}, "and it is 'many'"),
    ("versions-pinned", {"versions": written()["versions"][:3]}, "no version of any graph"),
    ("versions-pinned", {"versions": [*written()["versions"], {"dimension": "model", "name": "x", "version": "latest", "previous": "latest"}]},
     "a name that moves is no version: model x: latest"),
    ("rollback-plan", {"rollback": {"steps": {"tool": "x"}, "owner": "lin"}}, "no step for prompt"),
    ("rollback-rehearsed", {"rollback": {"steps": {"prompt": "x"}, "owner": "lin"}}, "never rehearsed"),
    ("rollback-rehearsed", {"rollback": {**written()["rollback"], "rehearsed":
     {**written()["rollback"]["rehearsed"], "at": at(200)}}}, "rehearsed 200 days ago"),
    ("rollback-rehearsed", {"rollback": {**written()["rollback"], "rehearsed":
     {**written()["rollback"]["rehearsed"], "took_s": 900}}}, "it took 900 s"),
    ("canary-share", {"canary": {**written()["canary"], "percent": 0}}, "gets 0 %"),
    ("canary-share", {"canary": {**written()["canary"], "percent": 80}}, "more than 50% is no canary"),
    ("canary-share", {"canary": {**written()["canary"], "precent": 5}}, "`canary.precent` is not known"),
    ("approvals", {"approvals": [{"by": "Ada", "role": "author", "at": at(1)}]}, "nobody but the author, ada, approved"),
    ("approvals", {"approvals": [{"by": "grace", "role": "owner", "at": at(-1)}]}, "lies in the future"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "spoilt", "said"), EVIDENCE)
def test_bad_evidence_fails_its_item_and_spoils_no_other(key, spoilt, said):
    results = looked(found=evidence(**{name: value for name, value in spoilt.items() if value is not None}))
    if None in spoilt.values():
        left = {name: value for name, value in written().items() if name not in spoilt}
        results = looked(found=checklist.parse_evidence(yaml.safe_dump(left), "evidence.yaml", "r1"))
    assert results[key].status is Status.FAIL
    assert said in results[key].message
    assert results[key].fix
    spread = {"rollback-plan", "rollback-rehearsed"} if "rollback" in spoilt else {key}
    assert {name for name, result in results.items() if result.status is Status.FAIL} <= spread


FILES = [
    ("a: [", "is neither YAML nor JSON"),
    ("- 1", "holds no keys"),
    ("release: r2\nauthor: a", "is for release 'r2', and this is the checklist of 'r1'"),
    ("release: r1\nauthor: a\ncanari: 5", "canari is not known; the keys are release"),
]


@pytest.mark.parametrize(("text", "said"), FILES)
def test_a_file_that_is_no_evidence_fails_everything_that_reads_it(text, said):
    results = looked(found=checklist.parse_evidence(text, "evidence.yaml", "r1"))
    reading = [item.key for item in checklist.items(Phase.BEFORE) if item.reads == "evidence"]
    assert len(reading) == 6
    for key in reading:
        assert results[key].status is Status.FAIL
        assert said in results[key].message


BASELINES = [
    ("there is no baseline baselines/x.json", "there is no baseline baselines/x.json"),
    (baseline(recorded_at=NOW - 30 * 86_400), "30 days old; at most 14 days count"),
    (baseline(environment="staging"), "is of environment staging, not prod"),
    (baseline(points=[baseline().points[0].model_copy(update={"kpi": "tool_success"})]), "no value of task success"),
]


@pytest.mark.parametrize(("found", "said"), BASELINES)
def test_a_baseline_that_is_missing_old_or_of_elsewhere_fails(found, said):
    result = looked(baseline=found)["baseline-recorded"]
    assert result.status is Status.FAIL
    assert said in result.message
    assert "agentobs baseline record" in result.fix


def test_a_store_that_does_not_answer_leaves_its_items_unjudged_and_the_others_alone():
    down = StoreDownError("no Alertmanager answers at http://127.0.0.1:9093")
    results = looked(FakePlatform(config_=down, alerts_=down, silences_=down, sent=down))
    unjudged = {key for key, result in results.items() if result.status is Status.UNJUDGED}
    assert unjudged == {"receivers", "watchdog", "delivery", "silences", "no-open-page"}
    assert all("no Alertmanager answers" in results[key].message for key in unjudged)
    assert {result.status for key, result in results.items() if key not in unjudged} == {Status.PASS}


@pytest.mark.parametrize(
    ("matcher", "mutes"),
    [
        ('severity="page"', True),
        ('environment="prod"', True),
        ('environment="dev"', False),
        ('environment=~"dev|prod"', True),
        ('environment=~"dev|staging"', False),
        ('environment!="prod"', False),
        ('environment!~"dev.*"', True),
    ],
)
def test_a_silence_counts_where_it_can_mute_this_environment(matcher, mutes):
    silence = Silence(matchers=('alertname="X"', matcher), until=NOW, by="bob", comment="")
    assert (looked(FakePlatform(silences_=[silence]))["silences"].status is Status.FAIL) is mutes


def test_a_muted_probe_proves_nothing_either_way():
    result = looked(FakePlatform(sent=Sent(receivers=("show",), took_s=1, muted_by=("abc",))))["delivery"]
    assert result.status is Status.UNJUDGED
    assert "muted by abc" in result.message


def test_the_probe_is_a_ticket_that_says_what_it_is_for():
    platform = FakePlatform()
    looked(platform)
    (labels,) = platform.probes
    assert labels["severity"] == "ticket"
    assert "environment" not in labels
    assert labels["release"] == "r1"


def test_what_a_kind_of_stack_lacks_is_not_applicable_with_the_reason():
    results = looked(
        FakePlatform(live_=[], room_=[]), missing={"live": "it runs elsewhere", "grafana": "none was named"}
    )
    for key, reason in {"ports": "it runs elsewhere", "disk": "it runs elsewhere", "grafana": "none was named"}.items():
        assert results[key].status is Status.NOT_APPLICABLE
        assert results[key].message == reason


def test_rules_of_an_operator_in_groups_of_their_own_are_no_difference():
    own = replace(running()[0], group="mine", name="own:rule")
    assert looked(FakePlatform(rules_=[*running(), own]))["rules-loaded"].status is Status.PASS
    among_ours = replace(own, group="kpi")
    assert (
        "running and not rendered: own:rule"
        in looked(FakePlatform(rules_=[*running(), among_ours]))["rules-loaded"].message
    )


def test_a_receiver_that_tells_nobody_fails_though_it_is_as_rendered(monkeypatch):
    silent = config(Routing(profile=Profile.SHOW))
    monkeypatch.setattr(FakePlatform, "wanted_alertmanager", lambda _self: silent)
    result = looked(FakePlatform(config_=silent))["receivers"]
    assert result.status is Status.FAIL
    assert "nobody is told by: dead-mans-switch, show" in result.message
    assert "agentobs:alertWebhook" in result.fix


def test_the_committed_example_is_good_evidence():
    text = EXAMPLE.read_text()
    found = checklist.parse_evidence(text, "example", yaml.safe_load(text)["release"])
    assert found.problems == {}
    assert set(found.sections) == set(checklist.Release.model_fields)


def test_every_item_has_an_owner_a_promise_and_a_place():
    for item in checklist.ITEMS:
        assert item.promise.endswith(".")
        assert not item.title.endswith(".")
    assert len({item.key for item in checklist.ITEMS}) == len(checklist.ITEMS)
