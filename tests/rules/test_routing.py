"""Who gets which alert: by the real amtool for every profile, and by what a real Alertmanager sends."""

import subprocess
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support.alertmanager import alertmanager, eventually, sink, write

import stacks.components.alertmanager
import toolchain
from agentobs.contract import Label
from alerts import alerting, routing, rules
from alerts.catalogue import Owner, Severity
from alerts.routing import Email, Opsgenie, PagerDuty, Profile, Routing, Slack, Team, Webhook
from alerts.timing import PRODUCTION, Timing
from stacks.deployment import Deployment
from stacks.environments import LOCAL
from stacks.observability import LocalPlacement
from stacks.ports import PORTS
from stacks.process.layout import StackDir

SECRET = "s3cret-t0ken"  # noqa: S105 looked for, not used
FAST = Timing(300)


def secret(folder: Path, name: str, text: str = SECRET) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def every_kind(folder: Path, **addresses: str) -> dict[str, Any]:
    """One of each, the secret of each in a file."""
    return {
        "webhook": Webhook(url_file=secret(folder, "webhook", addresses.get("webhook", f"https://x/{SECRET}"))),
        "slack": Slack(
            channel="#a", api_url_file=secret(folder, "slack", addresses.get("slack", f"https://x/{SECRET}"))
        ),
        "pagerduty": PagerDuty(routing_key_file=secret(folder, "pagerduty")),
        "opsgenie": Opsgenie(api_key_file=secret(folder, "opsgenie")),
        "email": Email(
            to="a@x.org", sender="b@x.org", smarthost="x:587", username="b", password_file=secret(folder, "email")
        ),
    }


def profiles(folder: Path, timing: Timing = PRODUCTION) -> dict[str, Routing]:
    """A complete routing for every profile, with and without a team of the platform's own."""
    webhook = Webhook(url_file=secret(folder, "switch", f"https://x/{SECRET}"))
    some = {"pages": (webhook,), "tickets": (webhook,), "dead_mans_switch": webhook, "timing": timing}
    own = Team(pages=(webhook,), tickets=(webhook,))
    return {
        "local": Routing(profile=Profile.SHOW, timing=timing),
        "local told": Routing(profile=Profile.SHOW, **some),
        "dev": Routing(profile=Profile.TICKETS, tickets=(webhook,), timing=timing),
        "staging": Routing(profile=Profile.TICKETS, **some, platform=own),
        "prod": Routing(profile=Profile.PAGES, **some),
        "prod, two teams": Routing(profile=Profile.PAGES, **some, platform=own),
    }


def _by_owner(page: str, ticket: str, platform_page: str = "", platform_ticket: str = "") -> dict[str, str]:
    return {
        "severity=page owner=agents": page,
        "severity=ticket owner=agents": ticket,
        "severity=page owner=platform": platform_page or page,
        "severity=ticket owner=platform": platform_ticket or ticket,
        # Not ours, or a rule that forgot something: nothing is lost.
        "owner=agents": ticket,
        "severity=page": page,
        "severity=critical owner=platform": platform_ticket or ticket,
        "alertname=Watchdog severity=ticket owner=platform family=platform": "dead-mans-switch",
        "alertname=Watchdog severity=page owner=agents": "dead-mans-switch",
    }


WANTED = {
    "local": _by_owner("show", "show"),
    "local told": _by_owner("show", "show"),
    "dev": _by_owner("ticket", "ticket"),
    "staging": _by_owner("ticket", "ticket", "platform-ticket", "platform-ticket"),
    "prod": _by_owner("page", "ticket"),
    "prod, two teams": _by_owner("page", "ticket", "platform-page", "platform-ticket"),
}


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    binary = toolchain.require(["amtool"])["amtool"]
    return subprocess.run([str(binary), *arguments], capture_output=True, text=True, check=False)


def goes_to(path: Path, labels: str, receiver: str) -> bool:
    done = amtool(
        "config", "routes", "test", f"--config.file={path}", f"--verify.receivers={receiver}", *labels.split()
    )
    assert done.returncode == 0 or "did not match resolved receivers" in done.stdout, done.stderr
    return done.returncode == 0


@pytest.mark.parametrize(("profile", "labels"), [(name, labels) for name in WANTED for labels in WANTED[name]])
def test_an_alert_goes_to(tmp_path, profile, labels):
    path = write(tmp_path, routing.config(profiles(tmp_path)[profile]))
    assert goes_to(path, labels, WANTED[profile][labels])


def test_no_combination_of_severity_and_owner_is_left_out():
    asked = {f"severity={severity} owner={owner}" for severity, owner in product(Severity, Owner)}
    assert all(asked <= set(wanted) for wanted in WANTED.values())


def _without(route: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tree with one route, matcher or receiver of a route gone."""
    for number, child in enumerate(route.get("routes", ())):
        rest = route["routes"]
        name = f"{child['matchers']} to {child['receiver']}"
        yield f"{name} gone", {**route, "routes": rest[:number] + rest[number + 1 :]}
        unmatched = {key: value for key, value in child.items() if key != "matchers"}
        yield f"{name} for all", {**route, "routes": [*rest[:number], unmatched, *rest[number + 1 :]]}
        yield f"{name} last", {**route, "routes": [*rest[:number], *rest[number + 1 :], child]}
        for inner, changed in _without(child):
            yield inner, {**route, "routes": [*rest[:number], changed, *rest[number + 1 :]]}


def test_every_route_is_needed(tmp_path):
    """Gone, for all alerts, or behind the others: each makes an alert go elsewhere."""
    config = routing.config(profiles(tmp_path)["prod, two teams"])
    wanted = WANTED["prod, two teams"]
    mutants = dict(_without(config["route"]))
    alive = []
    for number, (name, route) in enumerate(mutants.items()):
        path = write(tmp_path / str(number), {**config, "route": route})
        if all(goes_to(path, labels, receiver) for labels, receiver in wanted.items()):
            alive.append(name)
    assert len(mutants) == 12
    # These two are the last of theirs already.
    assert alive == ["['owner=\"platform\"'] to platform-page last", "['owner=\"platform\"'] to platform-ticket last"]


@pytest.mark.parametrize("kind", ["webhook", "slack", "pagerduty", "opsgenie", "email"])
@pytest.mark.parametrize("profile", Profile)
def test_alertmanager_accepts_every_kind_of_receiver(tmp_path, profile, kind):
    receivers = every_kind(tmp_path)
    pages = tuple({receivers[kind]: None, receivers["pagerduty"]: None})
    told = Routing(
        profile=profile, pages=pages, tickets=(receivers[kind],), dead_mans_switch=receivers["webhook"], timing=FAST
    )
    done = amtool("check-config", str(write(tmp_path, routing.config(told))))
    assert done.returncode == 0, done.stderr
    assert "1 templates" in done.stdout
    assert SECRET not in routing.render(told)


@pytest.mark.parametrize("profile", WANTED)
def test_alertmanager_accepts_every_profile_and_every_receiver_has_a_route(tmp_path, profile):
    config = routing.config(profiles(tmp_path)[profile])
    done = amtool("check-config", str(write(tmp_path, config)))
    assert done.returncode == 0, done.stderr
    assert {receiver["name"] for receiver in config["receivers"]} == set(WANTED[profile].values())


def test_people_learn_that_it_is_over_and_mail_is_plain_text_over_tls(tmp_path):
    documents = {kind: receiver.document() for kind, receiver in every_kind(tmp_path).items()}
    assert all(document["send_resolved"] for document in documents.values())
    assert (documents["email"]["require_tls"], documents["email"]["html"]) == (True, "")


PROD_ROUTE = {
    "receiver": "ticket",
    "repeat_interval": "1d",
    "group_by": ["alertname", "environment", "agent_name", "tool_name", "workflow"],
    "group_wait": "30s",
    "group_interval": "5m",
    "routes": [
        {
            "matchers": ['alertname="Watchdog"'],
            "receiver": "dead-mans-switch",
            "group_wait": "0s",
            "group_interval": "10s",
            "repeat_interval": "1m",
        },
        {
            "matchers": ['severity="page"'],
            "receiver": "page",
            "repeat_interval": "4h",
            "routes": [{"matchers": ['owner="platform"'], "receiver": "platform-page"}],
        },
        {"matchers": ['owner="platform"'], "receiver": "platform-ticket"},
    ],
}


def test_the_tree_of_prod(tmp_path):
    config = routing.config(profiles(tmp_path)["prod, two teams"])
    assert config["route"] == PROD_ROUTE
    switch = config["receivers"][-1]
    (document,) = switch["webhook_configs"]
    assert (switch["name"], document["send_resolved"]) == ("dead-mans-switch", False)


def test_no_group_has_a_label_of_one_pod_or_run():
    stable = {"alertname", Label.ENVIRONMENT, Label.AGENT, Label.TOOL, Label.WORKFLOW}
    assert set(PROD_ROUTE["group_by"]) == stable


def test_a_rehearsal_passes_faster_and_never_busier_than_once_a_second(tmp_path):
    route = routing.config(profiles(tmp_path, Timing(60))["prod"])["route"]
    watchdog, page = route["routes"]
    assert (route["group_wait"], route["group_interval"], route["repeat_interval"]) == ("500ms", "5s", "24m")
    assert page["repeat_interval"] == "4m"
    assert (watchdog["group_wait"], watchdog["group_interval"], watchdog["repeat_interval"]) == ("0s", "1s", "1s")


def test_shown_alerts_reach_each_receiver_once():
    webhook = Webhook(url="http://127.0.0.1:1/")
    told = Routing(profile=Profile.SHOW, pages=(webhook,), tickets=(webhook,))
    show, switch = routing.config(told)["receivers"]
    assert show == {"name": "show", "webhook_configs": [webhook.document()]}
    assert switch == {"name": "dead-mans-switch"}


ALERT = {"alertname": "ToolFailing", "severity": "page", "owner": "agents", "family": "tools", "kpi": "tool_success"}
PAGED = {**ALERT, "environment": "prod", "tool_name": "search"}
WATCHDOG = {"alertname": "Watchdog", "severity": "ticket", "owner": "platform", "family": "platform"}
MUTED = {**PAGED, "alertname": "ToolSlow", "severity": "ticket"}
TICKET = {**MUTED, "tool_name": "fetch"}
BACKEND = {"alertname": "BackendDown", "severity": "page", "owner": "platform", "family": "platform", "job": "loki"}
LEFT = {**BACKEND, "alertname": "CollectorQueueFull", "severity": "ticket"}
TEXTS = {"summary": "It fails.", "runbook_url": "https://x/r", "dashboard_url": "https://x/d", "value": "82%"}


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """What each receiver of prod got once all fired, the page grew and all but the Watchdog had ended."""
    folder = tmp_path_factory.mktemp("prod")
    with sink() as kept:

        def to(path: str) -> Webhook:
            return Webhook(url_file=secret(folder, path, kept.url(f"/{path}")))

        told = Routing(
            profile=Profile.PAGES,
            pages=(to("page"),),
            tickets=(to("ticket"),),
            platform=Team(pages=(to("platform-page"),), tickets=(to("platform-ticket"),)),
            dead_mans_switch=to("switch"),
            timing=FAST,
        )
        others = [MUTED, TICKET, BACKEND, LEFT]
        second = {**PAGED, "instance": "pod-7"}
        with alertmanager(folder / "am", routing.config(told), "--dispatch.start-delay=2s") as running:
            running.post([PAGED], TEXTS, "2026-03-01T10:00:00Z")
            running.post([*others, WATCHDOG], TEXTS, "2026-03-01T10:00:00Z")
            rest = ("/ticket", "/platform-page", "/platform-ticket")
            for path in ("/page", *rest):
                kept.wait(path)
            running.post([second], TEXTS)
            eventually(lambda: len(kept.bodies["/page"]) > 1)
            # The page ends last: a ticket that outlives the page that mutes it is sent, and should be.
            running.post(others, TEXTS, "2026-03-01T10:00:00Z", over=True)
            eventually(lambda: all(kept.bodies[path][-1]["status"] == "resolved" for path in rest))
            running.post([PAGED, second], TEXTS, "2026-03-01T10:00:00Z", over=True)
            eventually(lambda: kept.bodies["/page"][-1]["status"] == "resolved")
            eventually(lambda: len(kept.bodies["/switch"]) > 2)
            seen = len(kept.bodies["/switch"])
            running.post([WATCHDOG], TEXTS, "2026-03-01T10:00:00Z", over=True)
            eventually(lambda: len(kept.bodies["/switch"]) > seen + 3, seconds=3)
        yield kept


def test_each_gets_its_own_and_its_end(sent):
    assert set(sent.alerts("/page")) == {("ToolFailing", "firing"), ("ToolFailing", "resolved")}
    assert set(sent.alerts("/ticket")) == {("ToolSlow", "firing"), ("ToolSlow", "resolved")}
    assert set(sent.alerts("/platform-page")) == {("BackendDown", "firing"), ("BackendDown", "resolved")}
    assert set(sent.alerts("/platform-ticket")) == {
        ("CollectorQueueFull", "firing"),
        ("CollectorQueueFull", "resolved"),
    }


def test_what_the_page_explains_does_not_arrive(sent):
    tools = {alert["labels"]["tool_name"] for body in sent.bodies["/ticket"] for alert in body["alerts"]}
    assert tools == {"fetch"}


def test_the_watchdog_arrives_at_the_dead_mans_switch_again_and_again_and_nowhere_else(sent):
    assert set(sent.alerts("/switch")) == {("Watchdog", "firing")}
    assert len(sent.bodies["/switch"]) > 2
    others = [name for path in sent.bodies if path != "/switch" for name, _ in sent.alerts(path)]
    assert "Watchdog" not in others


def test_an_alert_arrives_with_all_its_fields(sent):
    first = sent.bodies["/page"][0]
    (alert,) = first["alerts"]
    assert first["groupLabels"] == {"alertname": "ToolFailing", "environment": "prod", "tool_name": "search"}
    assert alert["labels"] == PAGED
    assert alert["annotations"] == TEXTS
    assert alert["startsAt"] == "2026-03-01T10:00:00Z"


def test_a_second_pod_joins_the_message_of_the_first(sent):
    counts = [len(body["alerts"]) for body in sent.bodies["/page"]]
    assert counts[:2] == [1, 2]
    assert len({body["groupKey"] for body in sent.bodies["/page"]}) == 1


@pytest.mark.parametrize(("flags", "arrive"), [(True, {"ToolFailing"}), (False, {"ToolFailing", "ToolSlow"})])
def test_after_a_restart_a_muted_ticket_waits_for_the_page_that_mutes_it(tmp_path, flags, arrive):
    """Alerts that began long ago are sent at once, and Prometheus repeats each group's at another moment."""
    rehearsed = Deployment.of(LOCAL, alert_speed=30)
    command = stacks.components.alertmanager.workload(rehearsed, LocalPlacement(PORTS, StackDir(tmp_path))).command
    delay = [flag for flag in command if flag.startswith("--dispatch.start-delay")] if flags else []
    with sink() as kept:
        webhook = Webhook(url=kept.url("/show"))
        told = Routing(profile=Profile.SHOW, pages=(webhook,), timing=FAST)
        with alertmanager(tmp_path / "am", routing.config(told), *delay) as running:
            running.post([MUTED], TEXTS, "2026-03-01T10:00:00Z")
            if not flags:
                kept.wait("/show")
            running.post([PAGED], TEXTS, "2026-03-01T10:00:00Z")
            assert eventually(lambda: ("ToolFailing", "firing") in kept.alerts("/show"))
    assert {name for name, _ in kept.alerts("/show")} == arrive


def test_what_the_routes_match_on_is_what_alerts_carry():
    every = [alert.document(PRODUCTION, rules.LINKS) for alert in alerting.alerts(PRODUCTION)]
    assert {document["labels"]["severity"] for document in every} == {"page", "ticket"}
    assert {document["labels"]["owner"] for document in every} <= {"agents", "platform"}
    assert WATCHDOG.items() <= {"alertname": every[0]["alert"], **every[0]["labels"]}.items()
