"""What a person reads: templates rendered by the real amtool, and what a real Alertmanager sends to each service."""

import email
import email.policy
import json
import re
import subprocess
from typing import Any

import pytest
from rules.test_routing import every_kind, secret
from support.alertmanager import alertmanager, eventually, mailbox, sink, write

import toolchain
from alerts import routing, rules
from alerts.routing import Profile, Routing, Webhook, messages
from alerts.timing import Timing
from collector.quotes import CONTROL

STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

LABELS = {
    "alertname": "VersionRegression",
    "severity": "page",
    "owner": "agents",
    "family": "versions",
    "environment": "prod",
    "agent_name": "planner",
    "workflow": "research",
    "kpi": "agent_success",
    "dimension": "prompt",
    "version": "13",
    "previous": "12",
}
TEXTS = {
    # The colon and the braces would not survive a reading as YAML and a second filling in.
    "summary": "agent_success of agent planner in prod got worse: 21% with prompt 13 (was {{ 12 }}).",
    "description": "The prompt changed from 12 to 13. Roll the version back first.",
    "value": "21%",
    "objective": "at most 5 % worse",
    "command": "agentobs runbooks run VersionRegression -e prod agent_name=planner",
    "runbook_url": "https://runbooks.example.com/VersionRegression",
    "dashboard_url": "https://grafana.example.com/d/versions?from=now-6h&to=now&var-agent=planner",
}
FIRING = {
    "status": "firing",
    "labels": LABELS,
    "annotations": TEXTS,
    "startsAt": "2026-03-01T11:04:05+01:00",
    "endsAt": "0001-01-01T00:00:00Z",
}
RESOLVED = {**FIRING, "status": "resolved", "endsAt": "2026-03-01T12:30:00Z"}
BUDGET = {
    **FIRING,
    "labels": {"alertname": "CostBudget50", "severity": "ticket", "environment": "prod"},
    "annotations": {"summary": "50 % of the budget is spent in prod: $5.00.", "value": "$5.00"},
}
HOSTILE = {
    **FIRING,
    "labels": {**LABELS, "agent_name": "<!channel> & co", "version": "<b>", "previous": "a>b"},
    "annotations": {
        **TEXTS,
        "summary": "<!channel> is worse.",
        "description": "<@U1> & more",
        "value": "<5%",
        "command": "agentobs runbooks run VersionRegression -e prod 'agent_name=<!channel> `x`'",
        "objective": "> 5",
    },
}
FORGING = {
    **FIRING,
    "labels": {
        **LABELS,
        "agent_name": "kb\nRunbook: https://evil.example/fix",
        "version": "1\u2028Run: x",
        "previous": "\r\n\x1b",
    },
    "annotations": {
        **TEXTS,
        "summary": "kb\nRunbook: https://evil.example/fix is worse.",
        "description": "a\rb\n\nRun: id",
        "command": "agentobs\nid",
        "value": "5\n%",
        "objective": "\u202e5",
    },
}
BODY = """\
agent_success of agent planner in prod got worse: 21% with prompt 13 (was {{ 12 }}).
Where: prod, agent planner, workflow research
Version: prompt 13 (was 12)
Since: 2026-03-01 10:04:05 UTC
Value: agent_success 21% (promised: at most 5 % worse)
The prompt changed from 12 to 13. Roll the version back first.
Run: agentobs runbooks run VersionRegression -e prod agent_name=planner
Runbook: https://runbooks.example.com/VersionRegression
Dashboard: https://grafana.example.com/d/versions?from=now-6h&to=now&var-agent=planner
"""
OVER = BODY.replace("10:04:05 UTC\n", "10:04:05 UTC\nUntil: 2026-03-01 12:30:00 UTC\n")
SLACK = """\
*agent_success of agent planner in prod got worse: 21% with prompt 13 (was {{ 12 }}).*
Where: prod, agent planner, workflow research
Version: prompt 13 (was 12)
Since: 2026-03-01 10:04:05 UTC
Value: agent_success 21% (promised: at most 5 % worse)
The prompt changed from 12 to 13. Roll the version back first.
Run: `agentobs runbooks run VersionRegression -e prod agent_name=planner`
<https://runbooks.example.com/VersionRegression|Runbook> \
<https://grafana.example.com/d/versions?from=now-6h&amp;to=now&amp;var-agent=planner|Dashboard>
"""
TITLE = "[PAGE] VersionRegression: prod, agent planner, workflow research"


def message(*alerts: dict[str, Any]) -> dict[str, Any]:
    """The data of a notification, as Alertmanager makes it of its alerts."""
    common = set.intersection(*(set(alert["labels"].items()) for alert in alerts))
    firing = any(alert["status"] == "firing" for alert in alerts)
    return {
        "status": "firing" if firing else "resolved",
        "receiver": "page",
        "alerts": list(alerts),
        "groupLabels": {},
        "commonLabels": dict(sorted(common)),
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
    }


@pytest.fixture
def render(tmp_path):
    def render(template: str, *alerts: dict[str, Any]) -> str:
        write(tmp_path, {})
        (tmp_path / "data.json").write_text(json.dumps(message(*alerts)))
        text = f'{{{{ template "agentobs.{template}" . }}}}'
        command = ["template", "render", f"--template.glob={tmp_path}/*.tmpl", f"--template.text={text}"]
        binary = toolchain.require(["amtool"])["amtool"]
        done = subprocess.run(
            [str(binary), *command, f"--template.data={tmp_path}/data.json"], capture_output=True, text=True, check=True
        )
        return done.stdout

    return render


OTHER = {**FIRING, "labels": {**LABELS, "kpi": "model_success"}}
TICKET = {**FIRING, "labels": {**LABELS, "severity": "ticket"}}


@pytest.mark.parametrize(
    ("template", "alerts", "read"),
    [
        ("title", (FIRING,), TITLE),
        ("title", (FIRING, OTHER), TITLE.replace("[PAGE]", "[PAGE x2]")),
        ("title", (FIRING, RESOLVED), TITLE),
        ("title", (RESOLVED,), TITLE.replace("[PAGE]", "[RESOLVED]")),
        ("title", (FIRING, TICKET), TITLE.replace("[PAGE]", "[ALERT x2]")),
        ("title", (BUDGET,), "[TICKET] CostBudget50: prod"),
        ("text", (FIRING,), BODY),
        ("text", (RESOLVED,), f"No longer:\n{OVER}"),
        ("text", (OTHER, FIRING), f"{BODY.replace('Value: agent', 'Value: model')}\n{BODY}"),
        ("text", (FIRING, RESOLVED), f"{BODY}\nNo longer:\n{OVER}"),
        (
            "text",
            (BUDGET,),
            "50 % of the budget is spent in prod: $5.00.\nWhere: prod\nSince: 2026-03-01 10:04:05 UTC\nValue: $5.00\n",
        ),
        ("slack.title", (FIRING,), TITLE),
        ("slack.title", (HOSTILE,), TITLE.replace("planner", "&lt;!channel&gt; &amp; co")),
        ("slack.text", (FIRING,), SLACK),
        ("slack.text", (FIRING, OTHER), f"{SLACK}\n{SLACK.replace('Value: agent', 'Value: model')}"),
        (
            "slack.text",
            (RESOLVED,),
            "No longer: " + SLACK.replace("10:04:05 UTC\n", "10:04:05 UTC\nUntil: 2026-03-01 12:30:00 UTC\n"),
        ),
        (
            "slack.text",
            (HOSTILE,),
            "*&lt;!channel&gt; is worse.*\nWhere: prod, agent &lt;!channel&gt; &amp; co, workflow research\n"
            "Version: prompt &lt;b&gt; (was a&gt;b)\nSince: 2026-03-01 10:04:05 UTC\n"
            "Value: agent_success &lt;5% (promised: &gt; 5)\n&lt;@U1&gt; &amp; more\n"
            "Run: agentobs runbooks run VersionRegression -e prod 'agent_name=&lt;!channel&gt; `x`'\n"
            + SLACK.splitlines()[-1]
            + "\n",
        ),
        ("value", (BUDGET,), "$5.00"),
        ("version", (BUDGET,), ""),
    ],
)
def test_a_person_reads(render, template, alerts, read):
    assert render(template, *alerts) == read


def test_whatever_an_alert_can_be_about_is_named(render):
    about = ("agent_name", "eval_name", "job", "model", "provider", "service", "tool_name", "workflow")
    labels = {"alertname": "A", "severity": "page", "environment": "prod", "instance": "pod-7", "owner": "agents"}
    alert = {**FIRING, "labels": {**labels, **{label: label[0] for label in about}}}
    where = "prod, agent a, eval e, job j, model m, provider p, service s, tool t, workflow w"
    assert render("title", alert) == f"[PAGE] A: {where}"
    assert f"\nWhere: {where}\n" in render("text", alert)
    assert f"\nWhere: {where}\n" in render("slack.text", alert)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """What a real Alertmanager sends to each service for a page, then a ticket; the addresses are on loopback."""
    folder = tmp_path_factory.mktemp("kinds")
    with sink() as kept, mailbox() as (smarthost, mails):
        kinds = every_kind(folder, webhook=kept.url("/webhook"), slack=kept.url("/slack"))
        told = Routing(
            profile=Profile.PAGES,
            pages=tuple(kinds.values()),
            tickets=tuple(kinds.values()),
            dead_mans_switch=Webhook(url_file=secret(folder, "switch", kept.url("/switch"))),
            timing=Timing(300),
        )
        config = routing.config(told)
        for receiver in config["receivers"][:-1]:
            receiver["pagerduty_configs"][0]["url"] = kept.url("/pagerduty")
            receiver["opsgenie_configs"][0]["api_url"] = kept.url("/opsgenie/")
            receiver["email_configs"][0] |= {"smarthost": smarthost, "require_tls": False}
        with alertmanager(folder / "am", config) as running:
            for count, alert in enumerate((FIRING, BUDGET), start=1):
                running.post([alert["labels"]], alert["annotations"], alert["startsAt"])
                for path in ("/webhook", "/slack", "/pagerduty", "/opsgenie/v2/alerts"):
                    assert eventually(lambda p=path, n=count: len(kept.bodies.get(p, ())) == n), path
                assert eventually(lambda n=count: len(mails) == n)
        yield {**kept.bodies, "mail": mails}


DETAILS = {
    "environment": "prod",
    "where": "prod, agent planner, workflow research",
    "version": "prompt 13 (was 12)",
    "since": "2026-03-01 10:04:05 UTC",
    "value": "agent_success 21% (promised: at most 5 % worse)",
    "summary": TEXTS["summary"],
    "command": TEXTS["command"],
    "runbook": TEXTS["runbook_url"],
    "dashboard": TEXTS["dashboard_url"],
}


def test_slack_shows_it(delivered):
    page, ticket = delivered["/slack"]
    (attachment,) = page["attachments"]
    assert page["channel"] == "#a"
    assert (attachment["title"], attachment["text"]) == (TITLE, SLACK)
    assert (attachment["title_link"], attachment["fallback"]) == (TEXTS["dashboard_url"], TITLE)
    assert (attachment["color"], ticket["attachments"][0]["color"]) == ("danger", "warning")


def test_pagerduty_shows_it(delivered):
    event, ticket = delivered["/pagerduty"]
    assert event["routing_key"] == "s3cret-t0ken"
    assert (event["payload"]["summary"], event["payload"]["severity"]) == (TITLE, "critical")
    details = event["payload"]["custom_details"]
    assert details.pop("resolved") is None
    assert (details.pop("num_firing"), details.pop("num_resolved")) == (1, 0)
    assert details == {field: f"\t{text}" for field, text in {**DETAILS, "firing": BODY}.items()}
    assert ticket["payload"]["severity"] == "warning"
    assert event["client_url"] == TEXTS["dashboard_url"]
    assert event["links"] == [
        {"href": TEXTS["runbook_url"], "text": "Runbook"},
        {"href": TEXTS["dashboard_url"], "text": "Dashboard"},
    ]


def test_opsgenie_shows_it(delivered):
    alert, ticket = delivered["/opsgenie/v2/alerts"]
    assert (alert["message"], alert["description"]) == (TITLE, BODY)
    assert (alert["priority"], alert["tags"]) == ("P1", ["page", "agents", "versions"])
    assert ticket["priority"] == "P3"
    assert alert["entity"] == DETAILS["where"]
    assert DETAILS.items() <= alert["details"].items()


def test_a_mail_says_it(delivered):
    mail = email.message_from_string(delivered["mail"][0], policy=email.policy.default)
    assert mail["Subject"] == TITLE
    (part,) = [part for part in mail.walk() if not part.is_multipart()]
    assert part.get_content_type() == "text/plain"
    assert part.get_content().replace("\r\n", "\n").strip() == BODY.strip()


def test_a_webhook_gets_the_fields_to_make_its_own_text(delivered):
    (alert,) = delivered["/webhook"][0]["alerts"]
    assert (alert["labels"], alert["annotations"]) == (LABELS, TEXTS)


@pytest.mark.parametrize("template", ["title", "text", "firing", "slack.title", "slack.text", *messages._FIELDS])
def test_no_name_writes_a_line_of_its_own(render, template):
    """As many lines as for plain names, beginning with the same words; nothing that steers a terminal or a reader."""
    wanted, said = (render(template, alert) for alert in (FIRING, FORGING))

    def began(text: str) -> list[str]:
        return [line.partition(":")[0] for line in text.split("\n")]

    assert len(began(said)) == len(began(wanted))
    assert began(said).count("Runbook") == began(wanted).count("Runbook")
    assert began(said).count("Run") == began(wanted).count("Run")
    assert not STEERS.search(said)


def test_every_template_prints_through_one_that_leaves_no_line_end():
    """What an action prints is another template, a time or a number: never a label or an annotation itself."""
    plain = routing.TEMPLATE.replace(CONTROL, "")
    for action in re.findall(r"\{\{-?\s*(.*?)\s*-?\}\}", re.sub(r"\{\{/\*.*?\*/\}\}", "", plain, flags=re.DOTALL)):
        assert action.startswith((
            "define ", "template ", "if ", "else", "end", "range ", "with ", "reReplaceAll `` `?` ",
            'reReplaceAll "_name$" "" .Name', 'reReplaceAll ">" "&gt;"', "len .Alerts.Firing", ".UTC.Format ",
        )), action  # fmt: skip


def test_every_label_in_an_alert_is_printed_as_one_line():
    for group in rules.alert_groups():
        for rule in group["rules"]:
            for key in ("summary", "description", "value"):
                text = rule["annotations"].get(key, "")
                bare = re.findall(r"\{\{-?\s*(?:\$labels|\.Labels)\.\w+\s*-?\}\}|\{\{\s*\.\s*\}\}", text)
                assert not bare, (rule["alert"], key)
